/* SPDX-License-Identifier: Apache-2.0
 *
 * pep/injector.h - how an identity gets into a gateway: one verb, and two moments at which the core must have its say.
 *
 * The first message erases what the gateway holds, and the answer to the last one can be lost. So the core confirms the claim after
 * connect() and before the first byte (`contacted`), and records the enrollment identity before the certificate can take effect
 * (`issued`). docs/identity-life.md gives the reasons.
 */
#ifndef PEP_INJECTOR_H
#define PEP_INJECTOR_H

#include <pep/identity.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where the gateway listens. Borrowed for the call. */
struct pep_target {
	uint32_t struct_size;
	uint16_t port;
	const char *ip; /* numeric IPv4 or IPv6, already checked against the allowed networks */
};

/* What the core decides while an injection runs. Lives as long as the call of inject().
 * Not PEP_OK: hang up at once, without another byte, and return that status. [the thread of inject()] */
struct pep_witness {
	uint32_t struct_size;
	void *ctx; /* the core's own */
	/* Connected, nothing sent: the first byte erases the gateway. An OPAQUE injector calls it before its tool starts. */
	pep_status (*contacted)(struct pep_witness *witness, struct pep_error *err);
	/* The certificate is made; called before it can take effect. If it was ready before the connection, this may be called
	 * without contacted(), after connect and before the first byte: it then does both in one write. */
	pep_status (*issued)(struct pep_witness *witness, const char *enrollment_id, struct pep_error *err);
	/* True: the server stops, or the deadline (which is before the lease's end) has passed. Ask before the first and before the
	 * last byte, and give up where that is safe. [any thread] */
	bool (*cancelled)(struct pep_witness *witness);
};

/* What is known of the gateway; never guessed. */
enum {
	PEP_DELIVERED = 1, /* it said that it has it */
	PEP_REFUSED,       /* it said that it does not have it */
	PEP_NOT_SENT,      /* not the last byte of the message that could have taken effect */
	PEP_DOUBTFUL,      /* sent, and no answer that can be understood */
};

/* How an injection ended. The caller's, zeroed before; fixed-size text, NUL-terminated. */
struct pep_injection {
	uint32_t struct_size;
	uint32_t outcome;        /* PEP_DELIVERED ...; filled whatever inject() returns */
	char enrollment_id[128]; /* known or candidate; empty: none */
	char detail[512];        /* one sentence for the operator, no secrets */
};

enum {
	/* Cannot call issued(): an unfinished injection is in doubt, and PEP_NOT_SENT is said only if no tool was started. */
	PEP_INJECTOR_OPAQUE = 1,
};

struct pep_injector_ops {
	uint32_t struct_size;
	uint32_t threads; /* PEP_THREADS_* */
	uint64_t flags;   /* PEP_INJECTOR_* */

	/* --- required --- */

	/* As in pep/storage.h. [one thread, at start] */
	pep_status (*open)(const struct pep_host *host, const union pep_value *values, void **ret_injector, struct pep_error *err);
	/* Cannot fail. [after every other call returned] */
	void (*close)(void *injector);
	/* Keys readable, tool there? Before the server is ready. [one thread, at start] */
	pep_status (*self_test)(void *injector, struct pep_error *err);
	/* Give `id` to the gateway at `target`. Blocks until done, or until timeout_ms have passed. ret->outcome tells what is known
	 * of the gateway; the returned status tells why it is not PEP_DELIVERED: PEP_UNAVAILABLE not reachable, PEP_CONFLICT the
	 * gateway refused, PEP_TIMEOUT, PEP_CANCELLED, PEP_INTERNAL the tool failed, or what the witness returned. [per threads] */
	pep_status (*inject)(void *injector, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms,
			     struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err);

	/* --- optional, for tools that outlive their server; both name the attempt by id->serial and id->nonce --- */

	/* As inject, of one that an earlier start of this server began: waits for it, or reads its result.
	 * PEP_NOT_FOUND: it was never started. PEP_TIMEOUT, PEP_UNAVAILABLE or PEP_NO_MEMORY, doubtful: it still runs, or cannot be
	 * looked at now; ask again. What has ended in doubt is told by another status. [per threads] */
	pep_status (*adopt)(void *injector, const struct pep_identity *id, int64_t timeout_ms, struct pep_injection *ret,
			    struct pep_error *err);
	/* Its outcome is in storage or spool: drop the result. [per threads] */
	void (*forget)(void *injector, const struct pep_identity *id);
};

#ifdef __cplusplus
}
#endif

#endif
