/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include "plan.h"
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 256
#define PAGE_SIZE ((size_t)124 * 1024)
#define POINT_SIZE ((size_t)2 * 1024)

/* In a page: one behind the other. */
struct row {
	size_t size; /* of all, from here to the next row */
	struct pep_identity id;
};

struct scan {
	struct reader_pool *pool;
	struct plan plan;
	char *bound_texts; /* what the plan's bounds point to, if they were looked up */
	int64_t left;      /* records that may still be read; -1: any number */
	unsigned part;     /* of the plan; part_count: everything was read */
	bool begun;

	char *block; /* the page */
	size_t room, used, taken;
	struct row *last; /* in the page: where this part of the walk goes on; NULL: at its start */
	bool own_block;   /* else it is behind the struct */
};

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read records: out of memory");
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* One piece of memory: the struct, room for a record if one is asked for, the query's texts. */
pep_status scan_open(struct reader_pool *pool, const struct pep_scan_query *query, struct scan **ret_scan, struct pep_error *err)
{
	struct pep_scan_query own = plan_query(query);
	size_t serial_size = text_size(own.serial), after_size = text_size(own.after), key_size = text_size(own.idempotency_key);
	size_t room = own.serial ? POINT_SIZE : 0;
	struct scan *scan = malloc(sizeof(*scan) + room + serial_size + after_size + key_size);
	char *texts;

	if (!scan)
		return no_memory(err);
	*scan = (struct scan){.pool = pool, .block = (char *)(scan + 1), .room = room, .left = own.limit ? (int64_t)own.limit : -1};
	texts = scan->block + room;
	if (own.serial)
		own.serial = memcpy(texts, own.serial, serial_size);
	if (own.after)
		own.after = memcpy(texts + serial_size, own.after, after_size);
	if (own.idempotency_key)
		own.idempotency_key = memcpy(texts + serial_size + after_size, own.idempotency_key, key_size);
	plan_init(&scan->plan, &own);
	if (scan->plan.impossible)
		scan->part = scan->plan.part_count;
	*ret_scan = scan;
	return PEP_OK;
}

void scan_close(struct scan *scan)
{
	if (scan->own_block)
		free(scan->block);
	free(scan->bound_texts);
	free(scan);
}

/* The page is empty, so nothing is kept. */
static bool grow(struct scan *scan, size_t room)
{
	char *block = malloc(room);

	if (!block)
		return false;
	if (scan->own_block)
		free(scan->block);
	scan->block = block;
	scan->room = room;
	scan->own_block = true;
	return true;
}

/* Appends the row on which the statement stands. *ret_full: there is no room for it behind those that are there. */
static pep_status add_row(struct scan *scan, sqlite3_stmt *statement, bool *ret_full, struct pep_error *err)
{
	const size_t head = offsetof(struct row, id);
	bool brief = scan->plan.query.brief && !scan->plan.query.serial; /* a point is read whole */
	struct row *row = (struct row *)(void *)(scan->block + scan->used);
	size_t room = scan->room - scan->used;
	size_t size = head + record_read(statement, brief, &row->id, room > head ? room - head : 0);

	*ret_full = false;
	if (size > room && scan->used > 0) {
		*ret_full = true;
		return PEP_OK;
	}
	if (size > room) {
		if (!grow(scan, size))
			return no_memory(err);
		row = (struct row *)(void *)scan->block;
		(void)record_read(statement, brief, &row->id, size - head);
	}
	row->size = size;
	scan->used += size;
	scan->last = row;
	return PEP_OK;
}

static pep_status read_point(struct scan *scan, struct reader *reader, struct pep_error *err)
{
	sqlite3_stmt *statement;
	pep_status status = reader_statement(reader, QUERY_POINT, &statement, err);
	bool full;
	int code;

	if (status != PEP_OK)
		return status;
	code = sqlite3_bind_text(statement, 1, scan->plan.query.serial, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		status = add_row(scan, statement, &full, err);
	else if (code != SQLITE_DONE)
		status = reader_fail(reader, code, err);
	(void)sqlite3_reset(statement);
	if (status == PEP_OK && scan->used > 0 && !plan_matches(&scan->plan, &scan->last->id))
		scan->used = 0;
	scan->part = scan->plan.part_count;
	return status;
}

static const char *key_behind(const struct scan *scan)
{
	if (!scan->last)
		return NULL;
	return scan->plan.parts[scan->part] == QUERY_DISPATCHED ? scan->last->id.dispatch_id : scan->last->id.serial;
}

/* Reads on in the present part, and goes to the next where it ends. Adds to *count. */
static pep_status read_part(struct scan *scan, struct reader *reader, int64_t *count, bool *ret_full, struct pep_error *err)
{
	int64_t want = PAGE_ROWS - *count, got = 0;
	sqlite3_stmt *statement;
	pep_status status;
	bool full = false;
	int code;

	if (scan->left >= 0 && scan->left < want)
		want = scan->left;
	status = plan_statement(&scan->plan, reader, scan->part, key_behind(scan), false, want, &statement, err);
	if (status != PEP_OK)
		return status;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		status = add_row(scan, statement, &full, err);
		if (status != PEP_OK || full)
			break;
		got++;
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		status = reader_fail(reader, code, err);
	(void)sqlite3_reset(statement);
	if (status != PEP_OK)
		return status;
	*count += got;
	if (scan->left >= 0)
		scan->left -= got;
	if (!full && got < want) {
		scan->part++;
		scan->last = NULL;
	}
	*ret_full = full || *count == PAGE_ROWS || scan->left == 0;
	return PEP_OK;
}

static pep_status read_page(struct scan *scan, struct reader *reader, struct pep_error *err)
{
	pep_status status = PEP_OK;
	int64_t count = 0;
	bool full = false;

	if (!scan->own_block && !grow(scan, PAGE_SIZE))
		return no_memory(err);
	if (!scan->begun && scan->plan.bounds_from_range)
		status = plan_find_bounds(&scan->plan, reader, &scan->bound_texts, err);
	scan->begun = true;
	while (status == PEP_OK && !full && scan->part < scan->plan.part_count)
		status = read_part(scan, reader, &count, &full, err);
	return status;
}

pep_status scan_next(struct scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	struct reader *reader;
	pep_status status;

	if (scan->taken == scan->used && scan->part < scan->plan.part_count && scan->left != 0) {
		status = reader_take(scan->pool, !scan->plan.query.serial, &reader, err);
		if (status != PEP_OK)
			return status;
		scan->used = scan->taken = 0; /* what `last` points to stays until the first row is written over it */
		status = scan->plan.query.serial ? read_point(scan, reader, err) : read_page(scan, reader, err);
		reader_give(scan->pool, reader, status != PEP_OK);
		if (status != PEP_OK) {
			scan->part = scan->plan.part_count; /* the page is not whole: nothing of it is handed out */
			scan->used = 0;
			return status;
		}
	}
	if (scan->taken == scan->used) {
		*ret_id = NULL;
	} else {
		struct row *row = (struct row *)(void *)(scan->block + scan->taken);

		scan->taken += row->size;
		*ret_id = &row->id;
	}
	return PEP_OK;
}

/* Counting needs no page: each part is one statement. */
static pep_status count_parts(const struct plan *plan, struct reader *reader, int64_t *ret_count, struct pep_error *err)
{
	int64_t left = plan->query.limit ? (int64_t)plan->query.limit : -1, count = 0;
	sqlite3_stmt *statement;
	pep_status status;

	for (unsigned part = 0; part < plan->part_count && left != 0; part++) {
		int64_t found;
		int code;

		status = plan_statement(plan, reader, part, NULL, true, left, &statement, err);
		if (status != PEP_OK)
			return status;
		code = sqlite3_step(statement);
		found = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
		if (code != SQLITE_ROW)
			status = reader_fail(reader, code, err);
		(void)sqlite3_reset(statement);
		if (status != PEP_OK)
			return status;
		count += found;
		if (left > 0)
			left -= found;
	}
	*ret_count = count;
	return PEP_OK;
}

static pep_status count_walk(struct reader_pool *pool, struct plan *plan, int64_t *ret_count, struct pep_error *err)
{
	struct reader *reader;
	char *bound_texts = NULL;
	pep_status status = reader_take(pool, true, &reader, err);

	if (status != PEP_OK)
		return status;
	if (plan->bounds_from_range)
		status = plan_find_bounds(plan, reader, &bound_texts, err);
	if (status == PEP_OK)
		status = count_parts(plan, reader, ret_count, err);
	reader_give(pool, reader, status != PEP_OK);
	free(bound_texts);
	return status;
}

pep_status scan_count(struct reader_pool *pool, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err)
{
	struct pep_scan_query own = plan_query(query);
	const struct pep_identity *id = NULL;
	struct scan *scan = NULL;
	struct plan plan;
	pep_status status;

	plan_init(&plan, &own);
	if (plan.impossible) {
		*ret_count = 0;
		return PEP_OK;
	}
	if (!own.serial)
		return count_walk(pool, &plan, ret_count, err);
	status = scan_open(pool, query, &scan, err);
	if (!scan)
		return status;
	status = scan_next(scan, &id, err);
	if (status == PEP_OK)
		*ret_count = id ? 1 : 0;
	scan_close(scan);
	return status;
}
