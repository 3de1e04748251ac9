/* SPDX-License-Identifier: Apache-2.0
 *
 * response.h - what a gateway answers, out of its CBOR. It is hostile input: bounded in depth and size, no memory is allocated.
 */
#ifndef FCC_RESPONSE_H
#define FCC_RESPONSE_H

#include "frame.h"

/* All texts lie in the payload and live as long as it. */
struct response {
	uint64_t return_status;
	struct blob sid;          /* data NULL: it has none */
	struct blob info;         /* InfoMessage */
	struct blob warnings;     /* WarningInfo */
	struct blob csr_key_name; /* of the first signing request */
	struct blob csr;          /* DER; data NULL: there is none */
	size_t csr_count;
};

/* Read a payload: one map, of definite length or not, its pairs in any order; unknown keys are passed over, ReturnStatus must be
 * there. False: it is not that, and *ret_fault tells why, for the end of a sentence. [any thread] */
bool response_read(struct blob payload, struct response *ret_response, const char **ret_fault);

/* Are these bytes this text? */
bool response_is(struct blob bytes, const char *text);

/* A gateway's text for a line of ours: visible ASCII, cut at the end of `ret_text`; line ends become "; ", the rest "?". */
void response_show(struct blob bytes, char *ret_text, size_t size);

#endif
