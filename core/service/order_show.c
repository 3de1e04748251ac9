/* SPDX-License-Identifier: Apache-2.0
 *
 * order_show.c - the orders as people see them: what each says, and how far it is.
 */
#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/service/order_book.h"

#include <string.h>

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static bool set_state(json_t *json, const struct book_entry *entry)
{
	return json_object_set_new(json, "open", json_boolean(entry->is_open)) == 0 &&
	       (entry->is_open || json_object_set_new(json, "closed_ms", json_integer(entry->closed_ms)) == 0) &&
	       json_object_set_new(json, "id", json_string(entry->id)) == 0;
}

/* What the book says, each with its id. NULL: out of memory. */
static json_t *list_book(struct orders *orders, bool open_only, const char *name)
{
	json_t *list = json_array();

	(void)pthread_rwlock_rdlock(&orders->lock);
	for (const struct book_entry *entry = orders->first; entry && list; entry = entry->next) {
		json_t *json;

		if ((open_only && !entry->is_open) || (name && !text_equal(name, entry->order.name)))
			continue;
		json = order_to_json(&entry->order);
		if (!json || !set_state(json, entry) || json_array_append(list, json) != 0) {
			json_decref(list);
			list = NULL;
		}
		json_decref(json);
	}
	(void)pthread_rwlock_unlock(&orders->lock);
	return list;
}

static json_t *held_json(const struct tally *tally)
{
	json_t *held = json_array();

	for (size_t i = 0; held && i < tally->held_count; i++) {
		if (json_array_append_new(held, json_string(tally->held[i].serial)) != 0) {
			json_decref(held);
			held = NULL;
		}
	}
	return held;
}

/* How far it is, in the place of its id. */
static pep_status count_one(struct orders *orders, json_t *json, bool with_held, struct pep_error *err)
{
	struct tally tally = {0};
	pep_status status = counter_read(orders->counter, json_string_value(json_object_get(json, "id")), &tally, err);

	if (status != PEP_OK)
		return status;
	(void)json_object_del(json, "id");
	if (json_object_set_new(json, "done", json_integer(tally.used)) != 0 ||
	    json_object_set_new(json, "reserved", json_integer((json_int_t)tally.held_count)) != 0 ||
	    (with_held && json_object_set_new(json, "held", held_json(&tally)) != 0))
		status = pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	tally_fini(&tally);
	return status;
}

static pep_status list_counted(struct orders *orders, bool open_only, const char *name, json_t **ret_list, struct pep_error *err)
{
	AUTO(drop_json) json_t *list = NULL;
	pep_status status = book_refresh(orders, err);

	if (status != PEP_OK)
		return status;
	list = list_book(orders, open_only, name);
	if (!list)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	for (size_t i = 0; status == PEP_OK && i < json_array_size(list); i++)
		status = count_one(orders, json_array_get(list, i), name != NULL, err);
	if (status == PEP_OK)
		*ret_list = TAKE(list);
	return status;
}

pep_status orders_json(struct orders *orders, bool open_only, json_t **ret_list, struct pep_error *err)
{
	return list_counted(orders, open_only, NULL, ret_list, err);
}

pep_status orders_show(struct orders *orders, const char *name, json_t **ret_order, struct pep_error *err)
{
	AUTO(drop_json) json_t *list = NULL;
	pep_status status = list_counted(orders, false, name, &list, err);

	if (status != PEP_OK)
		return status;
	if (!json_array_size(list))
		return pep_fail(err, PEP_NOT_FOUND, 0, "there is no order %s", name);
	*ret_order = json_incref(json_array_get(list, 0));
	return PEP_OK;
}
