/* SPDX-License-Identifier: Apache-2.0
 *
 * limiter.h - how often may somebody come: token buckets for any number of keys in a constant amount of memory.
 *
 * A bucket that is full says nothing that a new one would not, so the fullest makes room when there is none. Who has enough addresses
 * to push others out has as many full buckets anyway.
 */
#ifndef CORE_ACCESS_LIMITER_H
#define CORE_ACCESS_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#define LIMITER_KEY_SIZE 16u

struct limiter;

/* Each key may come `burst` times at once and `per_minute` times a minute in the long run; both at least 1. NULL: out of memory. */
struct limiter *limiter_new(uint64_t per_minute, uint64_t burst);
/* NULL is fine. */
void limiter_free(struct limiter *limiter);
/* May it come now? False: not for *ret_wait_s seconds, at least 1. `now_ms` never runs backwards by more than threads differ.
 * [any thread] */
bool limiter_take(struct limiter *limiter, const unsigned char key[LIMITER_KEY_SIZE], int64_t now_ms, unsigned *ret_wait_s);

#endif
