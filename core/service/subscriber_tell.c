/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/base/identity.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/subscriber_state.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MAX_MS 3600000 /* that the other side may ask for */
#define DEAD_WAIT_MS 60000  /* before a dead letter is tried again that found nobody */

/* What is not for the eyes of an exporter, and what a brief record may lack anyway. */
void strip_record(struct pep_identity *id)
{
	id->verification_key = id->nonce = id->owner = id->idempotency_key = NULL;
	id->request_digest = id->request_id = id->history = NULL;
	id->revision = id->lease_until_ms = 0;
	id->contacted = id->before = 0;
}

/* Whoever it is: it is not this identity's fault. */
static bool is_away(pep_status status)
{
	return status == PEP_UNAVAILABLE || status == PEP_TIMEOUT || status == PEP_CANCELLED || status == PEP_NO_MEMORY ||
	       status == PEP_UNKNOWN;
}

/* Doubles from the first to the longest; somewhat less by chance, so that many servers do not come at once. */
static int64_t backoff_ms(const struct subscriber *subscriber)
{
	int64_t wait_ms = subscriber->setup.retry_ms;
	char random[5];

	for (unsigned i = 1; i < subscriber->failures && wait_ms < subscriber->setup.retry_longest_ms; i++)
		wait_ms *= 2;
	if (wait_ms > subscriber->setup.retry_longest_ms)
		wait_ms = subscriber->setup.retry_longest_ms;
	text_random(2, random);
	return wait_ms - wait_ms * (int64_t)strtoul(random, NULL, 16) / (INT64_C(65536) * 4);
}

static void remember(struct subscriber *subscriber, const struct pep_identity *id)
{
	(void)told_add(&subscriber->subscription.progress.told, id->dispatch_id);
	subscriber->subscription.is_changed = true; /* gather() reserved the memory */
	subscriber->failures = subscriber->refusals = 0;
	subscriber->not_before_ms = 0;
}

static void set_aside(struct subscriber *subscriber, const struct pep_identity *id, const struct pep_error *err)
{
	struct progress *progress = &subscriber->subscription.progress;
	struct dead_letter *letter = &progress->dead[progress->dead_count++];
	size_t size;

	*letter = (struct dead_letter){.since_ms = clock_wall_ms()};
	(void)snprintf(letter->serial, sizeof(letter->serial), "%s", id->serial);
	(void)snprintf(letter->dispatch_id, sizeof(letter->dispatch_id), "%s", id->dispatch_id);
	(void)snprintf(letter->reason, sizeof(letter->reason), "%.160s", err->message);
	/* Cut in the middle of a character, it would not be read again. */
	for (size = strlen(letter->reason); size && !text_is_printable(letter->reason, size); size--)
		letter->reason[size - 1] = '\0';
	log_event(LOG_ERR, "push: refused too often; set aside as a dead letter", LOG_TEXT("push", subscriber->setup.name),
		  LOG_TEXT("serial", id->serial), LOG_TEXT("dispatch_id", id->dispatch_id),
		  LOG_NUMBER("attempts", subscriber->refusals), LOG_TEXT("error", err->message));
	remember(subscriber, id);
}

static void fail(struct subscriber *subscriber, const struct pep_identity *id, int64_t wait_ms, const struct pep_error *err)
{
	int64_t own_ms;

	if (strcmp(subscriber->head, id->dispatch_id) != 0)
		subscriber->failures = subscriber->refusals = 0;
	(void)snprintf(subscriber->head, sizeof(subscriber->head), "%s", id->dispatch_id);
	subscriber->failures++;
	subscriber->refusals += !is_away(err->status);
	say_failing(subscriber, id, err);
	if (subscriber->refusals >= subscriber->setup.attempts && !is_away(err->status)) {
		if (subscriber->subscription.progress.dead_count < PROGRESS_DEAD_MAX) {
			set_aside(subscriber, id, err);
			return;
		}
		if (!subscriber->has_said_full)
			log_event(LOG_ERR, "push: the dead letters are full; nothing goes on until this one is taken",
				  LOG_TEXT("push", subscriber->setup.name), LOG_TEXT("serial", id->serial));
		subscriber->has_said_full = true;
	}
	own_ms = backoff_ms(subscriber);
	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	subscriber->not_before_ms = clock_boot_ms() + (wait_ms > own_ms ? wait_ms : own_ms);
}

static pep_status tell(struct subscriber *subscriber, const struct pep_identity *id, int64_t *ret_wait_ms, struct pep_error *err)
{
	pep_status status = exporter_deliver(subscriber->setup.exporter, id, ret_wait_ms, err);

	if (status == PEP_OK) {
		PEP_FAILPOINT("told");
		subscriber->report.delivered++;
	}
	return status;
}

static bool is_over(const struct subscriber *subscriber, int64_t begun_ms)
{
	return clock_boot_ms() - begun_ms > SUBSCRIBER_TICK_MS || atomic_load(subscriber->setup.stopping);
}

bool tell_batch(struct subscriber *subscriber, struct batch *batch, int64_t begun_ms)
{
	for (; batch->told < batch->count && !is_over(subscriber, begun_ms); batch->told++) {
		const struct pep_identity *id = batch->ids[batch->told];
		struct pep_error err = {0};
		int64_t wait_ms = 0;

		if (tell(subscriber, id, &wait_ms, &err) != PEP_OK) {
			if (!atomic_load(subscriber->setup.stopping))
				fail(subscriber, id, wait_ms, &err);
			return false;
		}
		if (subscriber->report.state == SUBSCRIBER_FAILING)
			wish_dead(subscriber); /* whatever was wrong, somebody may have mended it */
		say_well(subscriber);
		remember(subscriber, id);
	}
	return batch->told == batch->count;
}

/* --- the dead letters --- */

/* The record as it is now, if it still is what the letter says; NULL: it was given another identity, or retired. */
static pep_status find_dead(struct subscriber *subscriber, const struct dead_letter *letter, struct arena *arena,
			    const struct pep_identity **ret_id, struct pep_error *err)
{
	const struct pep_identity *found = NULL;
	struct pep_identity *copy;
	pep_status status = storage_get(subscriber->setup.storage, arena, letter->serial, &found, err);

	*ret_id = NULL;
	if (status != PEP_OK || !found || found->state != PEP_DEPLOYED || !text_equal(found->dispatch_id, letter->dispatch_id))
		return status;
	copy = identity_copy(arena, found);
	if (!copy)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	strip_record(copy);
	*ret_id = copy;
	return PEP_OK;
}

/* *ret_is_gone: it is one no more. False: the store or the other side is away. */
static bool try_dead(struct subscriber *subscriber, const struct dead_letter *letter, bool *ret_is_gone)
{
	AUTO(arena_fini) struct arena arena = {0};
	const struct pep_identity *id = NULL;
	struct pep_error err = {0};
	int64_t wait_ms = 0;
	pep_status status = find_dead(subscriber, letter, &arena, &id, &err);

	if (status != PEP_OK)
		return false;
	if (id)
		status = tell(subscriber, id, &wait_ms, &err);
	*ret_is_gone = status == PEP_OK;
	if (status == PEP_OK)
		log_event(LOG_NOTICE, id ? "push: a dead letter is taken" : "push: a dead letter is obsolete",
			  LOG_TEXT("push", subscriber->setup.name), LOG_TEXT("serial", letter->serial));
	return !is_away(status);
}

void wish_dead(struct subscriber *subscriber)
{
	subscriber->dead_left = subscriber->subscription.progress.dead_count;
	subscriber->dead_not_before_ms = 0;
}

void retry_dead(struct subscriber *subscriber, int64_t begun_ms)
{
	struct progress *progress = &subscriber->subscription.progress;

	if (begun_ms < subscriber->dead_not_before_ms)
		return;
	while (subscriber->dead_left && !is_over(subscriber, begun_ms)) {
		const struct dead_letter letter = progress->dead[0];
		bool is_gone = false;

		if (!try_dead(subscriber, &letter, &is_gone)) {
			subscriber->dead_not_before_ms = clock_boot_ms() + DEAD_WAIT_MS;
			return;
		}
		subscriber->dead_left--;
		progress->dead_count--;
		memmove(progress->dead, progress->dead + 1, progress->dead_count * sizeof(letter));
		if (is_gone) {
			subscriber->subscription.is_changed = true;
			subscriber->has_said_full = false;
		} else {
			progress->dead[progress->dead_count++] = letter;
		}
	}
}
