/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_injector.h"

#include <stdlib.h>

bool injector_is_opaque(const struct injector *injector)
{
	return injector->is_opaque;
}

void injector_forget(struct injector *injector, const struct pep_identity *id)
{
	if (!id->nonce || !id->serial)
		abort();
	injector->forgotten++;
}

static void look(struct injector *injector, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms)
{
	injector->injections++;
	injector->timeout_ms = timeout_ms;
	injector->id = *id;
	(void)snprintf(injector->nonce, sizeof(injector->nonce), "%s", id->nonce);
	(void)snprintf(injector->serial, sizeof(injector->serial), "%s", id->serial);
	(void)snprintf(injector->ip, sizeof(injector->ip), "%s", target->ip);
	injector->port = target->port;
}

static pep_status play_step(struct injector *injector, const struct injector_step *step, struct pep_witness *witness,
			    struct pep_error *err)
{
	switch (step->verb) {
	case INJECTOR_CONTACTED:
		return witness->contacted(witness, err);
	case INJECTOR_ISSUED:
		return witness->issued(witness, step->id, err);
	case INJECTOR_ASK:
		injector->was_cancelled = witness->cancelled(witness);
		return injector->was_cancelled ? pep_fail(err, PEP_CANCELLED, 0, "given up") : PEP_OK;
	case INJECTOR_DO:
		step->act(injector->context);
		return PEP_OK;
	case INJECTOR_END:
	default:
		abort();
	}
}

pep_status injector_inject(struct injector *injector, const struct pep_target *target, const struct pep_identity *id,
			   int64_t timeout_ms, struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err)
{
	look(injector, target, id, timeout_ms);
	for (const struct injector_step *step = injector->steps; step->verb != INJECTOR_END; step++) {
		pep_status status = play_step(injector, step, witness, err);

		if (status == PEP_OK)
			continue;
		injector->refused = status;
		if (injector->is_stubborn)
			continue;
		ret->outcome = PEP_NOT_SENT;
		return status;
	}
	ret->outcome = injector->outcome;
	(void)snprintf(ret->enrollment_id, sizeof(ret->enrollment_id), "%s",
		       injector->enrollment_id ? injector->enrollment_id : "");
	(void)snprintf(ret->detail, sizeof(ret->detail), "%s", injector->detail ? injector->detail : "");
	return injector->status == PEP_OK ? PEP_OK : pep_fail(err, injector->status, 0, "the fake injector says so");
}
