/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/adopt.h"

#include "core/base/cleanup.h"
#include "core/base/failpoint.h"
#include "core/base/identity.h"
#include "core/base/log.h"
#include "core/service/attempt.h"

#include <string.h>

/* One look: there may be many, and the server is about to answer. */
#define ASK_MS 0

struct adoption {
	struct provisioner *provisioner;
	unsigned awaited;
};

static bool is_undecided(pep_status status, const struct pep_injection *injection)
{
	return injection->outcome == PEP_DOUBTFUL &&
	       (status == PEP_TIMEOUT || status == PEP_UNAVAILABLE || status == PEP_NO_MEMORY);
}

static void tell(const struct provisioner *provisioner, const struct pending_entry *pending, const char *outcome,
		 const char *enrollment_id, const char *detail)
{
	const struct provision_settled settled = {.serial = pending->serial,
						  .outcome = outcome,
						  .by = "adopted",
						  .attempt = pending->attempt,
						  .enrollment_id = enrollment_id,
						  .detail = detail};

	if (provisioner->settled)
		provisioner->settled(provisioner->settled_context, &settled);
}

/* True: the fact is in storage or in the spool. */
static bool record_delivery(struct provisioner *provisioner, struct arena *arena, const struct pending_entry *pending,
			    const char *enrollment_id, struct pep_error *err)
{
	struct spool_entry entry = {
		.serial = pending->serial, .nonce = pending->nonce, .enrollment_id = enrollment_id, .attempt = pending->attempt};
	const struct pep_identity *record;
	pep_status status = provision_record_delivery(provisioner, arena, &entry, NULL, &record, err);

	if (status == PEP_OK)
		tell(provisioner, pending, identity_state_name(record->state), enrollment_id, NULL);
	else if (status == PEP_CONFLICT)
		tell(provisioner, pending, identity_state_name(PEP_IN_DOUBT), enrollment_id, err->message);
	return status == PEP_OK || status == PEP_CONFLICT || spool_put(provisioner->spool, &entry, err) == PEP_OK;
}

/* True: it is in storage, or there it is not this attempt's to say any more. */
static bool record_end(struct provisioner *provisioner, struct arena *arena, const struct pending_entry *pending,
		       const struct pep_injection *injection, struct pep_error *err)
{
	const char *detail = injection->detail[0] ? injection->detail : err->message;
	struct machine_end event = {.by = {pending->attempt, pending->nonce}, .kind = MACHINE_END_DOUBTFUL};

	if (injection->outcome == PEP_NOT_SENT)
		event.kind = MACHINE_END_NOT_SENT;
	else if (injection->outcome == PEP_REFUSED)
		event.kind = MACHINE_END_REFUSED;
	else if (attempt_is_enrollment_id(injection->enrollment_id))
		event.enrollment_id = injection->enrollment_id;
	event.reason = attempt_reason(arena, event.kind == MACHINE_END_DOUBTFUL ? PROVISION_IN_DOUBT : PROVISION_FAILED, detail);
	if (!event.reason)
		return false;
	*err = (struct pep_error){0};
	if (!provision_record_end(provisioner, arena, pending->serial, NULL, &event, err))
		return err->status == PEP_OK;
	tell(provisioner, pending, identity_state_name(event.kind == MACHINE_END_DOUBTFUL ? PEP_IN_DOUBT : PEP_FAILED),
	     event.enrollment_id, event.reason);
	return true;
}

static bool record(struct provisioner *provisioner, const struct pending_entry *pending, const struct pep_injection *injection,
		   struct pep_error *err)
{
	AUTO(arena_fini) struct arena arena = {0};

	if (injection->outcome == PEP_DELIVERED && attempt_is_enrollment_id(injection->enrollment_id))
		return record_delivery(provisioner, &arena, pending, injection->enrollment_id, err);
	return record_end(provisioner, &arena, pending, injection, err);
}

static struct pep_identity identity_of(const struct pending_entry *pending)
{
	return (struct pep_identity){.struct_size = sizeof(struct pep_identity),
				     .attempt = pending->attempt,
				     .serial = pending->serial,
				     .nonce = pending->nonce,
				     .owner = pending->owner};
}

/* The server that settled it was ended before the injector had dropped its files. */
static void forget_one(void *context, const struct pending_entry *pending)
{
	const struct provisioner *provisioner = context;
	const struct pep_identity id = identity_of(pending);

	if (strcmp(pending->owner, provisioner->owner) == 0)
		return; /* of this very start: somebody is at it */
	injector_forget(provisioner->injector, &id);
	pending_remove(provisioner->pending, pending->nonce);
}

static void adopt_one(void *context, const struct pending_entry *pending)
{
	struct adoption *adoption = context;
	struct provisioner *provisioner = adoption->provisioner;
	const struct pep_identity id = identity_of(pending);
	struct pep_injection injection = {.struct_size = sizeof(injection)};
	struct pep_error err = {0};
	pep_status status;

	if (strcmp(pending->owner, provisioner->owner) == 0)
		return; /* of this very start: somebody is at it */
	status = injector_adopt(provisioner->injector, &id, ASK_MS, &injection, &err);
	/* The note goes before the result: where there is a note and no result, the tool was never started. */
	if (is_undecided(status, &injection) || !record(provisioner, pending, &injection, &err) ||
	    !pending_settle(provisioner->pending, pending->nonce)) {
		adoption->awaited++;
		return;
	}
	PEP_FAILPOINT("adopted");
	injector_forget(provisioner->injector, &id);
	pending_remove(provisioner->pending, pending->nonce);
	log_event(LOG_NOTICE, "an injection that outlived its server has ended", LOG_TEXT("serial", pending->serial),
		  LOG_NUMBER("attempt", pending->attempt), LOG_TEXT("enrollment_id", injection.enrollment_id),
		  LOG_TEXT("detail", injection.detail));
}

unsigned adopt_all(struct provisioner *provisioner)
{
	struct adoption adoption = {.provisioner = provisioner};

	if (provisioner->pending) {
		pending_walk_settled(provisioner->pending, forget_one, provisioner);
		pending_walk(provisioner->pending, adopt_one, &adoption);
	}
	return adoption.awaited;
}

bool adopt_is_awaited(const struct provisioner *provisioner, const char *nonce)
{
	return provisioner->pending && pending_has(provisioner->pending, nonce);
}
