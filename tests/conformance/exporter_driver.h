/* SPDX-License-Identifier: Apache-2.0
 *
 * exporter_driver.h - calls an exporter as the server does, but hands it poisoned records and a sink that can refuse, and looks at
 * each answer: a status of this ABI, an error that says what the status says, a refusal of the sink passed up, nothing written after it.
 */
#ifndef CONFORMANCE_EXPORTER_DRIVER_H
#define CONFORMANCE_EXPORTER_DRIVER_H

#include "exporter_suite.h"

#include <pthread.h>

/* One instance. */
struct driver {
	const struct exporter_facts *facts;
	const struct pep_exporter_ops *ops;
	struct pep_host host;
	void *exporter;
	const char *media_type, *suffix; /* of this instance */
	pthread_mutex_t one_at_a_time;   /* for PEP_THREADS_SERIAL */
};

/* What came out of a run. */
struct output {
	char *text; /* ended by a NUL */
	size_t size, room;
	size_t call_room;           /* left of the current call */
	unsigned writes, refuse_at; /* refuse_at: the write from 1 that is refused; 0: none */
	pep_status refusal;         /* what it is refused with */
	pep_status refused;         /* what a write has been refused with; PEP_OK: none */
	struct pep_error err;       /* of the call that failed */
	bool forget;                /* count only */
	bool lend;                  /* records are handed over as they are and live on, not as copies that are overwritten */
	bool hostile;               /* a message may repeat what is in the record, which breaks lines */
};

struct driver_run {
	struct driver *driver;
	struct output *output;
	struct pep_sink sink;
	void *run;
};

/* The instance is open afterwards, or the case fails. */
void driver_open(struct driver *driver, const struct exporter_facts *facts);
/* *ret_err of a failure; the instance is closed then. */
pep_status driver_try_open(struct driver *driver, const struct exporter_facts *facts, struct pep_error *ret_err);
void driver_close(struct driver *driver);

/* The calls of one run, each with the rest() that belongs to it, [any thread]. After a failed driver_begin() there is nothing to drop. */
pep_status driver_begin(struct driver *driver, struct output *output, struct driver_run *ret_run);
pep_status driver_check(struct driver_run *run, const struct pep_identity *id);
pep_status driver_record(struct driver_run *run, const struct pep_identity *id);
pep_status driver_end(struct driver_run *run);
void driver_drop(struct driver_run *run);
/* All of them, check() first, as the server does; the first status that is not PEP_OK ends it. */
pep_status driver_export(struct driver *driver, struct output *output, const struct pep_identity *const *records, size_t count);

void output_free(struct output *output);

#endif
