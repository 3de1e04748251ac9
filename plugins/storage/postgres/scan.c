/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAST ""
#define GREATEST "2" /* behind every `walk` */
#define PARAMETER_COUNT 7

struct scan {
	struct pool *pool;
	enum query_lead lead;
	bool is_point, is_brief, is_descending;
	int64_t left; /* records that may still be returned; -1: any number */
	int64_t state, lease_before_ms, deployed_first_ms, deployed_last_ms;
	char *text;          /* idempotency key or serial */
	char *lower, *upper; /* of `walk`: lower included, upper not; NULL: LEAST and GREATEST */
	bool has_to_look;    /* the range of deployed_ms is worth looking for its ends */
	bool is_done;        /* no page follows */
	PGresult *page;      /* what the record that was handed out points to */
	int row, row_count;
	struct pep_identity id;
};

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read records: out of memory");
}

/* A key of `walk`, or with `behind` what comes right behind it: no text holds a control character, so nothing lies between.
 * NULL: out of memory. */
static char *key(const char *part, const char *text, bool behind)
{
	size_t part_size = strlen(part), text_size = strlen(text);
	char *key = malloc(part_size + text_size + 2);

	if (!key)
		return NULL;
	memcpy(key, part, part_size);
	memcpy(key + part_size, text, text_size);
	key[part_size + text_size] = behind ? '\1' : '\0';
	key[part_size + text_size + 1] = '\0';
	return key;
}

/* Continue behind a key, in the direction of the walk. */
static bool move_behind(struct scan *scan, const char *part, const char *text)
{
	char **bound = scan->is_descending ? &scan->upper : &scan->lower;

	free(*bound);
	*bound = key(part, text, !scan->is_descending);
	return *bound;
}

static void set_range(struct scan *scan, const struct pep_scan_query *query)
{
	scan->deployed_first_ms = query->deployed_from_ms ? query->deployed_from_ms : INT64_MIN;
	scan->deployed_last_ms = query->deployed_to_ms ? query->deployed_to_ms - 1 : INT64_MAX;
	scan->has_to_look = query->deployed_from_ms > 0 && !query->serial && !query->after && scan->lead == QUERY_ALL;
}

pep_status scan_open(struct pool *pool, const struct pep_scan_query *query, struct scan **ret_scan, struct pep_error *err)
{
	struct pep_scan_query own = {0};
	struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return no_memory(err);
	memcpy(&own, query, query->struct_size < sizeof(own) ? query->struct_size : sizeof(own));
	*scan = (struct scan){.pool = pool,
			      .is_brief = own.brief,
			      .is_descending = own.descending,
			      .left = own.limit ? (int64_t)own.limit : -1,
			      .state = own.state,
			      .lease_before_ms = own.lease_before_ms};
	scan->lead = own.serial                                                        ? QUERY_SERIAL
		     : own.idempotency_key                                             ? QUERY_KEY
		     : own.lease_before_ms || (own.state && own.state != PEP_DEPLOYED) ? QUERY_ODD
										       : QUERY_ALL;
	scan->is_point = own.serial && !own.state && !own.after && !own.deployed_from_ms && !own.deployed_to_ms &&
			 !own.lease_before_ms && !own.idempotency_key;
	/* deployed_ms < INT64_MIN: none. */
	if (own.deployed_to_ms == INT64_MIN)
		scan->is_done = true;
	else
		set_range(scan, &own);
	if (own.serial || own.idempotency_key)
		scan->text = strdup(own.serial ? own.serial : own.idempotency_key);
	if (((own.serial || own.idempotency_key) && !scan->text) || (own.after && !move_behind(scan, "0", own.after))) {
		scan_close(scan);
		return no_memory(err);
	}
	*ret_scan = scan;
	return PEP_OK;
}

void scan_close(struct scan *scan)
{
	PQclear(scan->page);
	free(scan->text);
	free(scan->lower);
	free(scan->upper);
	free(scan);
}

/* Dispatch ids are made in the order of deployment, so a range of deployed_ms is a range of them, or nearly so: find its ends, in order
 * not to walk over the rest. */
static pep_status look_for_range(struct scan *scan, struct pep_error *err)
{
	const uint64_t numbers[] = {record_wire(scan->deployed_first_ms), record_wire(scan->deployed_last_ms)};
	const char *const values[] = {(const char *)&numbers[0], (const char *)&numbers[1]};
	static const int sizes[] = {sizeof(numbers[0]), sizeof(numbers[0])}, formats[] = {1, 1};
	const struct session_call call = {QUERY_RANGE, values, sizes, formats};
	PGresult *result;
	pep_status status = pool_run(scan->pool, POOL_READ, &call, &result, err);

	if (status != PEP_OK)
		return status;
	if (PQgetisnull(result, 0, 0)) {
		scan->is_done = true;
	} else {
		scan->lower = key("", PQgetvalue(result, 0, 0), false);
		scan->upper = key("", PQgetvalue(result, 0, 1), true);
		if (!scan->lower || !scan->upper)
			status = no_memory(err);
	}
	PQclear(result);
	return status;
}

static pep_status fetch_point(struct scan *scan, PGresult **ret_page, struct pep_error *err)
{
	const char *const values[] = {scan->text};
	const struct session_call call = {.number = QUERY_POINT, .values = values};

	scan->is_done = true;
	return pool_run(scan->pool, POOL_READ, &call, ret_page, err);
}

/* A page, and where the next one begins. */
static pep_status fetch_page(struct scan *scan, PGresult **ret_page, struct pep_error *err)
{
	bool is_short = scan->left >= 0 && scan->left <= QUERY_SHORT_PAGE_ROWS;
	const struct query_shape shape = {scan->lead, scan->is_descending, scan->is_brief, is_short};
	const uint64_t numbers[] = {record_wire(scan->state), record_wire(scan->lease_before_ms),
				    record_wire(scan->deployed_first_ms), record_wire(scan->deployed_last_ms)};
	const char *const values[PARAMETER_COUNT] = {scan->lower ? scan->lower : LEAST,
						     scan->upper ? scan->upper : GREATEST,
						     (const char *)&numbers[0],
						     (const char *)&numbers[1],
						     (const char *)&numbers[2],
						     (const char *)&numbers[3],
						     scan->text};
	static const int sizes[PARAMETER_COUNT] = {0, 0, 8, 8, 8, 8, 0}, formats[PARAMETER_COUNT] = {0, 0, 1, 1, 1, 1, 0};
	const struct session_call call = {query_walk(&shape), values, sizes, formats};
	PGresult *page;
	pep_status status = pool_run(scan->pool, POOL_READ, &call, &page, err);
	int count;

	if (status != PEP_OK)
		return status;
	count = PQntuples(page);
	scan->is_done = count < (is_short ? QUERY_SHORT_PAGE_ROWS : QUERY_PAGE_ROWS);
	if (!scan->is_done && !move_behind(scan, "", PQgetvalue(page, count - 1, PQnfields(page) - 1))) {
		PQclear(page);
		return no_memory(err);
	}
	*ret_page = page;
	return PEP_OK;
}

static pep_status turn_page(struct scan *scan, struct pep_error *err)
{
	PGresult *page = NULL;
	pep_status status = PEP_OK;

	if (scan->has_to_look)
		status = look_for_range(scan, err);
	scan->has_to_look = false;
	if (status == PEP_OK && !scan->is_done)
		status = scan->is_point ? fetch_point(scan, &page, err) : fetch_page(scan, &page, err);
	PQclear(scan->page);
	scan->page = page;
	scan->row = 0;
	scan->row_count = page ? PQntuples(page) : 0;
	if (status != PEP_OK)
		scan->is_done = true;
	return status;
}

pep_status scan_next(struct scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	if (scan->row == scan->row_count && !scan->is_done && scan->left != 0) {
		pep_status status = turn_page(scan, err);

		if (status != PEP_OK)
			return status;
	}
	if (scan->row == scan->row_count || scan->left == 0) {
		*ret_id = NULL;
		return PEP_OK;
	}
	record_read(scan->page, scan->row, scan->is_brief && !scan->is_point, &scan->id);
	scan->row++;
	if (scan->left > 0)
		scan->left--;
	*ret_id = &scan->id;
	return PEP_OK;
}
