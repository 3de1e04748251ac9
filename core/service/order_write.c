/* SPDX-License-Identifier: Apache-2.0
 *
 * order_write.c - orders that come and orders that end. What an order says is written under a new random id before the index names it,
 * so a crash in between leaves notes that nobody reads, and two servers never write over each other's.
 */
#include "core/base/buffer.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/service/order_book.h"

#include <string.h>

#define ROUNDS 100

static void drop_json(json_t **json)
{
	json_decref(*json);
}

/* --- what an order says --- */

/* A note that nobody else writes: after a lost answer, it is there or it is not. */
static pep_status write_new(struct storage *storage, const char *name, const char *text, struct pep_error *err)
{
	AUTO(free_ptr) char *there = malloc(PEP_NOTE_SIZE + 1);
	pep_status status = PEP_UNKNOWN;

	if (!there)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	for (int round = 0; round < 3 && (status == PEP_UNKNOWN || status == PEP_CONFLICT); round++) {
		int64_t revision = 0;

		status = storage_note_write(storage, name, 0, text, err);
		if (status == PEP_OK || status == PEP_UNAVAILABLE || status == PEP_LIMIT)
			return status;
		status = storage_note_read(storage, name, there, &revision, err);
		if (status == PEP_OK && strcmp(there, text) == 0)
			return PEP_OK;
		if (status == PEP_OK)
			status = pep_fail(err, PEP_UNKNOWN, 0, "the note %s cannot be written", name);
	}
	return status;
}

static pep_status write_chunk(struct storage *storage, const char *id, unsigned number, struct buffer *text, struct pep_error *err)
{
	char part[32], name[65];

	(void)snprintf(part, sizeof(part), ".list.%u", number);
	book_name(id, part, name);
	buffer_text(text, "]");
	buffer_byte(text, '\0');
	return text->failed ? pep_fail(err, PEP_NO_MEMORY, 0, "out of memory") : write_new(storage, name, text->data, err);
}

static pep_status write_list(struct storage *storage, const char *id, const struct order *order, struct pep_error *err)
{
	pep_status status = PEP_OK;
	unsigned number = 0;
	size_t next = 0;

	while (status == PEP_OK && next < order->serial_count) {
		struct buffer text;

		buffer_init(&text, PEP_NOTE_SIZE + 1);
		while (!text.failed && next < order->serial_count && text.size < BOOK_CHUNK) {
			buffer_byte(&text, text.size ? ',' : '[');
			buffer_json_text(&text, order->serials[next++]);
		}
		status = write_chunk(storage, id, number++, &text, err);
		buffer_fini(&text);
	}
	return status;
}

static pep_status write_order(struct storage *storage, const char *id, const struct order *order, struct pep_error *err)
{
	AUTO(drop_json) json_t *json = order_to_json(order);
	AUTO(free_ptr) char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	char name[65];
	pep_status status;

	if (!text)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = write_list(storage, id, order, err);
	book_name(id, "", name);
	return status == PEP_OK ? write_new(storage, name, text, err) : status;
}

/* --- the index --- */

static json_t *find_named(const json_t *list, const char *key, const char *text)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (text_equal(json_string_value(json_object_get(item, key)), text))
			return item;
	}
	return NULL;
}

/* Room for one more: the oldest that is closed is not listed any more. False: all are open. */
static bool make_room(json_t *list)
{
	for (size_t i = 0; json_array_size(list) >= BOOK_MAX && i < json_array_size(list); i++)
		if (!json_is_true(json_object_get(json_array_get(list, i), "open")))
			return json_array_remove(list, i) == 0;
	return json_array_size(list) < BOOK_MAX;
}

/* One change of the index. PEP_OK with *ret_done: it is there already. */
struct change {
	const char *id, *name; /* id NULL: close `name` */
	int64_t now_ms;
};

static pep_status add_item(json_t *list, const struct change *change, bool *ret_done, struct pep_error *err)
{
	*ret_done = find_named(list, "id", change->id) != NULL; /* an answer was lost */
	if (*ret_done)
		return PEP_OK;
	if (find_named(list, "name", change->name))
		return pep_fail(err, PEP_CONFLICT, 0, "there is an order %s", change->name);
	if (!make_room(list))
		return pep_fail(err, PEP_LIMIT, 0, "%u orders are open, no more are kept; close one first", BOOK_MAX);
	if (json_array_append_new(list, json_pack("{ss,ss,sb}", "id", change->id, "name", change->name, "open", 1)) != 0)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	return PEP_OK;
}

static pep_status close_item(const json_t *list, const struct change *change, bool *ret_done, struct pep_error *err)
{
	json_t *item = find_named(list, "name", change->name);

	*ret_done = false;
	if (!item)
		return pep_fail(err, PEP_NOT_FOUND, 0, "there is no order %s", change->name);
	if (!json_is_true(json_object_get(item, "open"))) {
		/* By this very change, if an answer was lost. */
		*ret_done = json_integer_value(json_object_get(item, "closed_ms")) == change->now_ms;
		return *ret_done ? PEP_OK : pep_fail(err, PEP_CONFLICT, 0, "the order %s is closed", change->name);
	}
	if (json_object_set_new(item, "open", json_false()) != 0 ||
	    json_object_set_new(item, "closed_ms", json_integer(change->now_ms)) != 0)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	return PEP_OK;
}

/* One round: read, decide, write at the revision that was read. PEP_CONFLICT of the write comes back as PEP_UNKNOWN: try again. */
static pep_status change_once(struct storage *storage, char *text, const struct change *change, struct pep_error *err)
{
	AUTO(drop_json) json_t *list = NULL;
	AUTO(drop_json) json_t *index = NULL;
	AUTO(free_ptr) char *next = NULL;
	int64_t revision;
	bool is_done = false;
	pep_status status = storage_note_read(storage, BOOK_INDEX, text, &revision, err);

	if (status != PEP_OK)
		return status;
	list = book_index(text, err);
	if (!list)
		return err->status;
	status = change->id ? add_item(list, change, &is_done, err) : close_item(list, change, &is_done, err);
	if (status != PEP_OK || is_done)
		return status;
	index = json_pack("{sO}", "orders", list);
	next = index ? json_dumps(index, JSON_COMPACT) : NULL;
	if (!next)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = storage_note_write(storage, BOOK_INDEX, revision, next, err);
	return status == PEP_CONFLICT ? PEP_UNKNOWN : status;
}

static pep_status change_index(struct orders *orders, const struct change *change, struct pep_error *err)
{
	AUTO(free_ptr) char *text = malloc(PEP_NOTE_SIZE + 1);
	pep_status status = PEP_UNKNOWN;

	if (!text)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	for (int round = 0; round < ROUNDS && status == PEP_UNKNOWN; round++)
		status = change_once(orders->storage, text, change, err);
	/* What the change was for is done; that this server knows it can wait. */
	if (status == PEP_OK)
		(void)book_refresh(orders, &(struct pep_error){0});
	return status;
}

pep_status orders_add(struct orders *orders, const struct order *order, struct pep_error *err)
{
	char id[ORDER_ID_ROOM];
	const struct change change = {.id = id, .name = order->name};
	pep_status status;

	text_random(sizeof(id) / 2, id);
	status = write_order(orders->storage, id, order, err);
	return status == PEP_OK ? change_index(orders, &change, err) : status;
}

pep_status orders_end(struct orders *orders, const char *name, struct pep_error *err)
{
	struct change change = {.name = name};
	pep_status status = storage_now(orders->storage, &change.now_ms, err);

	return status == PEP_OK ? change_index(orders, &change, err) : status;
}
