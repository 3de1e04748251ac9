/* SPDX-License-Identifier: Apache-2.0
 *
 * mongo_place.h - the server under test, as tests/e2e/mongo_server.py finds or starts it, and the plugin's options for it.
 */
#ifndef CONFORMANCE_MONGO_PLACE_H
#define CONFORMANCE_MONGO_PLACE_H

#include <pep/plugin.h>
#include <sys/types.h>

#define MONGO_PLACE_SIZE 512
#define MONGO_OPTION_COUNT 4

struct mongo_place {
	pid_t process; /* of mongo_server.py */
	int to, from;  /* its standard input, which keeps it alive, and output */
	char kind[32]; /* "double", "mongod", ... */
	char uri[MONGO_PLACE_SIZE];
};

/* Starts it with up to 12 options of mongo_server.py, ended by NULL; ends the program if it cannot. Says on standard output what it is. */
void mongo_place_init(struct mongo_place *place, const char *const *options);
void mongo_place_fini(struct mongo_place *place);

/* "URI/pep_test_PROCESS_NUMBER", with `more` (NULL, or "?option=...") behind it. */
void mongo_place_uri(const struct mongo_place *place, unsigned number, const char *more, char *ret_uri);
/* The answers to the plugin's options; the texts are borrowed. */
void mongo_place_values(const char *uri, const char *password, union pep_value *ret_values);

/* Drops the databases 0 to count - 1 of mongo_place_uri(), as a server that is not ours keeps them. */
void mongo_place_clean(const struct mongo_place *place, unsigned count);

#endif
