/* SPDX-License-Identifier: Apache-2.0
 *
 * vitals.h - how the server and what it needs are: looked at by a thread of its own, so that nobody who asks ever waits for the store.
 */
#ifndef CORE_SERVICE_VITALS_H
#define CORE_SERVICE_VITALS_H

#include "core/plugin/instance.h"

#include <jansson.h>

struct audit;
struct push;
struct spool;
struct vitals;

#define VITALS_CHECKS 32u
#define VITALS_DISK_MIN (INT64_C(128) * 1024 * 1024) /* bytes free in the data folder; less is not ok */

/* All borrowed until vitals_free(). */
struct vitals_settings {
	struct storage *storage;
	struct spool *spool;
	struct push *push; /* NULL: nobody is told */
	struct audit *audit;
	const char *data_dir;
	const char *authority_path, *tls_path; /* PEM files of certificates; NULL: none, or not in a file */
	/* The open orders, as an array of objects with name, customer, quantity, done, reserved and open; may wait for the store. NULL:
	 * there are no orders. */
	pep_status (*list_orders)(void *context, json_t **ret_list, struct pep_error *err);
	void *orders_context;
	void (*changed)(void *context); /* something is not as it was; must not wait. NULL: nobody wants to know */
	void *changed_context;
	int64_t interval_ms; /* between two looks */
};

/* A name, whether all is well, and a few words. */
struct vitals_check {
	char name[80];
	bool is_ok;
	char detail[256];
};

struct vitals_report {
	struct vitals_check checks[VITALS_CHECKS];
	size_t check_count;
	bool has_units;                 /* the store has been counted lately */
	int64_t units[PEP_RETIRED + 1]; /* records by state */
	int64_t authority_ms, tls_ms;   /* until when they are valid, since 1970; 0: not known */
};

/* One look at all but the numbers of records, then one per interval. [main thread] */
pep_status vitals_new(const struct vitals_settings *settings, struct vitals **ret_vitals, struct pep_error *err);
/* Waits for a look that is under way. NULL is fine. [main thread] */
void vitals_free(struct vitals *vitals);

/* As it was at the last look, never waits for one. A store that keeps a look waiting for long is not ok, and has no numbers. [any thread] */
void vitals_report(struct vitals *vitals, struct vitals_report *ret_report);
/* A copy of the orders of the last look, for json_decref(). NULL: none, or out of memory. [any thread] */
json_t *vitals_orders(struct vitals *vitals);

/* Bytes that are free where `path` is, or -1. [any thread] */
int64_t vitals_disk_free(const char *path);

#endif
