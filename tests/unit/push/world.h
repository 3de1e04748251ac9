/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h - what a subscriber lives in: a store with records and notes, an exporter, and a clock that stands until it is set.
 */
#ifndef TESTS_UNIT_PUSH_WORLD_H
#define TESTS_UNIT_PUSH_WORLD_H

#include "core/service/subscriber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

enum { WORLD_RECORDS = 4096, WORLD_TOLD = 65536, WORLD_LEASE_MS = 20000, WORLD_START_MS = 1800000000 };

struct world_record {
	char serial[16], dispatch_id[25]; /* "": none */
	uint32_t state;
	int64_t lease_until_ms;
};

enum write_fault { WRITE_WELL, WRITE_AWAY, WRITE_UNKNOWN_DONE, WRITE_UNKNOWN_NOT };

struct storage {
	uint64_t flags;
	bool has_notes, is_away;
	struct world_record records[WORLD_RECORDS]; /* in no order */
	size_t record_count;
	char note[PEP_NOTE_SIZE + 1];
	int64_t note_revision;
	unsigned note_writes;
	enum write_fault write_fault; /* of the next write */
	unsigned open_scans;
};

struct exporter {
	/* NULL: PEP_OK. */
	pep_status (*answer)(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms);
	unsigned calls;
	char last[16];             /* serial */
	char told[WORLD_TOLD][25]; /* dispatch ids that were taken */
	size_t told_count;
	const char *poison; /* a serial that the answers of the tests refuse */
	bool is_moody;
	unsigned failures; /* so many calls are still to fail */
};

struct world {
	struct storage store;
	struct exporter exporter;
	atomic_bool stopping;
	char data_dir[32];
};

extern int64_t world_now_ms; /* what every clock says: since 1970, and since the start */

struct world *world_new(void);
void world_free(struct world *world);

/* A subscriber of a server of this name; the setup may be changed before. */
struct subscriber_setup world_setup(struct world *world, const char *owner);
struct subscriber *world_subscriber(const struct subscriber_setup *setup);
/* Turns until there is nothing to do, or until the time has passed; the clock goes on to when something is. Returns how many turns. */
unsigned world_run(struct subscriber *subscriber, int64_t for_ms);

/* A deployed record; its dispatch id is of `at_ms`. */
void world_deploy(struct world *world, const char *serial, int64_t at_ms);
void world_deploy_many(struct world *world, const char *prefix, unsigned count);
struct world_record *world_find(struct world *world, const char *serial);
/* The id that a record of this time gets. */
void world_id(int64_t at_ms, unsigned number, char ret_id[25]);

/* How many times it was told. */
unsigned world_times(const struct world *world, const char *serial);
void world_expect_state(const struct subscriber *subscriber, enum subscriber_state state);

#endif
