/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/recover.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/base/identity.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/adopt.h"
#include "core/service/cursor.h"
#include "core/service/machine.h"
#include "core/service/record.h"

#include <string.h>

/* How soon a tool that outlived an earlier start is asked about again. */
#define AWAIT_MS 100

struct recovery {
	struct provisioner *provisioner;
	int64_t interval_ms;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool stop;
};

/* One step is done; the next is due so many ms from now. */
static void step(struct provisioner *provisioner, int64_t due_ms)
{
	provisioner->recovery_due_work_ms = clock_work_ms() + due_ms;
}

static void tell(const struct provisioner *provisioner, const struct pep_identity *record, uint32_t attempt, const char *by)
{
	const struct provision_settled settled = {.serial = record->serial,
						  .outcome = identity_state_name(record->state),
						  .by = by,
						  .attempt = attempt,
						  .enrollment_id = record->contacted == attempt ? record->enrollment_id : NULL,
						  .detail = record->reason};

	if (provisioner->settled)
		provisioner->settled(provisioner->settled_context, &settled);
}

/* --- the spool --- */

/* One look through it. */
struct replay {
	struct provisioner *provisioner;
	bool is_quiet; /* what waits was reported before */
	bool is_away;  /* the store does not answer: the rest would wait for that again, one after the other */
};

static bool settle(void *context, const struct spool_entry *entry)
{
	struct replay *replay = context;
	struct provisioner *provisioner = replay->provisioner;
	AUTO(arena_fini) struct arena arena = {0};
	const struct pep_identity *record = NULL;
	struct pep_error err = {0};
	pep_status status;

	if (replay->is_away)
		return false;
	step(provisioner, 0);
	status = storage_get(provisioner->storage, &arena, entry->serial, &record, &err);
	replay->is_away = status == PEP_UNAVAILABLE || status == PEP_TIMEOUT;
	if (status == PEP_OK && record && machine_has_delivery(record, entry->attempt))
		return true;
	if (status == PEP_OK)
		status = provision_record_delivery(provisioner, &arena, entry, record, &record, &err);
	if (status != PEP_OK) {
		if (!replay->is_quiet)
			log_event(LOG_WARNING, "a spooled outcome is not stored yet; it is kept", LOG_TEXT("serial", entry->serial),
				  LOG_TEXT("error", err.message));
		return false;
	}
	log_event(LOG_INFO, "a spooled outcome is stored", LOG_TEXT("serial", entry->serial),
		  LOG_TEXT("state", identity_state_name(record->state)));
	tell(provisioner, record, entry->attempt, "spool");
	PEP_FAILPOINT("replayed");
	return machine_has_delivery(record, entry->attempt);
}

static void replay_spool(struct provisioner *provisioner, bool is_quiet)
{
	struct replay replay = {.provisioner = provisioner, .is_quiet = is_quiet};

	spool_replay(provisioner->spool, settle, &replay);
}

/* --- leases: row 13 --- */

static enum machine_verdict decide_lapse(struct arena *arena, const struct pep_identity *record, const void *event,
					 struct pep_identity *next)
{
	(void)arena;
	return record ? machine_lapse(record, event, next) : MACHINE_NOT_MINE;
}

/* Another server with our name does no harm, but who did what cannot be told from the records any more. */
static bool is_namesake(const struct pep_identity *record, const struct machine_lapse *event)
{
	size_t size = (size_t)(strrchr(event->own_owner, '/') + 1 - event->own_owner);

	return record->owner && strncmp(record->owner, event->own_owner, size) == 0 &&
	       !text_equal(record->owner, event->own_name) && !text_equal(record->owner, event->own_owner);
}

static pep_status lapse_one(struct provisioner *provisioner, const struct pep_identity *found, struct machine_lapse event,
			    bool *is_warned, struct pep_error *err)
{
	AUTO(arena_fini) struct arena arena = {0};
	struct record_change change = {.serial = found->serial, .decide = decide_lapse, .event = &event};
	const struct pep_identity *record = NULL;
	enum machine_verdict verdict;
	pep_status status;

	if (!*is_warned && found->lease_until_ms > event.now_ms && is_namesake(found, &event)) {
		log_event(LOG_WARNING,
			  "another server on this store has this server's name, or had this data folder's place; "
			  "give each its own server.name",
			  LOG_TEXT("serial", found->serial), LOG_TEXT("owner", found->owner));
		*is_warned = true;
	}
	/* Its tool still runs, and ends before the lease does: until then the serial is in progress. */
	if (adopt_is_awaited(provisioner, found->nonce))
		event.own_name = NULL;
	status = record_change(provisioner->storage, &arena, &change, &verdict, &record, err);
	if (status == PEP_OK && verdict == MACHINE_WRITE) {
		log_event(LOG_NOTICE, "an unfinished attempt is ended", LOG_TEXT("serial", record->serial),
			  LOG_TEXT("state", identity_state_name(record->state)), LOG_NUMBER("attempt", record->attempt),
			  LOG_TEXT("owner", record->owner));
		tell(provisioner, record, record->attempt, "lease");
	}
	PEP_FAILPOINT("lapsed");
	return status;
}

/* Every record whose lease ended before `lease_before_ms`. */
static pep_status lapse_all(struct provisioner *provisioner, const char *earlier_owner, int64_t lease_before_ms, int64_t now_ms,
			    struct pep_error *err)
{
	struct pep_scan_query query = {.struct_size = sizeof(query), .lease_before_ms = lease_before_ms};
	struct machine_lapse event = {.now_ms = now_ms,
				      .own_name = earlier_owner,
				      .own_owner = provisioner->owner,
				      .opaque = injector_is_opaque(provisioner->injector)};
	const struct pep_identity *found = NULL;
	bool is_warned = false;
	struct storage_scan *scan;
	pep_status status = storage_scan_open(provisioner->storage, &query, &scan, err);

	if (status != PEP_OK)
		return status;
	do {
		step(provisioner, 0);
		status = storage_scan_next(scan, &found, err);
		if (status == PEP_OK && found)
			status = lapse_one(provisioner, found, event, &is_warned, err);
	} while (status == PEP_OK && found);
	storage_scan_close(scan);
	return status;
}

/* Ids that are made here stay behind those of the other servers of the store, also if a clock was set back: see cursor.h. */
static pep_status follow_others(struct provisioner *provisioner, struct pep_error *err)
{
	char newest[25];
	pep_status status;

	if (!(storage_flags(provisioner->storage) & PEP_STORAGE_SHARED))
		return PEP_OK;
	status = cursor_newest(provisioner->storage, newest, err);
	if (status == PEP_OK)
		dispatch_follow(&provisioner->dispatch, newest);
	return status;
}

/* `is_start`: look at all leases, not only at those that have ended. *ret_awaited: how many tools of earlier starts are to be asked about
 * soon; written whatever is returned. */
static pep_status end_leases(struct provisioner *provisioner, const char *earlier_owner, bool is_start, unsigned *ret_awaited,
			     struct pep_error *err)
{
	int64_t now_ms;
	pep_status status;

	/* Before row 13: what is known of an attempt wins over that its server is gone. */
	step(provisioner, 0);
	*ret_awaited = adopt_all(provisioner);
	step(provisioner, 0);
	status = storage_now(provisioner->storage, &now_ms, err);
	if (status == PEP_OK)
		status = lapse_all(provisioner, earlier_owner, is_start ? INT64_MAX : now_ms + 1, now_ms, err);
	return status;
}

pep_status recover_at_start(struct provisioner *provisioner, const char *earlier_owner, struct pep_error *err)
{
	unsigned awaited;

	replay_spool(provisioner, false);
	return end_leases(provisioner, earlier_owner, true, &awaited, err);
}

/* --- the thread --- */

/* False: it is time to stop. */
static bool wait_interval(struct recovery *recovery, int64_t interval_ms)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&recovery->mutex);
	struct timespec until = {0};
	int waited = 0;

	step(recovery->provisioner, interval_ms);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += interval_ms / 1000;
	until.tv_nsec += interval_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!recovery->stop && waited == 0)
		waited = pthread_cond_timedwait(&recovery->wake, lock, &until);
	return !recovery->stop;
}

static void *run(void *context)
{
	struct recovery *recovery = context;
	struct provisioner *provisioner = recovery->provisioner;
	unsigned reported = spool_count(provisioner->spool);
	unsigned awaited = adopt_all(provisioner);
	bool failing = false;

	while (wait_interval(recovery, awaited && recovery->interval_ms > AWAIT_MS ? AWAIT_MS : recovery->interval_ms)) {
		struct pep_error err = {0};
		pep_status status;

		step(provisioner, 0);
		replay_spool(provisioner, spool_count(provisioner->spool) <= reported);
		reported = spool_count(provisioner->spool);
		status = end_leases(provisioner, NULL, false, &awaited, &err);
		if (status == PEP_OK && provisioner->orders)
			status = orders_recover(provisioner->orders, &err);
		step(provisioner, 0);
		if (status == PEP_OK)
			status = follow_others(provisioner, &err);
		/* Once per outage, not once per interval. */
		if (status != PEP_OK && !failing)
			log_event(LOG_WARNING, "expired leases and orders cannot be looked at", LOG_TEXT("error", err.message));
		failing = status != PEP_OK;
	}
	return NULL;
}

pep_status recovery_start(struct provisioner *provisioner, int64_t interval_ms, struct recovery **ret_recovery,
			  struct pep_error *err)
{
	struct recovery *recovery = calloc(1, sizeof(*recovery));
	pthread_condattr_t attributes;

	if (!recovery)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	step(provisioner, 0);
	recovery->provisioner = provisioner;
	recovery->interval_ms = interval_ms;
	(void)pthread_mutex_init(&recovery->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&recovery->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (pthread_create(&recovery->thread, NULL, run, recovery) != 0) {
		free(recovery);
		return pep_fail(err, PEP_NO_MEMORY, 0, "the recovery thread cannot be started");
	}
	*ret_recovery = recovery;
	return PEP_OK;
}

int64_t recovery_late_ms(const struct recovery *recovery)
{
	int64_t late_ms = clock_work_ms() - recovery->provisioner->recovery_due_work_ms;

	return late_ms > 0 ? late_ms : 0;
}

void recovery_stop(struct recovery *recovery)
{
	if (!recovery)
		return;
	(void)pthread_mutex_lock(&recovery->mutex);
	recovery->stop = true;
	(void)pthread_cond_signal(&recovery->wake);
	(void)pthread_mutex_unlock(&recovery->mutex);
	(void)pthread_join(recovery->thread, NULL);
	replay_spool(recovery->provisioner, false);
	(void)pthread_cond_destroy(&recovery->wake);
	(void)pthread_mutex_destroy(&recovery->mutex);
	free(recovery);
}
