/* SPDX-License-Identifier: Apache-2.0 */
#include "note.h"

#include "fault.h"

#include <errno.h>
#include <pep/storage.h>
#include <string.h>

/* One connection with the collection of notes; the client's concerns hold for it: a majority, and its journals. */
struct desk {
	struct link_use use;
	mongoc_collection_t *notes;
};

static pep_status desk_take(struct link *link, struct desk *ret_desk, struct pep_error *err)
{
	struct desk desk = {0};
	pep_status status = link_take(link, &desk.use, err);

	if (status != PEP_OK)
		return status;
	desk.notes = mongoc_client_get_collection(desk.use.client, link->address.database, NOTE_COLLECTION);
	*ret_desk = desk;
	return PEP_OK;
}

static void desk_give(struct link *link, struct desk *desk)
{
	mongoc_collection_destroy(desk->notes);
	link_give(link, &desk->use);
}

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read or store a note: out of memory");
}

/* --- read --- */

static pep_status take_document(const struct link *link, const bson_t *document, char *text, int64_t *ret_revision,
				struct pep_error *err)
{
	bson_iter_t found, revision;
	const char *from = NULL;
	uint32_t size = 0;

	if (bson_iter_init_find(&found, document, "text") && BSON_ITER_HOLDS_UTF8(&found))
		from = bson_iter_utf8(&found, &size);
	if (!from || size > PEP_NOTE_SIZE || !bson_iter_init_find(&revision, document, "revision") ||
	    !BSON_ITER_HOLDS_INT(&revision) || bson_iter_as_int64(&revision) < 1)
		return pep_fail(err, PEP_INTERNAL, 0, "a document of " NOTE_COLLECTION " in %s is no note; who has changed it?",
				link->address.name);
	memcpy(text, from, size);
	text[size] = '\0';
	*ret_revision = bson_iter_as_int64(&revision);
	return PEP_OK;
}

/* As a read of one serial: on a replica set it waits until a majority agrees who the primary is. */
static bool append_options(const struct link *link, bson_t *options)
{
	bool good = BSON_APPEND_INT64(options, "limit", 1) && BSON_APPEND_INT64(options, "maxTimeMS", link->timeout_ms);
	bson_t concern;

	if (good && link->replicated)
		good = BSON_APPEND_DOCUMENT_BEGIN(options, "readConcern", &concern) &&
		       BSON_APPEND_UTF8(&concern, "level", MONGOC_READ_CONCERN_LEVEL_LINEARIZABLE) &&
		       bson_append_document_end(options, &concern);
	return good;
}

static pep_status find(struct link *link, const bson_t *filter, const bson_t *options, char *text, int64_t *ret_revision,
		       struct pep_error *err)
{
	bson_error_t error = {0};
	const bson_t *document;
	mongoc_cursor_t *cursor;
	struct desk desk = {0};
	pep_status status = desk_take(link, &desk, err);

	if (status != PEP_OK)
		return status;
	cursor = mongoc_collection_find_with_opts(desk.notes, filter, options, NULL);
	if (mongoc_cursor_next(cursor, &document)) {
		status = take_document(link, document, text, ret_revision, err);
	} else if (mongoc_cursor_error(cursor, &error)) {
		status = link_fail(link, PEP_UNAVAILABLE, &error, "read a note in", err);
	} else {
		text[0] = '\0';
		*ret_revision = 0;
	}
	mongoc_cursor_destroy(cursor);
	desk_give(link, &desk);
	return status;
}

pep_status note_read(struct link *link, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
	pep_status status;

	if (BSON_APPEND_UTF8(&filter, "_id", name) && append_options(link, &options))
		status = find(link, &filter, &options, text, ret_revision, err);
	else
		status = no_memory(err);
	bson_destroy(&filter);
	bson_destroy(&options);
	return status;
}

/* --- write --- */

static pep_status conflict(const struct link *link, const char *name, struct pep_error *err)
{
	return pep_fail(err, PEP_CONFLICT, 0, "cannot store note %s in %s: its revision has moved", name, link->address.name);
}

static pep_status fail(struct link *link, const char *name, const bson_error_t *error, struct pep_error *err)
{
	pep_status status = fault_of_write(error);

	return status == PEP_CONFLICT ? conflict(link, name, err) : link_fail(link, status, error, "store a note in", err);
}

static pep_status insert(struct link *link, const char *name, const char *text, struct pep_error *err)
{
	bson_t document = BSON_INITIALIZER;
	bson_error_t error = {0};
	struct desk desk = {0};
	pep_status status;

	if (BSON_APPEND_UTF8(&document, "_id", name) && BSON_APPEND_UTF8(&document, "text", text) &&
	    BSON_APPEND_INT64(&document, "revision", 1))
		status = desk_take(link, &desk, err);
	else
		status = no_memory(err);
	if (status == PEP_OK) {
		if (!mongoc_collection_insert_one(desk.notes, &document, NULL, NULL, &error))
			status = fail(link, name, &error, err);
		desk_give(link, &desk);
	}
	bson_destroy(&document);
	return status;
}

static bool append_change(bson_t *change, int64_t revision, const char *text)
{
	bson_t set;

	return BSON_APPEND_DOCUMENT_BEGIN(change, "$set", &set) && BSON_APPEND_UTF8(&set, "text", text) &&
	       BSON_APPEND_INT64(&set, "revision", revision + 1) && bson_append_document_end(change, &set);
}

static pep_status change_one(struct link *link, const char *name, const bson_t *selector, const bson_t *change,
			     struct pep_error *err)
{
	bson_error_t error = {0};
	struct desk desk = {0};
	bson_iter_t iter;
	bson_t reply;
	pep_status status = desk_take(link, &desk, err);

	if (status != PEP_OK)
		return status;
	if (!mongoc_collection_update_one(desk.notes, selector, change, NULL, &reply, &error))
		status = fail(link, name, &error, err);
	else if (!bson_iter_init_find(&iter, &reply, "matchedCount") || bson_iter_as_int64(&iter) == 0)
		status = conflict(link, name, err);
	bson_destroy(&reply);
	desk_give(link, &desk);
	return status;
}

static pep_status update(struct link *link, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	bson_t selector = BSON_INITIALIZER, change = BSON_INITIALIZER;
	pep_status status;

	if (BSON_APPEND_UTF8(&selector, "_id", name) && BSON_APPEND_INT64(&selector, "revision", revision) &&
	    append_change(&change, revision, text))
		status = change_one(link, name, &selector, &change, err);
	else
		status = no_memory(err);
	bson_destroy(&selector);
	bson_destroy(&change);
	return status;
}

pep_status note_write(struct link *link, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	if (strnlen(text, PEP_NOTE_SIZE + 1) > PEP_NOTE_SIZE)
		return pep_fail(err, PEP_LIMIT, 0, "cannot store note %s: it has over %u bytes", name, PEP_NOTE_SIZE);
	if (revision < 0 || revision == INT64_MAX)
		return conflict(link, name, err);
	return revision ? update(link, name, revision, text, err) : insert(link, name, text, err);
}
