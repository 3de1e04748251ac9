/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct plan_bound at(const char *text)
{
	return (struct plan_bound){text, text ? strlen(text) : 0};
}

static struct plan_bound behind(const char *text)
{
	return (struct plan_bound){text, strlen(text) + 1};
}

struct pep_scan_query plan_query(const struct pep_scan_query *query)
{
	struct pep_scan_query own = {0};

	memcpy(&own, query, query->struct_size < sizeof(own) ? query->struct_size : sizeof(own));
	own.struct_size = sizeof(own);
	return own;
}

void plan_init(struct plan *plan, const struct pep_scan_query *query)
{
	const struct pep_scan_query *own = &plan->query;

	*plan = (struct plan){.query = *query, .part_count = 2};
	plan->index = own->idempotency_key         ? QUERY_KEY
		      : own->lease_before_ms       ? QUERY_LEASE
		      : own->state == PEP_DEPLOYED ? QUERY_DEPLOYED
		      : own->state                 ? QUERY_STATE
						   : QUERY_ALL;
	plan->parts[0] = own->descending ? QUERY_UNDISPATCHED : QUERY_DISPATCHED;
	plan->parts[1] = own->descending ? QUERY_DISPATCHED : QUERY_UNDISPATCHED;
	plan->deployed_first = own->deployed_from_ms ? own->deployed_from_ms : INT64_MIN;
	plan->deployed_last = INT64_MAX;
	plan->ranged = own->deployed_from_ms || own->deployed_to_ms;
	if (own->deployed_to_ms == INT64_MIN)
		plan->impossible = true;
	else if (own->deployed_to_ms)
		plan->deployed_last = own->deployed_to_ms - 1;
	if (own->after && own->descending) {
		/* What has no dispatch_id came before it. */
		plan->parts[0] = QUERY_DISPATCHED;
		plan->part_count = 1;
		plan->upper = at(own->after);
	} else if (own->after) {
		plan->lower = behind(own->after);
	}
	plan->bounds_from_range =
		plan->ranged && !own->after && !own->lease_before_ms && !own->idempotency_key && !plan->impossible;
}

pep_status plan_find_bounds(struct plan *plan, struct reader *reader, char **ret_texts, struct pep_error *err)
{
	sqlite3_stmt *statement;
	pep_status status = reader_statement(reader, QUERY_DISPATCH_MIN_MAX, &statement, err);
	size_t least_size, greatest_size;
	char *texts = NULL;
	int code;

	if (status != PEP_OK)
		return status;
	(void)sqlite3_bind_int64(statement, 5, plan->deployed_first);
	(void)sqlite3_bind_int64(statement, 6, plan->deployed_last);
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW) {
		status = reader_fail(reader, code, err);
	} else if (sqlite3_column_type(statement, 0) != SQLITE_NULL) {
		least_size = (size_t)sqlite3_column_bytes(statement, 0) + 1;
		greatest_size = (size_t)sqlite3_column_bytes(statement, 1) + 1;
		texts = malloc(least_size + greatest_size);
		if (!texts) {
			status = pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read records: out of memory");
		} else {
			memcpy(texts, sqlite3_column_text(statement, 0), least_size);
			memcpy(texts + least_size, sqlite3_column_text(statement, 1), greatest_size);
			plan->lower = at(texts);
			plan->upper = behind(texts + least_size);
		}
	}
	(void)sqlite3_reset(statement);
	*ret_texts = texts;
	return status;
}

/* A blob without bytes is greater than any text. */
static int bind_bound(sqlite3_stmt *statement, int parameter, struct plan_bound bound, bool is_upper)
{
	if (bound.text)
		return sqlite3_bind_text(statement, parameter, bound.text, (int)bound.size, SQLITE_TRANSIENT);
	return is_upper ? sqlite3_bind_zeroblob(statement, parameter, 0)
			: sqlite3_bind_text(statement, parameter, "", 0, SQLITE_STATIC);
}

pep_status plan_statement(const struct plan *plan, struct reader *reader, unsigned part, const char *behind_key, bool counting,
			  int64_t limit, sqlite3_stmt **ret_statement, struct pep_error *err)
{
	const struct query_shape shape = {plan->index,  plan->parts[part], plan->query.descending != 0,
					  plan->ranged, counting,          plan->query.brief != 0};
	struct plan_bound lower = {0}, upper = {0};
	sqlite3_stmt *statement;
	pep_status status = reader_statement(reader, query_walk(&shape), &statement, err);
	int code;

	if (status != PEP_OK)
		return status;
	if (plan->parts[part] == QUERY_DISPATCHED) {
		lower = plan->lower;
		upper = plan->upper;
	}
	if (behind_key && shape.descending)
		upper = at(behind_key);
	else if (behind_key)
		lower = behind(behind_key);
	if (plan->index != QUERY_ALL)
		(void)sqlite3_bind_int64(statement, 1, plan->query.state);
	if (plan->index == QUERY_LEASE || plan->index == QUERY_KEY)
		(void)sqlite3_bind_int64(statement, 2, plan->query.lease_before_ms);
	(void)sqlite3_bind_int64(statement, 5, plan->deployed_first);
	(void)sqlite3_bind_int64(statement, 6, plan->deployed_last);
	(void)sqlite3_bind_int64(statement, 7, limit);
	code = plan->index == QUERY_KEY ? sqlite3_bind_text(statement, 8, plan->query.idempotency_key, -1, SQLITE_STATIC)
					: SQLITE_OK;
	if (code == SQLITE_OK)
		code = bind_bound(statement, 3, lower, false);
	if (code == SQLITE_OK)
		code = bind_bound(statement, 4, upper, true);
	if (code != SQLITE_OK)
		return reader_fail(reader, code, err);
	*ret_statement = statement;
	return PEP_OK;
}

static bool is_behind(const struct pep_scan_query *query, const char *dispatch_id)
{
	int order = dispatch_id ? strcmp(dispatch_id, query->after) : 1;

	return query->descending ? order < 0 : order > 0;
}

bool plan_matches(const struct plan *plan, const struct pep_identity *id)
{
	const struct pep_scan_query *query = &plan->query;

	return !plan->impossible && (!query->state || id->state == query->state) && id->deployed_ms >= plan->deployed_first &&
	       id->deployed_ms <= plan->deployed_last && (!query->after || is_behind(query, id->dispatch_id)) &&
	       (!query->idempotency_key || (id->idempotency_key && strcmp(id->idempotency_key, query->idempotency_key) == 0)) &&
	       (!query->lease_before_ms || (id->lease_until_ms > 0 && id->lease_until_ms < query->lease_before_ms));
}
