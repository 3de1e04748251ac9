/* SPDX-License-Identifier: Apache-2.0
 *
 * stage.h - a listener with routes to try everything on, and a gate at which handlers wait until a test lets them go.
 */
#ifndef TESTS_UNIT_HTTP_STAGE_H
#define TESTS_UNIT_HTTP_STAGE_H

#include "core/http/listener.h"

#include <pthread.h>

struct stage {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned held;   /* handlers and producers that have come to the gate so far */
	unsigned passed; /* ... and have gone through */
	bool is_open;
	unsigned filled, closed;           /* pieces of streams made; streams closed */
	struct listener_settings settings; /* .broadcast: of /news, the test's */
	struct listener *listener;
	uint16_t port;
};

/* Routes: /echo (inline: method, path, query, headers X-*, body), /work (the same on a worker), /hold (a worker, waits at a gate), /stuck (inline, waits at the gate),
 * /inject (waits at the gate), /stream?size=N, /rows?size=N (pieces of 100 bytes), /held?size=N (each piece waits at the gate),
 * /broken?size=N, /news, /tail and a star. */
void stage_set(struct stage *stage);
void stage_start(struct stage *stage);
/* listener_stop() and everything else. */
void stage_stop(struct stage *stage, int64_t timeout_ms);
void stage_strike(struct stage *stage);

void stage_wait_held(struct stage *stage, unsigned held);
void stage_wait_passed(struct stage *stage, unsigned passed);
void stage_wait_closed(struct stage *stage, unsigned closed);
void stage_open_gate(struct stage *stage);

#endif
