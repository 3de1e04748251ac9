/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/order_book.h"

#include "core/base/cleanup.h"
#include "core/base/json.h"

#include <string.h>

static void drop_json(json_t **json)
{
	json_decref(*json);
}

void book_name(const char *id, const char *part, char ret_name[65])
{
	(void)snprintf(ret_name, 65, "order.%.16s%.32s", id, part);
}

static void free_entry(struct book_entry *entry)
{
	if (entry->has_regex)
		regfree(&entry->regex);
	arena_fini(&entry->list);
	arena_fini(&entry->arena);
	free(entry);
}

static void free_entries(struct book_entry *entry)
{
	while (entry) {
		struct book_entry *next = entry->next;

		free_entry(entry);
		entry = next;
	}
}

void book_fini(struct orders *orders)
{
	free_entries(orders->first);
	orders->first = NULL;
}

json_t *book_index(const char *text, struct pep_error *err)
{
	AUTO(drop_json) json_t *json = NULL;
	json_t *list;

	if (!*text) {
		list = json_array();
		if (!list)
			(void)pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
		return list;
	}
	if (json_parse_text(text, strlen(text), &json, err) != PEP_OK)
		return NULL;
	list = json_object_get(json, "orders");
	if (!json_is_array(list)) {
		(void)pep_fail(err, PEP_INVALID, 0, "the note that lists the orders cannot be read");
		return NULL;
	}
	return json_incref(list);
}

/* --- one order --- */

/* The note's JSON; PEP_NOT_FOUND: there is no such note. `text` is room for it. */
static pep_status read_json(struct storage *storage, const char *name, char *text, json_t **ret_json, struct pep_error *err)
{
	int64_t revision;
	pep_status status = storage_note_read(storage, name, text, &revision, err);

	if (status != PEP_OK)
		return status;
	if (!revision)
		return pep_fail(err, PEP_NOT_FOUND, 0, "the note %s is missing", name);
	return json_parse_text(text, strlen(text), ret_json, err);
}

static pep_status read_chunk(struct storage *storage, const char *name, char *text, struct book_entry *entry, size_t *count,
			     struct pep_error *err)
{
	AUTO(drop_json) json_t *json = NULL;
	pep_status status = read_json(storage, name, text, &json, err);

	if (status != PEP_OK)
		return status;
	if (!json_array_size(json) || *count + json_array_size(json) > entry->order.serial_count)
		return pep_fail(err, PEP_INVALID, 0, "the note %s does not fit its order", name);
	for (size_t i = 0; i < json_array_size(json); i++) {
		const char *serial = json_string_value(json_array_get(json, i));

		entry->order.serials[*count] = serial ? arena_text(&entry->list, serial) : NULL;
		if (!entry->order.serials[*count])
			return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
		(*count)++;
	}
	return PEP_OK;
}

static pep_status read_list(struct storage *storage, char *text, struct book_entry *entry, struct pep_error *err)
{
	pep_status status = PEP_OK;
	size_t count = 0;

	entry->order.serials = arena_alloc(&entry->list, (entry->order.serial_count + 1) * sizeof(*entry->order.serials));
	if (!entry->order.serials)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	for (unsigned i = 0; status == PEP_OK && count < entry->order.serial_count; i++) {
		char part[32], name[65];

		(void)snprintf(part, sizeof(part), ".list.%u", i);
		book_name(entry->id, part, name);
		status = read_chunk(storage, name, text, entry, &count, err);
	}
	if (status == PEP_OK)
		order_sort(&entry->order);
	return status;
}

static pep_status compile(struct book_entry *entry, struct pep_error *err)
{
	const char *hint;

	if (!entry->order.pattern)
		return PEP_OK;
	entry->has_regex = order_compile(entry->order.pattern, &entry->regex, &hint);
	return entry->has_regex ? PEP_OK : pep_fail(err, PEP_INVALID, 0, "the pattern of an order should be %s", hint);
}

/* `text` is room for a note. */
static pep_status fill_entry(struct storage *storage, bool is_open, char *text, struct book_entry *entry, struct pep_error *err)
{
	AUTO(drop_json) json_t *json = NULL;
	char name[65];
	pep_status status;

	book_name(entry->id, "", name);
	status = read_json(storage, name, text, &json, err);
	if (status == PEP_OK)
		status = order_from_json(&entry->arena, json, &entry->order, err);
	if (status == PEP_OK)
		status = compile(entry, err);
	if (status == PEP_OK && is_open && !entry->has_regex)
		status = read_list(storage, text, entry, err);
	return status;
}

static pep_status load_entry(struct storage *storage, const char *id, bool is_open, struct book_entry **ret_entry,
			     struct pep_error *err)
{
	AUTO(free_ptr) char *text = malloc(PEP_NOTE_SIZE + 1);
	struct book_entry *entry = calloc(1, sizeof(*entry));
	pep_status status;

	if (!text || !entry) {
		free(entry);
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	(void)snprintf(entry->id, sizeof(entry->id), "%s", id);
	status = fill_entry(storage, is_open, text, entry, err);
	if (status == PEP_OK)
		*ret_entry = entry;
	else
		free_entry(entry);
	return status;
}

/* --- all of them --- */

/* What the index says of one. */
struct item {
	const char *id;
	bool is_open;
	int64_t closed_ms;
	struct book_entry *entry; /* new, or the book's */
	bool is_new;
};

static struct book_entry *find(const struct orders *orders, const char *id)
{
	struct book_entry *entry = orders->first;

	while (entry && strcmp(entry->id, id) != 0)
		entry = entry->next;
	return entry;
}

static pep_status load_item(struct orders *orders, const json_t *json, struct item *item, struct pep_error *err)
{
	const char *id = json_string_value(json_object_get(json, "id"));

	if (!id || strlen(id) != ORDER_ID_ROOM - 1)
		return pep_fail(err, PEP_INVALID, 0, "the note that lists the orders cannot be read");
	item->id = id;
	item->is_open = json_is_true(json_object_get(json, "open"));
	item->closed_ms = json_integer_value(json_object_get(json, "closed_ms"));
	item->entry = find(orders, id);
	if (item->entry)
		return PEP_OK;
	item->is_new = true;
	return load_entry(orders->storage, id, item->is_open, &item->entry, err);
}

/* Nobody looks into the list of a closed order. */
static void set_open(struct book_entry *entry, const struct item *item)
{
	entry->is_open = item->is_open;
	entry->closed_ms = item->closed_ms;
	if (entry->is_open)
		return;
	entry->order.serials = NULL;
	arena_fini(&entry->list);
}

static bool is_listed(const struct item *items, size_t count, const struct book_entry *entry)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].entry == entry)
			return true;
	return false;
}

/* The new list, of entries that are kept and entries that are new; the others are freed. */
static void replace(struct orders *orders, int64_t revision, const struct item *items, size_t count)
{
	struct book_entry *gone = NULL;
	struct book_entry **end = &orders->first;

	(void)pthread_rwlock_wrlock(&orders->lock);
	for (struct book_entry *entry = orders->first, *next; entry; entry = next) {
		next = entry->next;
		if (is_listed(items, count, entry))
			continue;
		entry->next = gone;
		gone = entry;
	}
	for (size_t i = 0; i < count; i++) {
		set_open(items[i].entry, &items[i]);
		*end = items[i].entry;
		end = &items[i].entry->next;
	}
	*end = NULL;
	orders->revision = revision;
	(void)pthread_rwlock_unlock(&orders->lock);
	free_entries(gone);
}

/* `load` is held. */
static pep_status load(struct orders *orders, const char *text, int64_t revision, struct pep_error *err)
{
	AUTO(drop_json) json_t *list = book_index(text, err);
	AUTO(free_ptr) struct item *items = NULL;
	pep_status status = PEP_OK;
	size_t count = 0;

	if (!list)
		return err->status;
	items = calloc(json_array_size(list) + 1, sizeof(*items));
	if (!items)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	for (; status == PEP_OK && count < json_array_size(list); count++)
		status = load_item(orders, json_array_get(list, count), &items[count], err);
	if (status == PEP_OK) {
		replace(orders, revision, items, count);
		return PEP_OK;
	}
	for (size_t i = 0; i < count; i++)
		if (items[i].is_new && items[i].entry)
			free_entry(items[i].entry);
	return status;
}

static int64_t known_revision(struct orders *orders)
{
	int64_t revision;

	(void)pthread_rwlock_rdlock(&orders->lock);
	revision = orders->revision;
	(void)pthread_rwlock_unlock(&orders->lock);
	return revision;
}

pep_status book_refresh(struct orders *orders, struct pep_error *err)
{
	AUTO(free_ptr) char *text = malloc(PEP_NOTE_SIZE + 1);
	AUTO(unlock_mutex) pthread_mutex_t *lock = NULL;
	int64_t revision;
	pep_status status;

	if (!text)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = storage_note_read(orders->storage, BOOK_INDEX, text, &revision, err);
	if (status != PEP_OK || revision == known_revision(orders))
		return status;
	lock = lock_mutex(&orders->load);
	/* Another thread may have read it later, and loaded more. */
	return revision > known_revision(orders) ? load(orders, text, revision, err) : PEP_OK;
}
