/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_write.c - the audit's thread: one write and one sync for all that wait.
 */
#include "core/service/audit_state.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/log.h"

#include <errno.h>
#include <time.h>

#define RETRY_MS 100  /* while the disk does not take it */
#define COLLECT_MS 40 /* how long an event that nobody waits for waits for others: syncs are what costs */
#define WRITE_ROOM ((size_t)AUDIT_WRITE_LIMIT - AUDIT_LINE_LIMIT)

static void seal(struct audit *audit, struct audit_head *head, const struct audit_entry *entry)
{
	char time[AUDIT_TIME_SIZE + 1];

	audit_time(entry->at_ms, time);
	audit_line_seal(&audit->lines, head, time, audit->server, entry->members);
}

/* An event of the audit itself. */
static void seal_own(struct audit *audit, struct audit_head *head, json_t *event)
{
	struct audit_entry *entry = NULL;

	if (audit_entry_new(event, &entry, NULL) == PEP_OK)
		seal(audit, head, entry);
	else
		audit->lines.failed = true;
	audit_entry_free(entry);
}

static json_t *make_resumed(const struct audit *audit)
{
	char since[AUDIT_TIME_SIZE + 1];

	audit_time(audit->failing_since_ms, since);
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "event", "audit_resumed", "actor", "server", "since", since, "refused",
			 (json_int_t)audit->refused_count, "lost", (json_int_t)audit->lost_count);
}

/* What the first lines of a write are, if anything happened to the audit itself. */
static void seal_news(struct audit *audit, struct audit_head *head)
{
	if (audit->file->size == 0 && head->seq > 0)
		seal_own(audit, head,
			 json_pack("{s:s, s:s, s:s}", "event", "segment", "actor", "server", "previous", audit->file->previous));
	if (audit->failing_since_ms)
		seal_own(audit, head, make_resumed(audit));
}

/* As many of `from` as go into one write move to `to`. */
static pep_status write_some(struct audit *audit, struct audit_queue *from, struct audit_queue *to, struct pep_error *err)
{
	struct audit_head head = audit->file->head;
	pep_status status = audit_file_prepare(audit->file, audit->segment_size, err);

	audit->lines.size = 0;
	if (status == PEP_OK)
		seal_news(audit, &head);
	while (from->first && audit->lines.size < WRITE_ROOM) {
		if (status == PEP_OK && from->first->members)
			seal(audit, &head, from->first);
		audit_queue_push(to, audit_queue_pop(from));
		if (audit->lines.failed)
			break;
	}
	if (status == PEP_OK && audit->lines.failed) {
		status = pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while auditing");
		buffer_fini(&audit->lines);
		buffer_init(&audit->lines, AUDIT_WRITE_LIMIT);
	}
	if (status != PEP_OK || !audit->lines.size)
		return status;
	return audit_file_write(audit->file, audit->lines.data, audit->lines.size, &head, err);
}

/* Its caller goes on; the entry may be gone after this. */
static void answer(struct audit_entry *entry, pep_status status, const struct pep_error *err)
{
	sem_t *done = entry->done;

	entry->done = NULL;
	entry->status = status;
	if (status != PEP_OK && entry->err) {
		*entry->err = *err;
		entry->err->status = status;
	}
	if (done)
		(void)sem_post(done);
}

/* On disk. */
static void finish(struct audit_queue *queue)
{
	struct audit_entry *entry;

	while ((entry = audit_queue_pop(queue))) {
		bool is_callers = !entry->is_done_already;

		answer(entry, PEP_OK, NULL);
		if (!is_callers)
			audit_entry_free(entry);
	}
}

/* Not on disk: what can be refused goes into `refused`, the rest is kept; what there is no room for is `lost`. */
static void sort_out(struct audit *audit, struct audit_queue *tried, struct audit_queue *refused, struct audit_queue *lost)
{
	struct audit_entry *entry;

	while ((entry = audit_queue_pop(tried))) {
		if (!entry->is_done_already) {
			audit->refused_count += entry->members != NULL;
			audit_queue_push(refused, entry);
		} else if (audit->kept.count < AUDIT_KEPT_MAX) {
			audit_queue_push(&audit->kept, entry);
		} else {
			audit_queue_push(lost, entry);
		}
	}
	audit->lost_count += lost->count;
}

static void note_failure(struct audit *audit, const struct pep_error *err)
{
	if (!audit->failing_since_ms) {
		audit->failing_since_ms = clock_wall_ms();
		log_event(LOG_ERR, "the audit cannot be written; changes are refused until it can",
			  LOG_TEXT("error", err->message));
	}
}

static void note_success(struct audit *audit)
{
	if (audit->failing_since_ms)
		log_event(LOG_NOTICE, "the audit is written again", LOG_NUMBER("refused", audit->refused_count),
			  LOG_NUMBER("lost", audit->lost_count));
	audit->failing_since_ms = 0;
	audit->refused_count = audit->lost_count = 0;
}

static void publish(struct audit *audit)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&audit->mutex);
	bool is_altered = audit->report.is_altered || audit->file->is_changed;

	(void)lock;
	if (is_altered && !audit->report.is_altered)
		log_event(LOG_ALERT, "somebody else has changed the audit while the server ran; see: pep-server audit verify",
			  LOG_TEXT("file", audit->file->path));
	audit->head = audit->file->head;
	audit->report =
		(struct audit_report){.is_well = !audit->failing_since_ms, .is_altered = is_altered, .waiting = audit->kept.count};
}

/* Nobody goes on before the report says how it is. */
static void fail(struct audit *audit, struct audit_queue *tried, const struct pep_error *err)
{
	struct audit_queue refused, lost;
	struct audit_entry *entry;

	audit_queue_init(&refused);
	audit_queue_init(&lost);
	sort_out(audit, tried, &refused, &lost);
	note_failure(audit, err);
	publish(audit);
	for (entry = audit->kept.first; entry; entry = entry->next)
		answer(entry, PEP_OK, NULL);
	while ((entry = audit_queue_pop(&refused)))
		answer(entry, PEP_UNAVAILABLE, err);
	while ((entry = audit_queue_pop(&lost))) {
		answer(entry, PEP_OK, NULL);
		audit_entry_free(entry);
	}
}

/* What was kept, then `fresh`; after the first write that fails nothing more is tried. */
static void write_all(struct audit *audit, struct audit_queue *fresh)
{
	struct audit_queue todo, tried;
	struct pep_error err = {0};
	pep_status status = PEP_OK;

	audit_queue_init(&todo);
	audit_queue_init(&tried);
	audit_queue_move(&todo, &audit->kept);
	audit_queue_move(&todo, fresh);
	while (status == PEP_OK && (todo.first || audit->failing_since_ms)) {
		status = write_some(audit, &todo, &tried, &err);
		if (status != PEP_OK)
			break;
		note_success(audit);
		publish(audit); /* before who waits goes on and asks for the head */
		finish(&tried);
	}
	if (status != PEP_OK) {
		audit_queue_move(&tried, &todo);
		fail(audit, &tried, &err);
	}
}

static struct timespec in_ms(long ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

/* Under the mutex, as the next. */
static void sleep_until_work(struct audit *audit)
{
	struct timespec until = in_ms(RETRY_MS);
	bool is_late = false;

	audit->is_asleep = true;
	while (!audit->waiting.first && !audit->is_stopping && !is_late) {
		if (audit->report.is_well)
			(void)pthread_cond_wait(&audit->wake, &audit->mutex);
		else
			is_late = pthread_cond_timedwait(&audit->wake, &audit->mutex, &until) == ETIMEDOUT;
	}
	audit->is_asleep = false;
}

static void collect(struct audit *audit)
{
	struct timespec until = in_ms(COLLECT_MS);
	bool is_late = false;

	audit->is_collecting = true;
	while (audit->waiting.first && !audit->waiter_count && !audit->is_stopping && !is_late)
		is_late = pthread_cond_timedwait(&audit->wake, &audit->mutex, &until) == ETIMEDOUT;
	audit->is_collecting = false;
}

void *audit_write_run(void *context)
{
	struct audit *audit = context;
	struct audit_queue fresh;
	bool is_stopping = false;

	audit_queue_init(&fresh);
	while (!is_stopping) {
		(void)pthread_mutex_lock(&audit->mutex);
		sleep_until_work(audit);
		collect(audit);
		audit_queue_move(&fresh, &audit->waiting);
		audit->waiter_count = 0;
		if (audit->dropped_count && !audit->failing_since_ms)
			audit->failing_since_ms = clock_wall_ms(); /* so that it is told */
		audit->lost_count += audit->dropped_count;
		audit->dropped_count = 0;
		is_stopping = audit->is_stopping && !fresh.first;
		(void)pthread_mutex_unlock(&audit->mutex);
		write_all(audit, &fresh);
	}
	return NULL;
}
