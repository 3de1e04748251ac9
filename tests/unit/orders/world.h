/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h - some servers on one store, played step by step: every call of the store, and every moment of an injection, waits for its
 * turn, which a seed decides. Between any two of them a server may die, pause for long, or lose the answer to a write.
 *
 * The servers run the real provision.c with everything that it uses; only store, injector and spool are played here. A server does one
 * thing at a time, so that only one thread of all runs at any moment.
 */
#ifndef TESTS_UNIT_ORDERS_WORLD_H
#define TESTS_UNIT_ORDERS_WORLD_H

#include "core/service/orders.h"
#include "core/service/provision.h"

#include <pthread.h>

enum { SERVERS = 3, SERIALS = 6, NOTES = 32, LATE = 4, SPOOLED = 16, LEASE_MS = 100, START_MS = 1000000 };

struct note_kept {
	char name[65];
	int64_t revision;
	char text[2048];
};

struct late_write {
	bool is_there;
	char name[65];
	int64_t revision;
	char text[2048];
};

struct storage {
	struct arena texts; /* of the records, for ever */
	struct pep_identity records[SERIALS];
	size_t record_count;
	struct note_kept notes[NOTES];
	size_t note_count;
	struct late_write late[LATE]; /* whose answer was lost, and which may still arrive */
	int64_t now_ms;
};

/* What is on a server's disk. */
struct spooled {
	char serial[65], nonce[40], enrollment_id[128];
	uint32_t attempt;
};
struct spool {
	struct spooled entries[SPOOLED];
	size_t count;
};

struct server {
	struct world *world;
	unsigned number;
	pthread_t thread;
	bool is_running, has_yielded, is_dead; /* dead: nothing that it does reaches anybody */
	unsigned things_left;                  /* to do in this life */
	struct provisioner provisioner;
	struct spool spool;
	char owner[32];
};

struct world {
	struct storage store;
	struct server servers[SERVERS];
	uint64_t random;
	unsigned faults_left, starts, certificates;
	bool has_certificate[SERIALS]; /* the gateway holds one: it was given out */
	bool is_injecting[SERIALS][SERVERS];
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	int turn;     /* number of the server whose step it is; -1: the test's */
	bool is_free; /* nobody waits: the test itself calls */
	atomic_bool stopping;
};

/* Zeroes and fills *world. `faults`: how often something may go wrong. */
void world_init(struct world *world, uint64_t seed, unsigned faults);
void world_fini(struct world *world);
/* 0 to limit - 1. */
unsigned world_random(struct world *world, unsigned limit);
/* Begin a server's life, in which it does so many things, each chosen by `act`. */
void world_start(struct server *server, unsigned things, void *(*act)(void *server));
/* One step of one of the servers. False: none of them runs. */
bool world_step(struct world *world);
/* Kill it: from now on it reaches nobody. */
void world_kill(struct server *server);
/* A moment at which others may do something. True: the server is dead. */
bool world_wait(struct server *server);
/* The server whose thread this is; NULL: the test's. */
struct server *world_self(void);
/* Which serial of "GW-0" and so on; -1: none. */
int world_number(const char *serial);
/* The record as it is; NULL: none. */
struct pep_identity *world_record(struct world *world, const char *serial);

#endif
