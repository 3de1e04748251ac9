/* SPDX-License-Identifier: Apache-2.0
 *
 * provision.h - gives one gateway its identity: claim, inject with the witness, record. One call is one request.
 */
#ifndef CORE_SERVICE_PROVISION_H
#define CORE_SERVICE_PROVISION_H

#include "core/plugin/instance.h"
#include "core/service/dispatch.h"
#include "core/service/endpoints.h"
#include "core/service/machine.h"
#include "core/service/orders.h"
#include "core/service/pending.h"
#include "core/service/spool.h"

#include <stdatomic.h>

/* How an attempt ended that nobody waits for any more. Texts are borrowed for the call. */
struct provision_settled {
	const char *serial;
	const char *outcome; /* what became of the record: "deployed", "failed", "in_doubt" and so on */
	const char
		*by; /* "spool": its outcome was on this server's disk; "lease": its time was over; "adopted": its tool has ended */
	uint32_t attempt;
	const char *enrollment_id, *detail; /* NULL: none */
};

/* What every provisioning of this server shares. Filled by the server, unchanged while requests run. */
struct provisioner {
	struct storage *storage;
	struct injector *injector;
	struct spool *spool;
	struct pending *pending; /* NULL: nothing is noted, and nothing can be adopted */
	struct orders *orders;   /* NULL: the store keeps none, nor grants: every serial is welcome once */
	struct dispatch dispatch;
	struct endpoints endpoints;
	const char *owner; /* "NAME/START" */
	int64_t injection_timeout_ms, lease_ms;
	const atomic_bool *stopping; /* set once, when the server begins to stop */
	/* Called when something was deployed; must not wait. NULL: nobody wants to know. [any thread] */
	void (*deployed)(void *context);
	void *deployed_context;
	/* Called when recovery has ended an attempt. NULL: nobody wants to know. [any thread] */
	void (*settled)(void *context, const struct provision_settled *settled);
	void *settled_context;
	_Atomic(int64_t) recovery_due_work_ms; /* when the next step of the recovery thread is due */
};

enum provision_outcome {
	PROVISION_DEPLOYED = 1,
	PROVISION_REPLAYED,            /* was deployed by the same request before */
	PROVISION_EXISTS,              /* the serial is deployed or retired */
	PROVISION_MISMATCH,            /* the idempotency key came with other fields */
	PROVISION_NOT_EXPECTED,        /* no order expects this serial; `error` says so */
	PROVISION_QUOTA,               /* the order that expects it is full; `error` names it */
	PROVISION_IN_PROGRESS,         /* somebody is at this serial */
	PROVISION_ENDPOINT_BUSY,       /* this gateway is being provisioned for another serial */
	PROVISION_UNREACHABLE,         /* nothing was sent */
	PROVISION_REFUSED,             /* the gateway said no */
	PROVISION_FAILED,              /* the injector failed; the gateway does not have the certificate */
	PROVISION_TIMEOUT,             /* over the time limit; the gateway does not have the certificate */
	PROVISION_IN_DOUBT,            /* the gateway may or may not have it */
	PROVISION_STORAGE_UNAVAILABLE, /* the gateway was not touched, or does not have it */
	PROVISION_RECORDED_LOCALLY,    /* the gateway has it, and the spool knows */
	PROVISION_UNRECORDED,          /* the gateway has it, the certificate is on record, that it arrived is not */
	PROVISION_DRAINING,            /* the server stops; the gateway was not touched */
	PROVISION_NO_MEMORY,
};

struct provision_request {
	/* serial, the fields of the request with defaults filled in, idempotency_key, request_digest, station, request_id */
	struct pep_identity fields;
	struct pep_target target;
};

struct provision_result {
	enum provision_outcome outcome;
	const struct pep_identity *identity; /* DEPLOYED, REPLAYED: the record, in the arena */
	char enrollment_id[128]; /* IN_DOUBT: the candidate; RECORDED_LOCALLY, UNRECORDED: the gateway's; may be empty */
	uint32_t attempt;        /* that was made, or of what is replayed; 0: none was */
	struct pep_error error;  /* why, for the log; NOT_EXPECTED, QUOTA: for people */
};

/* Blocks until the gateway is done or the time limit has passed. Never leaves a serial stuck: whatever happens here, lease and
 * recovery free it. [any thread] */
void provision_identity(struct provisioner *provisioner, struct arena *arena, const struct provision_request *request,
			struct provision_result *ret_result);

/* Record that an attempt was delivered (rows 9 and 9h). PEP_OK: a read or a confirmed write shows it; *ret_record is the record.
 * PEP_CONFLICT: another record has this enrollment id; this one is confirmed to be in doubt now, with a reason that names the id.
 * Anything else: not confirmed; the fact belongs into the spool. `known`: as in record.h. [any thread] */
pep_status provision_record_delivery(struct provisioner *provisioner, struct arena *arena, const struct spool_entry *entry,
				     const struct pep_identity *known, const struct pep_identity **ret_record,
				     struct pep_error *err);
/* Record that it ended otherwise (rows 10 to 12). True: a read or a confirmed write shows it. Texts of the event are borrowed for
 * the call. [any thread] */
bool provision_record_end(struct provisioner *provisioner, struct arena *arena, const char *serial,
			  const struct pep_identity *known, const struct machine_end *event, struct pep_error *err);

#endif
