/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.h - is it clear where this request ends? Two readers that differ about it (a proxy and this server) are what request
 * smuggling lives on, so whatever RFC 9112 calls malformed is refused here, though the HTTP library tolerates it. Knows nothing of
 * that library.
 */
#ifndef CORE_HTTP_GUARD_H
#define CORE_HTTP_GUARD_H

#include "core/http/request.h"

#define GUARD_HEADERS 64u

struct guard {
	struct http_pair headers[GUARD_HEADERS]; /* borrowed */
	size_t count;                            /* may be over GUARD_HEADERS: then it only counts */
	unsigned hosts, lengths, encodings, ids;
	const char *length, *encoding, *id; /* the last of each; NULL: none */
	const char *next;                   /* where the next line must begin; NULL: not known, lines are not checked */
	const char *fault;                  /* the first thing that is wrong, a sentence; NULL: nothing so far */
};

/* Ready for a new request; the array is left as it is. */
void guard_init(struct guard *guard);

/* A request line that the library has split in place: method NUL target NUL version, a NUL each for CR and LF. Then every header
 * must begin where the line before it ended, or the library has passed over something: a NUL, a folded line (RFC 9112 5.2), a bare
 * LF. `target_size` is its length before anybody decoded it. Without this call, lines are not checked. */
void guard_request_line(struct guard *guard, const char *method, const char *target, size_t target_size, const char *version);
/* One header, in the order of arrival, each text followed by a NUL. */
void guard_header(struct guard *guard, const char *name, size_t name_size, const char *value, size_t value_size);
/* After the last header. `end` is the first byte after the empty line; NULL: not known. HTTP/1.1 needs a Host (RFC 9112 3.2). */
void guard_end(struct guard *guard, const char *end, bool needs_host);

/* The announced size of the body: 0 for none, SIZE_MAX if it is chunked. Only without a fault. */
size_t guard_body_size(const struct guard *guard);

#endif
