/* SPDX-License-Identifier: Apache-2.0
 *
 * injector_driver.h - calls an injector as the server does, with inputs that die after the call and a witness that can refuse.
 */
#ifndef CONFORMANCE_INJECTOR_DRIVER_H
#define CONFORMANCE_INJECTOR_DRIVER_H

#include "injector_suite.h"

#include <pthread.h>
#include <stdatomic.h>

/* One instance. */
struct injector_driver {
	const struct injector_facts *facts;
	const struct pep_injector_ops *ops;
	struct pep_host host;
	void *injector;
	pthread_mutex_t one_at_a_time; /* for PEP_THREADS_SERIAL */
};

/* One injection: what the witness is to say, and what came of it. */
struct injector_attempt {
	/* in */
	uint32_t number;                            /* of the attempt; 0: 1 */
	uint16_t port;                              /* 0: that of the facts */
	int64_t timeout_ms;                         /* 0: a minute */
	pep_status refuse_contacted, refuse_issued; /* what the witness answers */
	unsigned cancel_at;                         /* cancelled from the so-manieth question on; 0: never */
	/* out */
	pep_status status;
	struct pep_injection result;
	struct pep_error err;
	unsigned contacted, issued;
	bool in_order; /* nothing after a no, contacted not after issued */
	char issued_id[128];
	atomic_uint questions;
	int64_t took_ms;
};

/* Fail the test on an error. */
void injector_driver_open(struct injector_driver *driver, const struct injector_facts *facts);
void injector_driver_close(struct injector_driver *driver);

/* Inject into the gateway with this serial. [any thread] */
void injector_driver_run(struct injector_driver *driver, const char *serial, struct injector_attempt *attempt);

#endif
