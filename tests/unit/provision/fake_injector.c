/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_injector.h"

#include "core/base/cleanup.h"

bool injector_is_opaque(const struct injector *injector)
{
	return injector->is_opaque;
}

void injector_forget(struct injector *injector, const struct pep_identity *id)
{
	if (!id->nonce || !id->serial)
		abort();
	(void)pthread_mutex_lock(&injector->mutex);
	injector->forgotten++;
	(void)pthread_mutex_unlock(&injector->mutex);
}

pep_status injector_adopt(struct injector *injector, const struct pep_identity *id, int64_t timeout_ms, struct pep_injection *ret,
			  struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&injector->mutex);

	(void)lock;
	if (!id->nonce || !id->serial)
		abort();
	injector->adoptions++;
	injector->timeout_ms = timeout_ms;
	(void)snprintf(injector->nonce, sizeof(injector->nonce), "%s", id->nonce);
	(void)snprintf(injector->serial, sizeof(injector->serial), "%s", id->serial);
	ret->outcome = PEP_DOUBTFUL;
	if (injector->still_running && injector->still_running--)
		return pep_fail(err, PEP_TIMEOUT, 0, "it still runs");
	ret->outcome = injector->outcome;
	(void)snprintf(ret->enrollment_id, sizeof(ret->enrollment_id), "%s",
		       injector->enrollment_id ? injector->enrollment_id : "");
	(void)snprintf(ret->detail, sizeof(ret->detail), "%s", injector->detail ? injector->detail : "");
	return injector->status == PEP_OK ? PEP_OK : pep_fail(err, injector->status, 0, "the fake injector says so");
}

static void look(struct injector *injector, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&injector->mutex);

	(void)lock;
	injector->injections++;
	injector->at_once++;
	if (injector->at_once > injector->most_at_once)
		injector->most_at_once = injector->at_once;
	injector->timeout_ms = timeout_ms;
	injector->id = *id;
	(void)snprintf(injector->nonce, sizeof(injector->nonce), "%s", id->nonce);
	(void)snprintf(injector->serial, sizeof(injector->serial), "%s", id->serial);
	(void)snprintf(injector->ip, sizeof(injector->ip), "%s", target->ip);
	injector->port = target->port;
}

struct watcher {
	struct pep_witness *witness;
	atomic_bool is_done;
	pthread_t thread;
};

static void *watch(void *context)
{
	struct watcher *watcher = context;

	while (!atomic_load(&watcher->is_done))
		(void)watcher->witness->cancelled(watcher->witness);
	return NULL;
}

static pep_status give_up_if_cancelled(struct injector *injector, struct pep_witness *witness, struct pep_error *err)
{
	bool is_cancelled = witness->cancelled(witness);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&injector->mutex);

	(void)lock;
	injector->was_cancelled = is_cancelled;
	return is_cancelled ? pep_fail(err, PEP_CANCELLED, 0, "given up") : PEP_OK;
}

static pep_status play_step(struct injector *injector, const struct injector_step *step, const char *own_id,
			    struct pep_witness *witness, struct pep_error *err)
{
	switch (step->verb) {
	case INJECTOR_CONTACTED:
		return witness->contacted(witness, err);
	case INJECTOR_ISSUED:
		return witness->issued(witness, own_id ? own_id : step->id, err);
	case INJECTOR_ASK:
		return give_up_if_cancelled(injector, witness, err);
	case INJECTOR_DO:
		step->act(injector->context);
		return PEP_OK;
	case INJECTOR_END:
	default:
		abort();
	}
}

static pep_status play(struct injector *injector, const char *own_id, struct pep_witness *witness, struct pep_injection *ret,
		       struct pep_error *err)
{
	const char *id = own_id ? own_id : injector->enrollment_id;

	for (const struct injector_step *step = injector->steps; step->verb != INJECTOR_END; step++) {
		pep_status status = play_step(injector, step, own_id, witness, err);

		if (status == PEP_OK)
			continue;
		(void)pthread_mutex_lock(&injector->mutex);
		injector->refused = status;
		(void)pthread_mutex_unlock(&injector->mutex);
		if (injector->is_stubborn)
			continue;
		ret->outcome = PEP_NOT_SENT;
		return status;
	}
	ret->outcome = injector->outcome;
	(void)snprintf(ret->enrollment_id, sizeof(ret->enrollment_id), "%s", id ? id : "");
	(void)snprintf(ret->detail, sizeof(ret->detail), "%s", injector->detail ? injector->detail : "");
	return injector->status == PEP_OK ? PEP_OK : pep_fail(err, injector->status, 0, "the fake injector says so");
}

pep_status injector_inject(struct injector *injector, const struct pep_target *target, const struct pep_identity *id,
			   int64_t timeout_ms, struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err)
{
	struct watcher watcher = {.witness = witness};
	char own_id[100];
	pep_status status;

	look(injector, target, id, timeout_ms);
	if (injector->is_watched && pthread_create(&watcher.thread, NULL, watch, &watcher) != 0)
		abort();
	(void)snprintf(own_id, sizeof(own_id), "A-%s-%u", id->serial, (unsigned)id->attempt);
	status = play(injector, injector->makes_ids ? own_id : NULL, witness, ret, err);
	if (injector->is_watched) {
		atomic_store(&watcher.is_done, true);
		(void)pthread_join(watcher.thread, NULL);
	}
	(void)pthread_mutex_lock(&injector->mutex);
	injector->at_once--;
	injector->delivered += ret->outcome == PEP_DELIVERED;
	(void)pthread_mutex_unlock(&injector->mutex);
	return status;
}
