/* SPDX-License-Identifier: Apache-2.0
 *
 * visit.h - one message to a gateway and its answer, and what is known of the gateway where that fails.
 */
#ifndef FCC_VISIT_H
#define FCC_VISIT_H

#include "connection.h"
#include "response.h"

/* One injection under way; the members are those of inject(). */
struct visit {
	const struct pep_target *target;
	const struct pep_identity *id;
	struct pep_witness *witness;
	struct pep_injection *ret;
	struct pep_error *err;
	struct connection connection;
	int64_t deadline_ms; /* of the whole */
	const char *sid;
	bool is_touched; /* something has left us: its factory program has to be started again */
	bool is_sent;    /* the last byte of the message with the certificate has left us */
};

/* The end: one sentence about the gateway for log and operator, which also becomes the error; returns `status`. */
__attribute__((format(printf, 4, 5))) pep_status visit_end(struct visit *visit, uint32_t outcome, pep_status status,
							   const char *format, ...);

/* The witness said no, or making something failed: nothing more is sent, *err is there already. Returns `status`. */
pep_status visit_give_up(struct visit *visit, pep_status status, const char *what);

/* Before each message: is the work still wanted, in time, the gateway there, and silent? */
pep_status visit_check(struct visit *visit);

pep_status visit_connect(struct visit *visit, int64_t limit_ms);

/* Send a message. `may_stop`: it is the first one, which a gateway forgets if it does not come whole; a later one must never be
 * abandoned but for its deadline, since half of it makes the gateway's program crash (docs/plugins/fcc.md). */
pep_status visit_send(struct visit *visit, const struct message *message, bool may_stop, int64_t limit_ms);

/* Receive the answer and take it apart. PEP_OK: the gateway reports success. *reader owns what *ret_response points into; the caller
 * calls frame_reader_fini() whatever is returned. What a failure means follows from visit->is_sent: nothing was sent that could take
 * effect, and waiting may stop; or it was, and all but a clear refusal is in doubt. */
pep_status visit_receive(struct visit *visit, int64_t limit_ms, struct frame_reader *reader, struct response *ret_response);

#endif
