/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include "fault.h"

#include <string.h>

static const struct index {
	const char *name;
	const char *keys[3]; /* all ascending */
	bool unique;
} indexes[] = {
	{INDEX_SERIAL, {"serialNumber"}, true}, {INDEX_ENROLLMENT, {"enrollmentKey"}, true},
	{INDEX_ORDER, {"listOrder"}, true},     {INDEX_STATE, {"state", "listOrder", "deployedMs"}, false},
	{INDEX_LEASE, {"leaseUntilMs"}, false}, {INDEX_KEY, {"idempotencyKey"}, false},
};
#define INDEX_COUNT (sizeof(indexes) / sizeof(indexes[0]))

/* {createIndexes: COLLECTION, indexes: [{key: {...}, name: NAME, unique: true}]} */
static bool append_index(bson_t *list, const struct index *index)
{
	bson_t entry, keys;
	bool good = BSON_APPEND_DOCUMENT_BEGIN(list, "0", &entry) && BSON_APPEND_DOCUMENT_BEGIN(&entry, "key", &keys);

	for (size_t i = 0; good && i < 3 && index->keys[i]; i++)
		good = BSON_APPEND_INT32(&keys, index->keys[i], 1);
	good = good && bson_append_document_end(&entry, &keys) && BSON_APPEND_UTF8(&entry, "name", index->name);
	if (good && index->unique)
		good = BSON_APPEND_BOOL(&entry, "unique", true);
	return good && bson_append_document_end(list, &entry);
}

static pep_status make_one(struct link *link, const struct link_use *use, const struct index *index, struct pep_error *err)
{
	bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(LINK_COLLECTION));
	bson_error_t error = {0};
	char doing[96];
	bool good;
	bson_t list;

	good = BSON_APPEND_ARRAY_BEGIN(command, "indexes", &list) && append_index(&list, index) &&
	       bson_append_array_end(command, &list);
	if (good)
		good = mongoc_collection_write_command_with_opts(use->collection, command, NULL, NULL, &error);
	bson_destroy(command);
	if (good)
		return PEP_OK;
	(void)snprintf(doing, sizeof(doing), "make the index %s of " LINK_COLLECTION " in", index->name);
	return link_fail(link, fault_of_start(&error), &error, doing, err);
}

pep_status index_make(struct link *link, const struct link_use *use, bool all, struct pep_error *err)
{
	pep_status status = PEP_OK;

	for (size_t i = 0; i < (all ? INDEX_COUNT : 1) && status == PEP_OK; i++)
		status = make_one(link, use, &indexes[i], err);
	return status;
}

/* Has `found`, as listIndexes shows it, the keys of `index`, and is it as unique? A partial or sparse one would not be enough. */
static bool fits(const bson_t *found, const struct index *index)
{
	bson_iter_t iter, key;
	bool unique = bson_iter_init_find(&iter, found, "unique") && bson_iter_as_bool(&iter);
	size_t count = 0;

	if (index->unique && !unique)
		return false;
	if (bson_has_field(found, "partialFilterExpression") || bson_has_field(found, "sparse") ||
	    bson_has_field(found, "collation"))
		return false;
	if (!bson_iter_init_find(&iter, found, "key") || !BSON_ITER_HOLDS_DOCUMENT(&iter) || !bson_iter_recurse(&iter, &key))
		return false;
	while (bson_iter_next(&key)) {
		if (count == 3 || !index->keys[count] || strcmp(bson_iter_key(&key), index->keys[count]) != 0)
			return false;
		count++;
	}
	return count > 0 && (count == 3 || !index->keys[count]);
}

/* Bit i: indexes[i] is there. */
static unsigned find_indexes(mongoc_cursor_t *cursor)
{
	const bson_t *found;
	unsigned seen = 0;

	while (mongoc_cursor_next(cursor, &found)) {
		bson_iter_t iter;

		for (size_t i = 0; i < INDEX_COUNT; i++) {
			/* The name, because reads ask for it by name. */
			if (bson_iter_init_find(&iter, found, "name") && BSON_ITER_HOLDS_UTF8(&iter) &&
			    strcmp(bson_iter_utf8(&iter, NULL), indexes[i].name) == 0 && fits(found, &indexes[i]))
				seen |= 1u << i;
		}
	}
	return seen;
}

pep_status index_check(struct link *link, const struct link_use *use, struct pep_error *err)
{
	mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(use->collection, NULL);
	unsigned seen = find_indexes(cursor);
	bson_error_t error = {0};
	bool failed = mongoc_cursor_error(cursor, &error);

	mongoc_cursor_destroy(cursor);
	if (failed)
		return link_fail(link, PEP_UNAVAILABLE, &error, "look at the indexes in", err);
	for (size_t i = 0; i < INDEX_COUNT; i++) {
		if (!(seen & 1u << i))
			return pep_fail(
				err, PEP_UNAVAILABLE, 0,
				"cannot use %s: the %sindex %s of " LINK_COLLECTION
				" is not there as it was made; drop what has its name, and restart the server, which makes it anew",
				link->address.name, indexes[i].unique ? "unique " : "", indexes[i].name);
	}
	return PEP_OK;
}
