/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const leads[] = {
	[QUERY_ALL] = "",
	[QUERY_ODD] = "odd AND ",
	[QUERY_KEY] = "idempotency_key = $7 AND ",
	[QUERY_SERIAL] = "serial = $7 AND ",
};

unsigned query_walk(const struct query_shape *shape)
{
	return QUERY_WALK + (unsigned)shape->lead * 8 + (shape->descending ? 4u : 0u) + (shape->brief ? 2u : 0u) +
	       (shape->is_short ? 1u : 0u);
}

static enum query_lead lead_of(unsigned number)
{
	return (enum query_lead)((number - QUERY_WALK) / 8);
}

int query_parameter_count(unsigned number)
{
	static const int counts[] = {[QUERY_INSERT] = RECORD_COLUMN_COUNT - 1,
				     [QUERY_UPDATE] = RECORD_COLUMN_COUNT,
				     [QUERY_POINT] = 1,
				     [QUERY_NOW] = 0,
				     [QUERY_RANGE] = 2,
				     [QUERY_NOTE_READ] = 1,
				     [QUERY_NOTE_INSERT] = 2,
				     [QUERY_NOTE_UPDATE] = 3};

	if (number < QUERY_WALK)
		return counts[number];
	return lead_of(number) == QUERY_KEY || lead_of(number) == QUERY_SERIAL ? 7 : 6;
}

__attribute__((format(printf, 2, 3))) static void add(char *sql, const char *format, ...)
{
	size_t size = strlen(sql);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sql + size, QUERY_SQL_SIZE - size, format, args);
	va_end(args);
}

static void add_columns(char *sql, bool brief)
{
	for (size_t i = 0; record_column(i, brief); i++)
		add(sql, "%s%s", i ? ", " : "", record_column(i, brief));
}

/* The revision is the last column: a parameter for none but the comparison. */
static void write_sql(unsigned number, char *sql)
{
	if (number == QUERY_INSERT) {
		add(sql, "INSERT INTO identity (");
		add_columns(sql, false);
		add(sql, ") VALUES (");
		for (size_t i = 1; i < RECORD_COLUMN_COUNT; i++)
			add(sql, "$%zu, ", i);
		add(sql, "1) ON CONFLICT DO NOTHING");
		return;
	}
	add(sql, "UPDATE identity SET ");
	for (size_t i = 1; i < RECORD_COLUMN_COUNT - 1; i++)
		add(sql, "%s = $%zu, ", record_column(i, false), i + 1);
	add(sql, "revision = revision + 1 WHERE serial = $1 AND revision = $%d", RECORD_COLUMN_COUNT);
}

/* A bare deployed_ms or min(walk) would tempt the planner to other indexes, which a range does not narrow. */
static void walk_sql(unsigned number, char *sql)
{
	unsigned bits = number - QUERY_WALK;

	add(sql, "SELECT ");
	add_columns(sql, bits & 2);
	add(sql,
	    ", walk FROM identity WHERE %swalk >= $1 AND walk < $2 AND ($3::bigint = 0 OR state = $3) AND "
	    "($4::bigint = 0 OR (lease_until_ms > 0 AND lease_until_ms < $4)) AND deployed_ms + 0 BETWEEN $5 AND $6 "
	    "ORDER BY walk%s LIMIT %d",
	    leads[lead_of(number)], (bits & 4) ? " DESC" : "", (bits & 1) ? QUERY_SHORT_PAGE_ROWS : QUERY_PAGE_ROWS);
}

static const char *const note_sql[] = {
	[QUERY_NOTE_READ] = "SELECT revision, text FROM pep_note WHERE name = $1",
	[QUERY_NOTE_INSERT] = "INSERT INTO pep_note (name, text, revision) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING",
	[QUERY_NOTE_UPDATE] = "UPDATE pep_note SET text = $2, revision = revision + 1 WHERE name = $1 AND revision = $3",
};

void query_sql(unsigned number, char ret_sql[QUERY_SQL_SIZE])
{
	ret_sql[0] = '\0';
	if (number >= QUERY_WALK) {
		walk_sql(number, ret_sql);
	} else if (number == QUERY_POINT) {
		add(ret_sql, "SELECT ");
		add_columns(ret_sql, false);
		add(ret_sql, " FROM identity WHERE serial = $1");
	} else if (number == QUERY_NOW) {
		add(ret_sql, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, "
			     "(current_setting('transaction_read_only') = 'on')::int::bigint");
	} else if (number == QUERY_RANGE) {
		add(ret_sql, "SELECT min(walk || ''), max(walk || '') FROM identity "
			     "WHERE deployed_ms <> 0 AND deployed_ms BETWEEN $1 AND $2");
	} else if (number >= QUERY_NOTE_READ) {
		add(ret_sql, "%s", note_sql[number]);
	} else {
		write_sql(number, ret_sql);
	}
}
