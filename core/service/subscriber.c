/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "core/base/identity.h"
#include "core/base/log.h"
#include "core/service/cursor.h"
#include "core/service/subscriber_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char zero_id[] = "000000000000000000000000";

/* Into `batch`: deployed records behind `after` that were not told yet. */
static pep_status gather(struct subscriber *subscriber, const char *after, struct batch *batch, struct pep_error *err)
{
	const struct pep_scan_query query = {.struct_size = sizeof(query), .state = PEP_DEPLOYED, .after = after, .brief = 1};
	struct told *told = &subscriber->subscription.progress.told;
	size_t room = told_reserve(told, SUBSCRIBER_BATCH);
	const struct pep_identity *id = NULL;
	struct storage_scan *scan;
	pep_status status = storage_scan_open(subscriber->setup.storage, &query, &scan, err);

	if (status != PEP_OK)
		return status;
	(void)snprintf(batch->passed, sizeof(batch->passed), "%s", after);
	for (;;) {
		struct pep_identity *copy;

		status = storage_scan_next(scan, &id, err);
		batch->is_whole = status == PEP_OK && !id;
		if (status != PEP_OK || !id)
			break;
		if (!id->dispatch_id || strlen(id->dispatch_id) != PROGRESS_ID_SIZE - 1)
			continue;
		if (!told_has(told, id->dispatch_id)) {
			if (batch->count == room)
				break;
			copy = identity_copy(&batch->arena, id);
			if (!copy) {
				status = pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
				break;
			}
			strip_record(copy);
			batch->ids[batch->count++] = copy;
		}
		(void)snprintf(batch->passed, sizeof(batch->passed), "%s", id->dispatch_id);
	}
	storage_scan_close(scan);
	return status;
}

/* --- a turn --- */

/* The very first time: nothing before this moment, or everything. */
static pep_status set_beginning(struct subscriber *subscriber, struct pep_error *err)
{
	struct progress *progress = &subscriber->subscription.progress;
	struct batch batch = {.is_whole = false};
	pep_status status;

	if (subscriber->setup.from_beginning) {
		(void)snprintf(progress->cursor, sizeof(progress->cursor), "%s", zero_id);
		return PEP_OK;
	}
	status = cursor_now(subscriber->setup.storage, subscriber->setup.lease_ms, progress->cursor, err);
	/* The cursor is of a minute ago: what is behind it already counts as told, as far as there is room for it. */
	for (bool goes_on = status == PEP_OK; goes_on; goes_on = status == PEP_OK && !batch.is_whole && batch.count) {
		batch = (struct batch){.is_whole = false};
		status = gather(subscriber, progress->cursor, &batch, err);
		for (size_t i = 0; i < batch.count; i++)
			(void)told_add(&progress->told, batch.ids[i]->dispatch_id);
		arena_fini(&batch.arena);
	}
	return status;
}

static pep_status take(struct subscriber *subscriber, struct pep_error *err)
{
	struct subscription *subscription = &subscriber->subscription;
	pep_status status = subscription_take(subscription, err);

	if (status == PEP_OK && !*subscription->progress.cursor)
		status = set_beginning(subscriber, err);
	if (status == PEP_OK)
		status = subscription_write(subscription, err);
	if (status != PEP_OK) {
		subscription->is_held = false;
		return status;
	}
	wish_dead(subscriber);
	subscriber->late_ms = 0;
	subscriber->failures = subscriber->refusals = 0;
	log_event(LOG_INFO, "push: begins", LOG_TEXT("push", subscriber->setup.name),
		  LOG_TEXT("cursor", subscription->progress.cursor),
		  LOG_NUMBER("dead_letters", (int64_t)subscription->progress.dead_count));
	say_well(subscriber);
	return PEP_OK;
}

/* Everything up to here was told, and nothing can appear there any more. */
static void advance(struct subscriber *subscriber, const struct batch *batch, const char *horizon)
{
	struct progress *progress = &subscriber->subscription.progress;
	const char *reached = batch->told < batch->count
				      ? (batch->told ? batch->ids[batch->told - 1]->dispatch_id : progress->cursor)
			      : batch->is_whole ? horizon
						: batch->passed;
	bool had_told;

	if (strcmp(horizon, reached) < 0)
		reached = horizon;
	if (strcmp(reached, progress->cursor) <= 0)
		return;
	memmove(progress->cursor, reached, sizeof(progress->cursor));
	had_told = progress->told.count > 0;
	told_forget(&progress->told, progress->cursor);
	/* A cursor that goes on alone needs no write: nothing is behind the old one. */
	if (had_told && !progress->told.count)
		subscriber->subscription.is_changed = true;
}

/* Is it time to look behind the newest, too? Always while something fails, so that it stays the next one. Also before the list of what was told gets long, but not all the time. */
static bool is_late_due(const struct subscriber *subscriber)
{
	int64_t since_ms = clock_boot_ms() - subscriber->late_ms;

	return !subscriber->late_ms || subscriber->failures || since_ms >= subscriber->setup.interval_ms ||
	       (subscriber->subscription.progress.told.count >= 1024 && since_ms >= SUBSCRIBER_TICK_MS / 4);
}

/* Nothing is left. What failed, and is not there any more, was given another identity, or retired. */
static void say_idle(struct subscriber *subscriber, bool is_late)
{
	subscriber->report.backlog = 0;
	if (!is_late)
		return;
	subscriber->failures = subscriber->refusals = 0;
	say_well(subscriber);
}

/* *ret_has_more: there is something left that can be told at once. */
static pep_status work(struct subscriber *subscriber, int64_t begun_ms, bool *ret_has_more, struct pep_error *err)
{
	const struct progress *progress = &subscriber->subscription.progress;
	bool is_late = is_late_due(subscriber);
	const char *after = is_late || !progress->told.count ? progress->cursor : progress->told.ids[progress->told.count - 1];
	char horizon[PROGRESS_ID_SIZE] = "";
	char after_copy[PROGRESS_ID_SIZE];
	struct batch batch = {.is_whole = false};
	pep_status status = PEP_OK;

	(void)snprintf(after_copy, sizeof(after_copy), "%s", after);
	if (is_late)
		status = cursor_now(subscriber->setup.storage, subscriber->setup.lease_ms, horizon, err);
	if (status == PEP_OK)
		status = gather(subscriber, after_copy, &batch, err);
	if (status == PEP_OK) {
		bool is_done = tell_batch(subscriber, &batch, begun_ms);

		if (is_late) {
			advance(subscriber, &batch, horizon);
			subscriber->late_ms = clock_boot_ms();
		}
		if (is_done && batch.is_whole)
			say_idle(subscriber, is_late);
		else if (is_late || subscriber->not_before_ms)
			count_backlog(subscriber);
		*ret_has_more = batch.count > 0 && (!is_done || !batch.is_whole);
	}
	arena_fini(&batch.arena);
	return status;
}

/* What is to be done before anything is told. */
static pep_status prepare(struct subscriber *subscriber, struct pep_error *err)
{
	struct subscription *subscription = &subscriber->subscription;

	if (!subscription->is_held)
		return take(subscriber, err);
	return subscription_is_due(subscription) ? subscription_write(subscription, err) : PEP_OK;
}

static int64_t left_ms(int64_t until_ms)
{
	int64_t ms = until_ms - clock_boot_ms();

	return ms > 0 ? ms : 0;
}

/* For how long there is nothing to do. */
static int64_t next_ms(const struct subscriber *subscriber)
{
	const struct subscription *subscription = &subscriber->subscription;
	int64_t next_ms = SUBSCRIBER_TICK_MS;
	int64_t other_ms = subscriber->setup.interval_ms;

	if (other_ms < next_ms)
		next_ms = other_ms;
	other_ms = left_ms(subscription->written_ms + SUBSCRIBER_NOTE_MS);
	if (subscription->is_changed && other_ms < next_ms)
		next_ms = other_ms;
	other_ms = left_ms(subscriber->not_before_ms);
	if (other_ms && other_ms < next_ms)
		next_ms = other_ms;
	return next_ms;
}

/* Not after each message: that would cost a write to the disk for each. */
static pep_status note(struct subscriber *subscriber, struct pep_error *err)
{
	struct subscription *subscription = &subscriber->subscription;

	if (!subscription->is_changed || left_ms(subscription->written_ms + SUBSCRIBER_NOTE_MS))
		return PEP_OK;
	return subscription_write(subscription, err);
}

int64_t subscriber_turn(struct subscriber *subscriber, bool *ret_is_patient)
{
	int64_t begun_ms = clock_boot_ms();
	struct pep_error err = {0};
	bool has_more = false;
	pep_status status = prepare(subscriber, &err);

	*ret_is_patient = false;
	if (status == PEP_OK && begun_ms >= subscriber->not_before_ms) {
		retry_dead(subscriber, begun_ms);
		status = work(subscriber, begun_ms, &has_more, &err);
	}
	if (status == PEP_OK)
		status = note(subscriber, &err);
	if (status != PEP_OK) {
		if (status == PEP_CONFLICT)
			say_standby(subscriber, &err);
		else
			say_waiting(subscriber, &err);
		return SUBSCRIBER_TICK_MS;
	}
	if (subscriber->report.state == SUBSCRIBER_WAITING)
		say_well(subscriber); /* the store is back */
	subscriber->report.dead_letters = subscriber->subscription.progress.dead_count;
	if (left_ms(subscriber->not_before_ms))
		return next_ms(subscriber);
	*ret_is_patient = true;
	return has_more ? 0 : next_ms(subscriber);
}

/* --- */

pep_status subscriber_new(const struct subscriber_setup *setup, struct subscriber **ret_subscriber, struct pep_error *err)
{
	struct subscriber *subscriber = calloc(1, sizeof(*subscriber));
	pep_status status;

	if (!subscriber)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	subscriber->setup = *setup;
	subscriber->report = (struct subscriber_report){.name = setup->name, .since_ms = clock_wall_ms()};
	subscriber->subscription.owner = setup->owner;
	status = note_open(setup->storage, setup->data_dir, setup->name, &subscriber->subscription.note, err);
	if (status != PEP_OK) {
		subscriber_free(subscriber);
		return status;
	}
	*ret_subscriber = subscriber;
	return PEP_OK;
}

void subscriber_free(struct subscriber *subscriber)
{
	if (!subscriber)
		return;
	progress_fini(&subscriber->subscription.progress);
	buffer_fini(&subscriber->subscription.text);
	note_close(&subscriber->subscription.note);
	free(subscriber);
}

void subscriber_leave(struct subscriber *subscriber)
{
	subscription_leave(&subscriber->subscription);
}

const struct subscriber_report *subscriber_report(const struct subscriber *subscriber)
{
	return &subscriber->report;
}
