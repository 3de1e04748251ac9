/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h - one HTTP POST after the other to one address, and what their answers mean. [one thread at a time]
 */
#ifndef WEBHOOK_REQUEST_H
#define WEBHOOK_REQUEST_H

#include <pep/plugin.h>

struct request_settings {
	const char *url, *ca; /* ca: a PEM file; "": the system's */
	int64_t timeout_ms, connect_timeout_ms;
};

struct request;

/* `settings` is copied, its texts are borrowed until request_close(). PEP_INVALID: the url is none that can be used.
 * [one thread, at start] */
pep_status request_open(const struct request_settings *settings, struct request **ret_request, struct pep_error *err);
void request_close(struct request *request); /* NULL is fine */

struct request_headers {
	const char *id, *timestamp, *signature;
};

/* Send `body`, read the answer. PEP_OK: 2xx. PEP_UNAVAILABLE, PEP_TIMEOUT: it cannot be reached, or says that it is busy (408, 425, 429,
 * 502, 503, 504); *ret_wait_ms is then its Retry-After, 0: it gave none. PEP_INTERNAL: another 5xx. PEP_INVALID: any other answer. */
pep_status request_send(struct request *request, const struct request_headers *headers, const char *body, size_t size,
			int64_t *ret_wait_ms, struct pep_error *err);

#endif
