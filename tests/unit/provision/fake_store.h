/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_store.h - the storage functions of core/plugin/instance.h over a few records in memory, with a script of faults.
 *
 * It compares revisions and keeps ids unique as a real store does, and counts every call. [any thread]
 */
#ifndef TESTS_UNIT_PROVISION_FAKE_STORE_H
#define TESTS_UNIT_PROVISION_FAKE_STORE_H

#include "core/plugin/instance.h"

#include <pthread.h>

enum store_call { STORE_GET, STORE_INSERT, STORE_UPDATE, STORE_NOW, STORE_SCAN_OPEN, STORE_SCAN_NEXT, STORE_PING, STORE_CALLS };

enum store_fault {
	STORE_OK,            /* nothing goes wrong; only `before` runs */
	STORE_AWAY,          /* PEP_UNAVAILABLE */
	STORE_UNKNOWN_NOW,   /* applied, the answer is lost: PEP_UNKNOWN */
	STORE_UNKNOWN_LATER, /* PEP_UNKNOWN; applied by fake_store_settle(), if the revision still matches then */
	STORE_UNKNOWN_NEVER, /* PEP_UNKNOWN; never applied */
	STORE_TIMEOUT_NOW,   /* applied, but it took too long: PEP_TIMEOUT, which a write should not say */
	STORE_BROKEN,        /* PEP_INTERNAL */
	STORE_NO_MEMORY,     /* PEP_NO_MEMORY */
};

enum { STORE_RECORDS = 24, STORE_FAULTS = 16, STORE_START_MS = 1000000000 };

struct store_script {
	enum store_call call;
	unsigned nth; /* 1: the next call of this kind; 0: every call */
	enum store_fault fault;
	void (*before)(struct storage *store, void *context); /* somebody else, just before the call; may be NULL */
	void *context;
};

struct storage {
	pthread_mutex_t mutex;
	char texts[1 << 20]; /* every text ever stored: the fake itself needs no memory that could run out */
	size_t texts_size;
	struct pep_identity records[STORE_RECORDS];
	size_t record_count;
	struct pep_identity late; /* of STORE_UNKNOWN_LATER; serial NULL: none */
	int64_t now_ms;
	struct store_script scripts[STORE_FAULTS];
	size_t script_count;
	unsigned calls[STORE_CALLS];
	unsigned open_scans;
	struct pep_scan_query last_query; /* its texts are the caller's */
};

void fake_store_init(struct storage *store);
void fake_store_fini(struct storage *store);

/* Let the nth call of this kind, from now on, go wrong; the script of a call runs once (with nth 0: always). */
void fake_store_script(struct storage *store, enum store_call call, unsigned nth, enum store_fault fault);
/* Somebody else does something just before the nth call. */
void fake_store_meanwhile(struct storage *store, enum store_call call, unsigned nth,
			  void (*before)(struct storage *store, void *context), void *context);
/* The store is away for every call, until fake_store_heal(). */
void fake_store_away(struct storage *store);
void fake_store_heal(struct storage *store);
/* The write whose answer was lost arrives now. True: it was applied. */
bool fake_store_settle(struct storage *store);

/* The record as it is; NULL: none. Valid until the next write. Not counted, never faulty. */
const struct pep_identity *fake_store_record(struct storage *store, const char *serial);
/* Put a record there, whatever its revision; its revision becomes at least 1. */
void fake_store_put(struct storage *store, const struct pep_identity *id);

#endif
