/* SPDX-License-Identifier: Apache-2.0
 *
 * postgres_world.h - what the tests of the postgres plugin alone share: a server, a store in it, and an administrator beside it.
 */
#ifndef CONFORMANCE_POSTGRES_WORLD_H
#define CONFORMANCE_POSTGRES_WORLD_H

#include "postgres_place.h"

#include <libpq-fe.h>
#include <pep/storage.h>

struct postgres_world {
	struct postgres_place place;
	const struct pep_storage_ops *ops;
	struct pep_host host;
	union pep_value values[POSTGRES_OPTION_COUNT]; /* of the present test: schema "t0", "t1" and so on */
	char schema[16];
	unsigned number; /* of the present test */
	PGconn *admin;   /* with search_path at the schema; NULL while no test has asked for it */
};

/* Starts the server. */
void postgres_world_init(struct postgres_world *world, bool tls);
void postgres_world_fini(struct postgres_world *world);
/* cmocka's setup and teardown of a test; *state is the world. */
int postgres_world_set_up(void **state);
int postgres_world_tear_down(void **state);

/* Opens the store; fails the test if that does not work. */
void *postgres_world_open(struct postgres_world *world);
/* Runs SQL as the administrator. Returns the first field of each row, a line each, until the next call. Fails the test on an error. */
const char *postgres_world_sql(struct postgres_world *world, const char *sql);

pep_status postgres_world_insert(struct postgres_world *world, void *store, const char *serial, struct pep_error *err);
/* The revision of a serial, 0 if there is none; *ret_status is what the read returned. */
int64_t postgres_world_read(struct postgres_world *world, void *store, const char *serial, pep_status *ret_status);

#endif
