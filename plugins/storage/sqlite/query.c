/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include "record.h"

#include <stdio.h>

unsigned query_walk(const struct query_shape *shape)
{
	return QUERY_WALK + (unsigned)shape->index * 32 + (unsigned)shape->part * 16 + (shape->descending ? 8u : 0u) +
	       (shape->ranged ? 4u : 0u) + (shape->counting ? 2u : 0u) + (shape->brief ? 1u : 0u);
}

#define STATE "state = ?1 AND "
#define LEASE "lease_until_ms > 0 AND lease_until_ms < ?2 AND (?1 = 0 OR state = ?1) AND "
#define KEY "idempotency_key = ?8 AND (?1 = 0 OR state = ?1) AND (?2 = 0 OR (lease_until_ms > 0 AND lease_until_ms < ?2)) AND "

/* By enum query_part. What has no dispatch_id is little, the unfinished gateways, so one index of it serves every filter. Of what has
 * one, nearly all is deployed and holds no lease. A filter repeats the condition of its partial index, so that SQLite may use that. */
static const struct lead {
	const char *indexes[2], *filters[2];
} leads[] = {
	[QUERY_ALL] = {{"identity_dispatch", "identity_undispatched"}, {"", ""}},
	[QUERY_DEPLOYED] = {{"identity_dispatch", "identity_undispatched"}, {STATE, STATE}},
	[QUERY_STATE] = {{"identity_other", "identity_undispatched"}, {STATE "dispatch_id IS NOT NULL AND state <> 4 AND ", STATE}},
	[QUERY_LEASE] = {{"identity_leased", "identity_undispatched"}, {LEASE "dispatch_id IS NOT NULL AND ", LEASE}},
	[QUERY_KEY] = {{"identity_key", "identity_key"}, {KEY, KEY}},
};

static void walk_sql(unsigned number, char *ret_sql, size_t size)
{
	const struct lead *lead = &leads[number / 32];
	enum query_part part = (number & 16) ? QUERY_UNDISPATCHED : QUERY_DISPATCHED;
	const char *key = part == QUERY_DISPATCHED ? "dispatch_id" : "serial";
	const char *index = lead->indexes[part];
	bool ranged = number & 4, counting = number & 2;
	const char *columns = (number & 1) ? "SELECT " RECORD_BRIEF_COLUMNS : "SELECT " RECORD_COLUMNS;
	char order[40] = "";

	/* The order does not matter for a count, so the range may lead. */
	if (!counting)
		(void)snprintf(order, sizeof(order), " ORDER BY %s %s", key, (number & 8) ? "DESC" : "ASC");
	else if (ranged && lead == &leads[QUERY_ALL] && part == QUERY_DISPATCHED)
		index = "identity_deployed";
	(void)snprintf(ret_sql, size, "%s FROM identity INDEXED BY %s WHERE %s%s%s >= ?3 AND %s < ?4%s%s LIMIT ?7%s",
		       counting ? "SELECT count(*) FROM (SELECT 1" : columns, index, lead->filters[part],
		       part == QUERY_UNDISPATCHED ? "dispatch_id IS NULL AND " : "", key, key,
		       ranged ? " AND deployed_ms BETWEEN ?5 AND ?6" : "", order, counting ? ")" : "");
}

void query_sql(unsigned number, char *ret_sql, size_t size)
{
	static const char *const texts[] = {
		[QUERY_POINT] = "SELECT " RECORD_COLUMNS " FROM identity INDEXED BY identity_serial WHERE serial = ?1",
		[QUERY_DISPATCH_MIN_MAX] = ("SELECT min(dispatch_id), max(dispatch_id) FROM identity INDEXED BY identity_deployed "
					    "WHERE dispatch_id IS NOT NULL AND deployed_ms BETWEEN ?5 AND ?6"),
		[QUERY_NOTE] = "SELECT revision, text FROM note WHERE name = ?1",
		[QUERY_BEGIN] = "BEGIN",
		[QUERY_END] = "COMMIT",
	};

	if (number < QUERY_WALK)
		(void)snprintf(ret_sql, size, "%s", texts[number]);
	else
		walk_sql(number - QUERY_WALK, ret_sql, size);
}
