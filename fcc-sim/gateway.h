/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway.h - all that one simulated gateway knows, and what it does with one message. For one thread at a time.
 *
 * The rules are those of FCC 4.13: what is stored, in which order, what is checked when, and where the first error stops it.
 */
#ifndef FCC_SIM_GATEWAY_H
#define FCC_SIM_GATEWAY_H

#include "fcc-sim/fault.h"
#include "fcc-sim/key.h"
#include "fcc-sim/outcome.h"
#include "fcc-sim/reader.h"
#include "fcc-sim/store.h"

struct gateway {
	struct store store;
	struct fault fault;
	bool session_finished; /* true at first; set by each message that was read to its end */
	bool was_erased, has_entropy, has_rot, is_disabled;
	uint32_t message_count;
	uint64_t clock_s;     /* what the tool said; 0: not set */
	int64_t clock_set_ms; /* when it said so, clock_boot_ms() */
	bool has_ca_id;
	uint8_t ca_id[1 + KEY_COORDINATE_SIZE];
};

/* The answer to one message. */
struct answer {
	struct outcome outcome;
	bool is_closed; /* factory flow disabled: no CBOR at all */
	bool has_sid;
	struct span sid;    /* points into the message */
	bool csr_stage;     /* reached: the answer may be longer, and has the group of requests */
	struct buffer csrs; /* encoded entries */
	size_t csr_count;
};

enum {
	ANSWER_MAX_SIZE = 512,
	ANSWER_MAX_SIZE_CSR = 2560,
};

/* `folder`: see store_open(). False: errno says why. */
bool gateway_init(struct gateway *gateway, const char *folder, const struct fault *fault);
void gateway_fini(struct gateway *gateway);

void answer_init(struct answer *answer);
void answer_fini(struct answer *answer);
/* The CBOR of the answer; gives `out` its limit, and is to be given to buffer_fini() in any case. False: it does not fit what FCC has
 * for it, or there is none: comm status 9. */
bool answer_encode(const struct answer *answer, struct buffer *out);

/* Handles one well-framed message and puts down how it went. The message must live as long as the answer. */
void gateway_handle(struct gateway *gateway, struct span message, struct answer *answer);

/* Seconds since 1970; 0: nobody told the gateway. */
uint64_t gateway_clock(const struct gateway *gateway);

#endif
