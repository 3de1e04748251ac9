/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/dispatch.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_DIGITS 14

static uint64_t prefix_of(const char *id)
{
	char prefix[PREFIX_DIGITS + 1] = "0";

	if (id && strlen(id) == 24)
		memcpy(prefix, id, PREFIX_DIGITS);
	return strtoull(prefix, NULL, 16);
}

static uint64_t prefix_at(int64_t at_ms)
{
	return (uint64_t)(at_ms / 1000) << 24 | (uint64_t)(at_ms % 1000) << 12;
}

void dispatch_init(struct dispatch *dispatch, const char *newest)
{
	(void)pthread_mutex_init(&dispatch->mutex, NULL);
	dispatch->last = prefix_of(newest);
}

void dispatch_follow(struct dispatch *dispatch, const char *newest)
{
	uint64_t prefix = prefix_of(newest);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&dispatch->mutex);

	(void)lock;
	if (prefix > dispatch->last)
		dispatch->last = prefix;
}

void dispatch_floor(int64_t at_ms, char ret_id[25])
{
	(void)snprintf(ret_id, 25, "%014" PRIx64 "0000000000", prefix_at(at_ms > 0 ? at_ms : 0) & 0xffffffffffffffU);
}

void dispatch_fini(struct dispatch *dispatch)
{
	(void)pthread_mutex_destroy(&dispatch->mutex);
}

void dispatch_next(struct dispatch *dispatch, int64_t now_ms, char ret_id[25])
{
	uint64_t prefix = prefix_at(now_ms);
	char tail[11];

	text_random(5, tail);
	{
		AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&dispatch->mutex);

		(void)lock;
		if (prefix <= dispatch->last)
			prefix = dispatch->last + 1;
		dispatch->last = prefix;
	}
	(void)snprintf(ret_id, 25, "%014" PRIx64 "%s", prefix & 0xffffffffffffffU, tail);
}
