/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_injector.h - the injector functions of core/plugin/instance.h, playing a script of witness calls and one outcome.
 */
#ifndef TESTS_UNIT_PROVISION_FAKE_INJECTOR_H
#define TESTS_UNIT_PROVISION_FAKE_INJECTOR_H

#include "core/plugin/instance.h"

#include <pthread.h>

enum { INJECTOR_STEPS = 8 };

enum injector_verb {
	INJECTOR_END,       /* the script ends here */
	INJECTOR_CONTACTED, /* connected, nothing sent */
	INJECTOR_ISSUED,    /* the certificate `id` is made */
	INJECTOR_ASK,       /* cancelled()? then give up, not sent */
	INJECTOR_DO,        /* the test does something */
};

struct injector_step {
	enum injector_verb verb;
	const char *id;
	void (*act)(void *context);
};

/* How one injection goes. A witness that says no ends it as the contract wants: not sent, with the witness's status; with `stubborn`
 * it goes on. */
struct injector {
	bool is_opaque, is_stubborn;
	struct injector_step steps[INJECTOR_STEPS];
	uint32_t outcome;
	pep_status status;
	const char *enrollment_id, *detail;
	void *context; /* of `act` */
	/* Each attempt gets an enrollment id of its own, whatever the steps and enrollment_id say. */
	bool makes_ids;
	/* What injector_adopt() says, after having said so often that it still runs; `outcome`, `status` and `enrollment_id` otherwise. */
	unsigned still_running;
	/* A second thread asks cancelled() all the time. */
	bool is_watched;

	/* What was seen; of several injections at once, the numbers only. */
	pthread_mutex_t mutex;
	unsigned injections, at_once, most_at_once, delivered, adoptions, forgotten;
	int64_t timeout_ms;
	pep_status refused; /* what the witness said when it said no */
	bool was_cancelled;
	struct pep_identity id; /* numbers of the last call; its texts are gone but those that are copied here: */
	char nonce[40], serial[80], ip[64];
	uint16_t port;
};

#endif
