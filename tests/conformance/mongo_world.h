/* SPDX-License-Identifier: Apache-2.0
 *
 * mongo_world.h - the plugin, a server for it, and a client of the test's own, to see and to change what is in the database.
 */
#ifndef CONFORMANCE_MONGO_WORLD_H
#define CONFORMANCE_MONGO_WORLD_H

#include "mongo_place.h"

#include <mongoc/mongoc.h>
#include <pep/storage.h>

struct mongo_world {
	struct mongo_place place;
	const struct pep_storage_ops *ops;
	struct pep_host host;
	mongoc_client_t *client; /* made when it is first used */
	unsigned number;         /* of the database in use */
	char uri[MONGO_PLACE_SIZE];
};

/* `options` as for mongo_place_init(). Fail the test on an error, as everything here. */
void mongo_world_init(struct mongo_world *world, const char *const *options);
void mongo_world_fini(struct mongo_world *world);
/* An empty database from here on. */
void mongo_world_next(struct mongo_world *world);

/* open() of the plugin on the database in use; mongo_world_open() wants it to work. */
pep_status mongo_world_try(struct mongo_world *world, const char *uri, const char *password, void **ret_store,
			   struct pep_error *err);
void *mongo_world_open(struct mongo_world *world);
/* It has to fail so, with a message that has `part` in it and not `secret` (NULL: none). */
void mongo_world_refuse(struct mongo_world *world, const char *uri, const char *password, pep_status status, const char *part,
			const char *secret);

/* Runs a command, written as JSON, in the database in use or in "admin"; the reply is the caller's. */
bson_t *mongo_world_run(struct mongo_world *world, bool admin, const char *json);
void mongo_world_do(struct mongo_world *world, bool admin, const char *json);
/* The document of a serial, as relaxed JSON; the caller's, for bson_free(). */
char *mongo_world_document(struct mongo_world *world, const char *serial);

/* The record of a serial, for free() with its texts; NULL: there is none. */
struct pep_identity *mongo_world_get(struct mongo_world *world, void *store, const char *serial);
#define MONGO_RECORD(serial_, ...) \
	(&(struct pep_identity){.struct_size = sizeof(struct pep_identity), .state = PEP_CLAIMED, .serial = (serial_), __VA_ARGS__})

#endif
