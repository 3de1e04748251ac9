/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/limiter.h"

#include "core/base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROW_COUNT 512u
#define ROW_SIZE 8u
#define LOCK_COUNT 32u
/* What one coming costs: then a rate of one a minute fills in one unit each millisecond. */
#define COST 60000u
#define IDLE_MS_MAX 86400000 /* so that nothing overflows; any bucket is full after that */

struct bucket {
	unsigned char key[LIMITER_KEY_SIZE];
	uint64_t level;
	int64_t since_ms; /* when that was its level; 0: nobody's */
};

struct limiter {
	uint64_t per_minute, full;
	char seed[17]; /* nobody outside knows which keys share a row */
	pthread_mutex_t locks[LOCK_COUNT];
	struct bucket rows[ROW_COUNT][ROW_SIZE];
};

struct limiter *limiter_new(uint64_t per_minute, uint64_t burst)
{
	struct limiter *limiter = calloc(1, sizeof(*limiter));

	if (!limiter)
		return NULL;
	limiter->per_minute = per_minute;
	limiter->full = burst * COST;
	text_random(8, limiter->seed);
	for (unsigned i = 0; i < LOCK_COUNT; i++)
		(void)pthread_mutex_init(&limiter->locks[i], NULL);
	return limiter;
}

void limiter_free(struct limiter *limiter)
{
	for (unsigned i = 0; limiter && i < LOCK_COUNT; i++)
		(void)pthread_mutex_destroy(&limiter->locks[i]);
	free(limiter);
}

/* FNV-1a, begun with the seed. */
static unsigned row_of(const struct limiter *limiter, const unsigned char *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (unsigned i = 0; i < sizeof(limiter->seed); i++)
		hash = (hash ^ (unsigned char)limiter->seed[i]) * UINT64_C(0x100000001b3);
	for (unsigned i = 0; i < LIMITER_KEY_SIZE; i++)
		hash = (hash ^ key[i]) * UINT64_C(0x100000001b3);
	return (unsigned)((hash >> 32 ^ hash) % ROW_COUNT);
}

static void refill(const struct limiter *limiter, struct bucket *bucket, int64_t now_ms)
{
	int64_t idle_ms = now_ms - bucket->since_ms;

	if (idle_ms <= 0)
		return;
	if (idle_ms > IDLE_MS_MAX)
		idle_ms = IDLE_MS_MAX;
	bucket->level += (uint64_t)idle_ms * limiter->per_minute;
	if (bucket->level > limiter->full)
		bucket->level = limiter->full;
	bucket->since_ms = now_ms;
}

/* The key's bucket; a new one is nobody's, or takes the place of the fullest. */
static struct bucket *find(const struct limiter *limiter, struct bucket *row, const unsigned char *key, int64_t now_ms)
{
	struct bucket *room = row;

	for (unsigned i = 0; i < ROW_SIZE; i++) {
		if (!row[i].since_ms) {
			room = &row[i];
			break;
		}
		refill(limiter, &row[i], now_ms);
		if (memcmp(row[i].key, key, LIMITER_KEY_SIZE) == 0)
			return &row[i];
		if (row[i].level > room->level)
			room = &row[i];
	}
	memcpy(room->key, key, LIMITER_KEY_SIZE);
	room->level = limiter->full;
	room->since_ms = now_ms;
	return room;
}

bool limiter_take(struct limiter *limiter, const unsigned char key[LIMITER_KEY_SIZE], int64_t now_ms, unsigned *ret_wait_s)
{
	unsigned row = row_of(limiter, key);
	pthread_mutex_t *mutex = &limiter->locks[row % LOCK_COUNT];
	struct bucket *bucket;
	uint64_t missing = 0;

	(void)pthread_mutex_lock(mutex);
	bucket = find(limiter, limiter->rows[row], key, now_ms);
	if (bucket->level >= COST)
		bucket->level -= COST;
	else
		missing = COST - bucket->level;
	(void)pthread_mutex_unlock(mutex);
	if (missing)
		*ret_wait_s = (unsigned)((missing / limiter->per_minute + 1000) / 1000);
	return !missing;
}
