/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include "query.h"
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 256
#define PAGE_SIZE ((size_t)1024 * 1024) /* a page ends behind the record that reaches it */

struct scan {
	struct link *link;
	struct pep_scan_query query;
	char *serial, *after, *key; /* the query's texts */
	char *behind;               /* the listOrder of the last record read; NULL: at the start */
	int64_t left;               /* records that may still be read; -1: any number */
	bool ended;
	struct pep_identity *rows[PAGE_ROWS];
	size_t count, taken;
};

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read records: out of memory");
}

static bool copy_text(const char **text, char **ret_copy)
{
	if (!*text)
		return true;
	*text = *ret_copy = strdup(*text);
	return *text;
}

pep_status scan_open(struct link *link, const struct pep_scan_query *query, struct scan **ret_scan, struct pep_error *err)
{
	struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return no_memory(err);
	scan->link = link;
	scan->query = query_own(query);
	scan->left = scan->query.limit ? (int64_t)scan->query.limit : -1;
	if (!copy_text(&scan->query.serial, &scan->serial) || !copy_text(&scan->query.after, &scan->after) ||
	    !copy_text(&scan->query.idempotency_key, &scan->key)) {
		scan_close(scan);
		return no_memory(err);
	}
	*ret_scan = scan;
	return PEP_OK;
}

static void drop_page(struct scan *scan)
{
	for (size_t i = 0; i < scan->count; i++)
		free(scan->rows[i]);
	scan->count = scan->taken = 0;
}

void scan_close(struct scan *scan)
{
	drop_page(scan);
	free(scan->serial);
	free(scan->after);
	free(scan->key);
	free(scan->behind);
	free(scan);
}

static pep_status add_row(struct scan *scan, const bson_t *document, struct pep_error *err)
{
	struct pep_identity *id = NULL;
	char why[128];

	if (!record_read(document, &id, why))
		return pep_fail(err, PEP_INTERNAL, 0,
				"cannot read a document of " LINK_COLLECTION " in %s: %s; who has changed it?",
				scan->link->address.name, why);
	if (!id)
		return no_memory(err);
	scan->rows[scan->count++] = id;
	return PEP_OK;
}

static pep_status read_rows(struct scan *scan, mongoc_cursor_t *cursor, int64_t want, struct pep_error *err)
{
	pep_status status = PEP_OK;
	bson_error_t error = {0};
	const bson_t *document;
	size_t size = 0;

	while (status == PEP_OK && (int64_t)scan->count < want && size < PAGE_SIZE && mongoc_cursor_next(cursor, &document)) {
		status = add_row(scan, document, err);
		size += document->len;
	}
	if (status == PEP_OK && mongoc_cursor_error(cursor, &error))
		status = link_fail(scan->link, PEP_UNAVAILABLE, &error, "read", err);
	if (status != PEP_OK)
		return status;
	if (scan->left > 0)
		scan->left -= (int64_t)scan->count;
	if (scan->query.serial || scan->left == 0 || ((int64_t)scan->count < want && size < PAGE_SIZE)) {
		scan->ended = true;
		return PEP_OK;
	}
	free(scan->behind);
	scan->behind = record_order(scan->rows[scan->count - 1]);
	return scan->behind ? PEP_OK : no_memory(err);
}

static pep_status read_page(struct scan *scan, struct pep_error *err)
{
	int64_t want = scan->query.serial ? 1 : scan->left > 0 && scan->left < PAGE_ROWS ? scan->left : PAGE_ROWS;
	bool linearizable = scan->query.serial && scan->link->replicated;
	bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
	mongoc_cursor_t *cursor;
	struct link_use use = {0};
	pep_status status;

	if (!query_filter(&scan->query, scan->behind, &filter) ||
	    !query_page(&scan->query, scan->link->timeout_ms, want, linearizable, &options))
		status = no_memory(err);
	else
		status = link_take(scan->link, &use, err);
	if (status == PEP_OK) {
		cursor = mongoc_collection_find_with_opts(use.collection, &filter, &options, NULL);
		status = read_rows(scan, cursor, want, err);
		mongoc_cursor_destroy(cursor);
		link_give(scan->link, &use);
	}
	bson_destroy(&filter);
	bson_destroy(&options);
	return status;
}

pep_status scan_next(struct scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	pep_status status;

	if (scan->taken == scan->count) {
		drop_page(scan);
		status = scan->ended ? PEP_OK : read_page(scan, err);
		if (status != PEP_OK) {
			drop_page(scan); /* it is not whole: nothing of it is handed out */
			scan->ended = true;
			return status;
		}
	}
	*ret_id = scan->taken < scan->count ? scan->rows[scan->taken++] : NULL;
	return PEP_OK;
}

pep_status scan_count(struct link *link, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err)
{
	struct pep_scan_query own = query_own(query);
	bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
	bson_error_t error = {0};
	struct link_use use = {0};
	int64_t count = 0;
	pep_status status;
	bool good = query_filter(&own, NULL, &filter) && query_hint(&own, link->timeout_ms, &options) &&
		    (!own.limit || BSON_APPEND_INT64(&options, "limit", own.limit));

	status = good ? link_take(link, &use, err) : no_memory(err);
	if (status == PEP_OK) {
		count = mongoc_collection_count_documents(use.collection, &filter, &options, NULL, NULL, &error);
		if (count < 0)
			status = link_fail(link, PEP_UNAVAILABLE, &error, "count records in", err);
		link_give(link, &use);
	}
	bson_destroy(&filter);
	bson_destroy(&options);
	if (status == PEP_OK)
		*ret_count = count;
	return status;
}
