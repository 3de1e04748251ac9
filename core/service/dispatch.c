/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/dispatch.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_DIGITS 14

void dispatch_init(struct dispatch *dispatch, const char *newest)
{
	char prefix[PREFIX_DIGITS + 1] = "0";

	if (newest && strlen(newest) == 24)
		memcpy(prefix, newest, PREFIX_DIGITS);
	(void)pthread_mutex_init(&dispatch->mutex, NULL);
	dispatch->last = strtoull(prefix, NULL, 16);
}

void dispatch_fini(struct dispatch *dispatch)
{
	(void)pthread_mutex_destroy(&dispatch->mutex);
}

void dispatch_next(struct dispatch *dispatch, int64_t now_ms, char ret_id[25])
{
	uint64_t prefix = (uint64_t)(now_ms / 1000) << 24 | (uint64_t)(now_ms % 1000) << 12;
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
