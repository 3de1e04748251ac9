/* SPDX-License-Identifier: Apache-2.0 */
#include "takeover.h"

#include "fault.h"
#include "index.h"
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_COUNT 500
#define SERIAL_SIZE_MAX 64
#define ID_SIZE 25

static const char reason_stuck[] =
	"taken_over: the tool before this server had not finished it; nobody knows what the gateway holds, inject it again";

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot take over records: out of memory");
}

/* The fields that the original did not have. When it inserted a document is in the id; its createdAt is when it was started. */
static void complete(struct pep_identity *id, const bson_oid_t *oid, bool deployed, const char *dispatch_id)
{
	id->revision = 1;
	id->attempt = id->contacted = id->generation = 1;
	id->state = deployed ? PEP_DEPLOYED : PEP_FAILED;
	id->dispatch_id = deployed ? dispatch_id : NULL;
	id->deployed_ms = deployed ? (int64_t)bson_oid_get_time_t(oid) * 1000 : 0;
	id->reason = deployed ? NULL : reason_stuck;
}

static pep_status refuse(struct link *link, const bson_t *document, const char *why, struct pep_error *err)
{
	bson_t shown = BSON_INITIALIZER;
	bson_iter_t iter;
	char *text = NULL;

	if (bson_iter_init_find(&iter, document, "_id"))
		(void)BSON_APPEND_VALUE(&shown, "_id", bson_iter_value(&iter));
	text = bson_as_relaxed_extended_json(&shown, NULL);
	bson_destroy(&shown);
	(void)pep_fail(err, PEP_INVALID, 0,
		       "cannot take over %s: document %.100s of " LINK_COLLECTION
		       ": %s; correct it or move it to another collection, then start again",
		       link->address.name, text ? text : "?", why);
	bson_free(text);
	return PEP_INVALID;
}

/* What is added to one document: a step of the bulk. */
static pep_status add_step(mongoc_bulk_operation_t *bulk, const struct pep_identity *id, const bson_oid_t *oid,
			   struct pep_error *err)
{
	bson_t selector = BSON_INITIALIZER, change = BSON_INITIALIZER, set;
	bson_error_t error = {0};
	bool good = BSON_APPEND_OID(&selector, "_id", oid) && BSON_APPEND_NULL(&selector, "revision") &&
		    BSON_APPEND_DOCUMENT_BEGIN(&change, "$set", &set) && record_append(&set, id) &&
		    bson_append_document_end(&change, &set) &&
		    mongoc_bulk_operation_update_one_with_opts(bulk, &selector, &change, NULL, &error);

	bson_destroy(&selector);
	bson_destroy(&change);
	return good ? PEP_OK : no_memory(err);
}

static pep_status take_one(struct link *link, mongoc_bulk_operation_t *bulk, const bson_t *document, bson_oid_t *ret_oid,
			   struct pep_error *err)
{
	char why[128], dispatch_id[ID_SIZE];
	struct pep_identity *id;
	bson_iter_t iter;
	bool deployed = bson_iter_init_find(&iter, document, "deployed") && bson_iter_as_bool(&iter);
	pep_status status;
	size_t size;

	if (!bson_iter_init_find(&iter, document, "_id") || !BSON_ITER_HOLDS_OID(&iter))
		return refuse(link, document, "its _id is no ObjectId", err);
	bson_oid_copy(bson_iter_oid(&iter), ret_oid);
	bson_oid_to_string(ret_oid, dispatch_id);
	if (!record_read(document, &id, why))
		return refuse(link, document, why, err);
	if (!id)
		return no_memory(err);
	size = strlen(id->serial);
	if (size < 1 || size > SERIAL_SIZE_MAX) {
		status = refuse(link, document, "its serialNumber has not 1 to 64 bytes", err);
	} else {
		complete(id, ret_oid, deployed, dispatch_id);
		status = add_step(bulk, id, ret_oid, err);
	}
	free(id);
	return status;
}

/* One page of documents behind `behind` (NULL: from the first). */
static mongoc_cursor_t *find_page(const struct link_use *use, const bson_oid_t *behind)
{
	bson_t *filter = BCON_NEW("revision", BCON_NULL);
	bson_t *options = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "hint", "_id_", "limit", BCON_INT64(PAGE_COUNT));
	mongoc_cursor_t *cursor;

	if (behind)
		BCON_APPEND(filter, "_id", "{", "$gt", BCON_OID(behind), "}");
	cursor = mongoc_collection_find_with_opts(use->collection, filter, options, NULL);
	bson_destroy(filter);
	bson_destroy(options);
	return cursor;
}

static pep_status take_page(struct link *link, const struct link_use *use, bson_oid_t *last, bool is_first, int *ret_count,
			    struct pep_error *err)
{
	bson_t *unordered = BCON_NEW("ordered", BCON_BOOL(false));
	mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(use->collection, unordered);
	mongoc_cursor_t *cursor = find_page(use, is_first ? NULL : last);
	bson_error_t error = {0};
	pep_status status = PEP_OK;
	const bson_t *document;
	int count = 0;

	for (; status == PEP_OK && mongoc_cursor_next(cursor, &document); count++)
		status = take_one(link, bulk, document, last, err);
	if (status == PEP_OK &&
	    (mongoc_cursor_error(cursor, &error) || (count > 0 && mongoc_bulk_operation_execute(bulk, NULL, &error) == 0)))
		status = link_fail(link, fault_of_start(&error), &error, "take over", err);
	mongoc_cursor_destroy(cursor);
	mongoc_bulk_operation_destroy(bulk);
	bson_destroy(unordered);
	*ret_count = count;
	return status;
}

pep_status takeover_run(struct link *link, const struct link_use *use, int64_t *ret_count, struct pep_error *err)
{
	pep_status status = PEP_OK;
	int64_t total = 0;
	bson_oid_t last;
	int count = 0;

	do {
		status = take_page(link, use, &last, total == 0, &count, err);
		total += count;
	} while (status == PEP_OK && count == PAGE_COUNT && !link->host->stopping(link->host));
	if (status == PEP_OK && count == PAGE_COUNT)
		return pep_fail(err, PEP_CANCELLED, 0, "cannot take over %s: the server is stopping; it goes on at the next start",
				link->address.name);
	*ret_count = total;
	return status;
}

pep_status takeover_is_needed(struct link *link, const struct link_use *use, bool *ret_needed, struct pep_error *err)
{
	bson_t *filter = BCON_NEW(RECORD_LIST_ORDER, BCON_NULL);
	bson_t *options = BCON_NEW("hint", INDEX_ORDER, "limit", BCON_INT64(1));
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(use->collection, filter, options, NULL);
	bson_error_t error = {0};
	const bson_t *document;
	bool found = mongoc_cursor_next(cursor, &document);
	bool failed = mongoc_cursor_error(cursor, &error);

	mongoc_cursor_destroy(cursor);
	bson_destroy(filter);
	bson_destroy(options);
	if (failed)
		return link_fail(link, PEP_UNAVAILABLE, &error, "look for old records in", err);
	*ret_needed = found;
	return PEP_OK;
}
