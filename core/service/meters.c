/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/meters.h"

#include <stdbool.h>
#include <string.h>

const struct meters_ending meters_endings[METERS_ENDINGS] = {
	{"deployed", "deployed"},
	{"deployed", "recorded_locally"},
	{"replayed", "replayed"},
	{"refused", "exists"},
	{"refused", "in_progress"},
	{"refused", "endpoint_busy"},
	{"refused", "idempotency_mismatch"},
	{"refused", "not_expected"},
	{"refused", "quota"},
	{"failed", "gateway_unreachable"},
	{"failed", "gateway_refused"},
	{"failed", "injector_failed"},
	{"failed", "injector_timeout"},
	{"in_doubt", "in_doubt"},
	{"in_doubt", "storage_unavailable"},
	{"not_done", "storage_unavailable"},
	{"not_done", "audit_unavailable"},
	{"not_done", "draining"},
	{"not_done", "busy"},
	{"other", "other"},
	{NULL, NULL},
};

const int64_t meters_bounds_ms[METERS_BUCKETS] = {50, 100, 250, 500, 1000, 2500, 5000, 10000, 20000, 30000, 60000, 120000};

static bool is(const struct meters_ending *ending, const char *result, const char *reason)
{
	return strcmp(ending->result, result) == 0 && strcmp(ending->reason, reason) == 0;
}

static void add_time(struct meters *meters, int64_t ms)
{
	size_t i = 0;

	if (ms < 0)
		ms = 0;
	while (i < METERS_BUCKETS && ms > meters_bounds_ms[i])
		i++;
	meters_count(&meters->buckets[i]);
	atomic_fetch_add_explicit(&meters->sum_ms, (uint64_t)ms, memory_order_relaxed);
}

void meters_add(struct meters *meters, const char *result, const char *reason, int64_t ms)
{
	size_t i = 0;

	while (meters_endings[i + 1].result && !is(&meters_endings[i], result, reason))
		i++;
	meters_count(&meters->endings[i]);
	if (strcmp(result, "deployed") == 0 || strcmp(result, "failed") == 0 || strcmp(result, "in_doubt") == 0)
		add_time(meters, ms);
}
