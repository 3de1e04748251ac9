/* SPDX-License-Identifier: Apache-2.0
 *
 * bare.c - the yardsticks: SQLite or GnuTLS alone, doing what the server's work comes down to.
 *
 *     pep-bench-bare commits FILE COUNT    COUNT commits one after the other, as durable as the server's; prints how many a second
 *     pep-bench-bare pages FILE COUNT      COUNT times the query behind a list page of 1,000; prints CPU microseconds per page
 *     pep-bench-bare keys SECONDS THREADS  GnuTLS alone: key pairs and signatures; prints how many of both together a second
 */
#include "keys.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static void check(sqlite3 *db, int code, const char *what)
{
	if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
		return;
	(void)fprintf(stderr, "bare: %s: %s\n", what, sqlite3_errmsg(db));
	exit(1);
}

static double seconds(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* One identity is an insert and three updates, each durable before the next: so are these. */
static void commits(sqlite3 *db, int64_t count)
{
	static const char insert[] = "INSERT INTO bare (serial, state, data) VALUES (?1, 1, ?2)";
	static const char update[] = "UPDATE bare SET state = state + 1, data = ?2 WHERE serial = ?1";
	char data[600];
	char serial[32];
	sqlite3_stmt *statements[2];
	double start;

	memset(data, 'x', sizeof(data));
	check(db,
	      sqlite3_exec(db,
			   "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE bare (serial TEXT PRIMARY KEY, state "
			   "INT, data TEXT)",
			   NULL, NULL, NULL),
	      "create");
	check(db, sqlite3_prepare_v2(db, insert, -1, &statements[0], NULL), "prepare");
	check(db, sqlite3_prepare_v2(db, update, -1, &statements[1], NULL), "prepare");
	start = seconds();
	for (int64_t i = 0; i < count; i++) {
		sqlite3_stmt *statement = statements[i % 4 != 0];

		(void)snprintf(serial, sizeof(serial), "GW-%08" PRId64, i / 4);
		check(db, sqlite3_bind_text(statement, 1, serial, -1, SQLITE_STATIC), "bind");
		check(db, sqlite3_bind_text(statement, 2, data, sizeof(data), SQLITE_STATIC), "bind");
		check(db, sqlite3_step(statement), "step");
		check(db, sqlite3_reset(statement), "reset");
	}
	printf("%.1f\n", (double)count / (seconds() - start));
	check(db, sqlite3_finalize(statements[0]), "finalize");
	check(db, sqlite3_finalize(statements[1]), "finalize");
}

static void pages(sqlite3 *db, int64_t count)
{
	static const char query[] =
		"SELECT * FROM identity WHERE state = 4 AND dispatch_id IS NOT NULL ORDER BY dispatch_id DESC LIMIT 1001";
	sqlite3_stmt *statement;
	size_t bytes = 0;
	double start;

	check(db, sqlite3_prepare_v2(db, query, -1, &statement, NULL), "prepare");
	start = cpu_seconds();
	for (int64_t i = 0; i < count; i++) {
		while (sqlite3_step(statement) == SQLITE_ROW)
			for (int column = 0; column < sqlite3_column_count(statement); column++)
				if (sqlite3_column_text(statement, column))
					bytes += (size_t)sqlite3_column_bytes(statement, column);
		check(db, sqlite3_reset(statement), "reset");
	}
	printf("%.1f %zu\n", (cpu_seconds() - start) * 1e6 / (double)count, bytes / (size_t)count);
	check(db, sqlite3_finalize(statement), "finalize");
}

int main(int argc, char **argv)
{
	sqlite3 *db = NULL;
	int64_t count = argc == 4 ? strtoll(argv[3], NULL, 10) : 0;
	int64_t key_seconds = argc == 4 && strcmp(argv[1], "keys") == 0 ? strtoll(argv[2], NULL, 10) : 0;

	if (key_seconds > 0 && key_seconds <= 3600 && count > 0 && count <= 1024) {
		printf("%.1f\n", keys_per_second((unsigned)count, (unsigned)key_seconds));
		return 0;
	}
	if (count < 1 || (strcmp(argv[1], "commits") != 0 && strcmp(argv[1], "pages") != 0)) {
		(void)fprintf(stderr, "usage: pep-bench-bare commits|pages FILE COUNT | keys SECONDS THREADS\n");
		return 2;
	}
	check(db, sqlite3_open(argv[2], &db), "open");
	if (strcmp(argv[1], "commits") == 0)
		commits(db, count);
	else
		pages(db, count);
	check(db, sqlite3_close(db), "close");
	return 0;
}
