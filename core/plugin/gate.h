/* SPDX-License-Identifier: Apache-2.0
 *
 * gate.h - lets one through at a time, and nobody waits longer than he said.
 *
 * pthread_mutex_clocklock() would do, but the thread sanitizer does not know it.
 */
#ifndef CORE_PLUGIN_GATE_H
#define CORE_PLUGIN_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t is_free;
	bool is_taken;
};

/* false: out of memory. */
bool gate_init(struct gate *gate);
void gate_fini(struct gate *gate);
/* Wait up to `timeout_ms`, negative: for ever. true: the caller is through, and calls gate_leave(). [any thread] */
bool gate_enter(struct gate *gate, int64_t timeout_ms);
void gate_leave(struct gate *gate);

#endif
