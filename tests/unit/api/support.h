/* SPDX-License-Identifier: Apache-2.0
 *
 * support.h - a request, a reply and a configuration for the tests of handlers.
 */
#ifndef TESTS_UNIT_API_SUPPORT_H
#define TESTS_UNIT_API_SUPPORT_H

#include "core/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SUPPORT_PAIRS = 40 };

/* Gateways may be in 10.0.0.0/9, in 192.168.1.5/32, in fd00::/8 and at 2001:db8::1. The peer is 10.0.0.9, the request id "req-1". */
struct support {
	struct arena arena;
	struct config config;
	struct config_network networks[4];
	struct api_context api;
	struct http_request request;
	struct http_pair pairs[SUPPORT_PAIRS], headers[4];
	struct http_reply reply;
};

/* For cmocka_unit_test_setup_teardown(). */
int support_set_up(void **state);
int support_tear_down(void **state);

/* A new GET with no arguments; the reply is empty again. */
void support_get(struct support *support);
/* A new POST with this body, of type application/json. */
void support_post(struct support *support, const char *body);
void support_pair(struct support *support, const char *name, const char *value);
void support_header(struct support *support, const char *name, const char *value);

/* The value of a header of the reply; NULL: it has none. */
const char *support_reply_header(const struct support *support, const char *name);
/* The body is exactly this. */
void support_assert_body(const struct support *support, const char *text);
/* The body has this in it. */
void support_assert_has(const struct support *support, const char *part);
/* A problem with this status and code; `field` NULL: it names none. */
void support_assert_problem(const struct support *support, unsigned status, const char *code, const char *field);

/* `count` times `piece`, in the arena. */
const char *support_repeat(struct support *support, const char *piece, size_t count);

#endif
