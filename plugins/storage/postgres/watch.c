/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include "record.h"

#include <time.h>

static int64_t boot_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void watch_init(struct watch *watch)
{
	*watch = (struct watch){0};
	(void)pthread_mutex_init(&watch->lock, NULL);
}

void watch_fini(struct watch *watch)
{
	(void)pthread_mutex_destroy(&watch->lock);
}

static pep_status look(struct watch *watch, struct pool *pool, bool *ret_writable, int64_t *ret_ahead_ms, struct pep_error *err)
{
	const struct session_call call = {.number = QUERY_NOW};
	int64_t asked_ms = boot_ms(), now_ms;
	PGresult *result;
	pep_status status = pool_run(pool, POOL_READ, &call, &result, err);

	if (status != PEP_OK)
		return status;
	now_ms = record_number(result, 0, 0);
	*ret_writable = record_number(result, 0, 1) == 0;
	PQclear(result);
	/* After the answer: what its way took counts as past, so that a lease of another server rather ends late. */
	*ret_ahead_ms = now_ms - boot_ms();
	(void)pthread_mutex_lock(&watch->lock);
	/* Before the question: an answer that was long on its way is old, and would let our own leases end early. */
	watch->looked_boot_ms = asked_ms;
	watch->ahead_ms = *ret_ahead_ms;
	(void)pthread_mutex_unlock(&watch->lock);
	return PEP_OK;
}

pep_status watch_look(struct watch *watch, struct pool *pool, bool *ret_writable, struct pep_error *err)
{
	int64_t ahead_ms;

	return look(watch, pool, ret_writable, &ahead_ms, err);
}

pep_status watch_now(struct watch *watch, struct pool *pool, int64_t *ret_ms, struct pep_error *err)
{
	pep_status status = PEP_OK;
	int64_t now_ms = boot_ms(), ahead_ms;
	bool is_fresh, is_writable;

	(void)pthread_mutex_lock(&watch->lock);
	is_fresh = watch->looked_boot_ms && now_ms - watch->looked_boot_ms < WATCH_FRESH_MS;
	ahead_ms = watch->ahead_ms;
	(void)pthread_mutex_unlock(&watch->lock);
	if (!is_fresh)
		status = look(watch, pool, &is_writable, &ahead_ms, err);
	if (status == PEP_OK)
		*ret_ms = boot_ms() + ahead_ms;
	return status;
}
