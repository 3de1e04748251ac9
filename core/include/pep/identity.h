/* SPDX-License-Identifier: Apache-2.0
 *
 * pep/identity.h - the record of one gateway: one per serial number, for ever.
 *
 * docs/identity-life.md describes the states and every change of them. A storage plugin keeps records and compares revisions, an
 * injector and an exporter read them; only the server's core decides what a record says.
 */
#ifndef PEP_IDENTITY_H
#define PEP_IDENTITY_H

#include <pep/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	PEP_CLAIMED = 1, /* an attempt holds the serial; the gateway is untouched by it */
	PEP_CONTACTED,   /* connected: the gateway's old credentials may be gone */
	PEP_ISSUED,      /* its enrollment identity is recorded, the certificate may take effect any moment */
	PEP_DEPLOYED,    /* the gateway has it */
	PEP_FAILED,      /* the gateway does not have it */
	PEP_IN_DOUBT,    /* nobody can know: evidence or a new attempt is needed */
	PEP_RETIRED,     /* taken out of service by an operator; kept */
};

/* Text is UTF-8 without control characters (checked at the door), NUL-terminated; NULL is absent. Never holds a private key.
 * Whoever hands out a record says how long it lives. */
struct pep_identity {
	uint32_t struct_size;
	uint32_t state;         /* PEP_CLAIMED ... */
	int64_t revision;       /* 0: not stored yet; each update makes it one more: the fence of every change */
	int64_t created_ms;     /* milliseconds since 1970 UTC by the store's clock, as the next two; when the record was made */
	int64_t deployed_ms;    /* 0: never */
	int64_t lease_until_ms; /* 0: nobody holds the serial */
	uint32_t attempt;       /* claims so far, never restarts */
	uint32_t contacted;     /* the attempt that reached the gateway last; 0: none */
	uint32_t before;        /* while claimed: the state that a claim which sent nothing returns to */
	uint32_t generation;    /* lives: one more for each reprovisioning */
	const char *serial;     /* unique, 1 to 64 bytes */
	/* Unique, 24 hex digits, time-ordered, given when deployed: orders and pages the list. */
	const char *dispatch_id;
	/* Unique, "A-" and 32 pairs of hex digits with colons: the fingerprint of the certificate. Known from PEP_ISSUED on. */
	const char *enrollment_id;
	/* What the request said. Of the attempt `contacted`, as is everything here but nonce and owner. */
	const char *hardware_version, *radio_config, *led_config, *category, *api_address, *gateway_services_address;
	const char *verification_key, *ou, *device_id;
	const char *ethernet_mac, *sixb_mac; /* numbers 0 to 255 with commas: six, eight of them */
	const char *nonce;                   /* of `attempt`, the last claim: 32 hex digits */
	const char *owner;                   /* of `attempt`, once deployed of `contacted`: the server's name, a slash, its start */
	const char *idempotency_key;         /* that of the request, if it sent one */
	const char *request_digest;          /* SHA-256 of the request's fields, 64 hex digits */
	const char *station, *request_id;    /* who asked (address or name), and under which request id */
	const char *reason;                  /* why the last attempt ended as it did: "code: sentence for people" */
	const char *history; /* JSON array of earlier attempts that may have left a certificate; opaque to storage */
};

#ifdef __cplusplus
}
#endif

#endif
