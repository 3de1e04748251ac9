/* SPDX-License-Identifier: Apache-2.0
 *
 * late.h - writes whose caller was told "unknown" and that are made some time later, as by a database behind a slow line.
 */
#ifndef FAULTY_LATE_H
#define FAULTY_LATE_H

#include "inner.h"

#include <pthread.h>

struct late_write;
/* Those that were begun; {.mutex = PTHREAD_MUTEX_INITIALIZER} is none. */
struct late_writes {
	pthread_mutex_t mutex;
	struct late_write *first;
};

/* insert() (is_insert) or update() after `delay_ms`; the record is copied. False: out of memory. [any thread] */
bool late_begin(struct late_writes *writes, struct inner *inner, bool is_insert, const struct pep_identity *id, int64_t delay_ms);
/* Waits until all are made. [after every other call] */
void late_finish(struct late_writes *writes);

#endif
