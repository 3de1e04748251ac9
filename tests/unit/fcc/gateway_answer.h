/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_answer.h - what a played gateway reads in a message, and what it answers.
 */
#ifndef TEST_FCC_GATEWAY_ANSWER_H
#define TEST_FCC_GATEWAY_ANSWER_H

#include "plugins/injector/fcc/frame.h"

#include <gnutls/x509.h>

/* What a gateway keeps from one message to the next. */
struct device {
	gnutls_x509_privkey_t key; /* that it made; NULL: none */
	char serial[80];
};
void device_fini(struct device *device);

struct request {
	char serial[80], sid[80];
	bool wants_csr;
	struct blob certificate; /* DER, in the payload; data NULL: none */
	struct blob private_key; /* the same */
	uint64_t keeps_session, verify;
};

/* Read a message; its serial is that of the device from the first one on. False: it is not a message, or one that no gateway
 * would take. */
bool request_read(const uint8_t *payload, size_t size, struct device *device, struct request *ret_request);

struct answer {
	uint8_t bytes[4096];
	size_t size;
	int wait_ms; /* before it, or until the other side hangs up */
	bool goes_on;
};
void answer_make(const struct request *request, struct device *device, struct answer *ret_answer);

/* Does the gateway keep the certificate in this message? */
bool answer_takes_certificate(const struct request *request);

#endif
