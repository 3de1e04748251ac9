/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/audit_file.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_MS 250     /* while the disk does not take it */
#define KEPT_MAX 10000u  /* events in memory meanwhile: some megabytes */
#define TORN_SHOWN 4096u /* bytes of a torn write that its event shows */
#define WRITE_ROOM ((size_t)AUDIT_WRITE_LIMIT - AUDIT_LINE_LIMIT)

/* An event on its way to the disk. */
struct entry {
	struct entry *next;
	char *members; /* what is between its braces */
	int64_t at_ms;
	bool is_done_already;  /* cannot be refused: kept until it is written */
	pep_status status;     /* of the first try */
	struct pep_error *err; /* the caller's until `done` is posted */
	sem_t *done;           /* NULL: nobody waits, or not any more */
};

struct queue {
	struct entry *first, **end;
	unsigned count;
};

struct audit {
	pthread_t thread;
	char server[65];
	off_t segment_size;
	/* the thread's own */
	struct audit_file *file;
	struct buffer lines;
	struct queue kept; /* tried before */
	int64_t failing_since_ms;
	unsigned refused_count, lost_count; /* since then */
	pthread_mutex_t mutex;              /* for what follows */
	pthread_cond_t wake;
	struct queue waiting;
	bool is_asleep, is_stopping;
	struct audit_head head;
	struct audit_report report;
};

/* --- entries --- */

static void queue_init(struct queue *queue)
{
	*queue = (struct queue){.end = &queue->first};
}

static void queue_push(struct queue *queue, struct entry *entry)
{
	entry->next = NULL;
	*queue->end = entry;
	queue->end = &entry->next;
	queue->count++;
}

static struct entry *queue_pop(struct queue *queue)
{
	struct entry *entry = queue->first;

	if (!entry)
		return NULL;
	queue->first = entry->next;
	if (!queue->first)
		queue->end = &queue->first;
	queue->count--;
	return entry;
}

/* `from` behind `to`; `from` is empty then. */
static void queue_move(struct queue *to, struct queue *from)
{
	if (!from->first)
		return;
	*to->end = from->first;
	to->end = from->end;
	to->count += from->count;
	queue_init(from);
}

static void free_entry(struct entry *entry)
{
	if (!entry)
		return;
	free(entry->members);
	free(entry);
}

static void free_json(json_t **value)
{
	json_decref(*value);
}

/* Takes over `event`. */
static pep_status new_entry(json_t *event, struct entry **ret_entry, struct pep_error *err)
{
	static const char *const own[] = {"seq", "time", "server", "prev", "hash"};
	AUTO(free_json) json_t *owned = event;
	AUTO(free_ptr) char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
	struct entry *entry = text ? calloc(1, sizeof(*entry)) : NULL;
	size_t size = text ? strlen(text) : 0;
	bool is_fit = size > 2 && size <= AUDIT_LINE_LIMIT - 1024;

	(void)owned;
	if (!entry)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while auditing");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		is_fit = is_fit && !json_object_get(event, own[i]);
	if (!is_fit) {
		free(entry);
		return pep_fail(err, PEP_INTERNAL, 0,
				"an event is empty, too large, or has a member that each line has by itself; please report this");
	}
	text[size - 1] = '\0';
	memmove(text, text + 1, size - 1);
	entry->members = TAKE(text);
	entry->at_ms = clock_wall_ms();
	*ret_entry = entry;
	return PEP_OK;
}

/* --- the thread: one write for all that wait --- */

static void seal(struct audit *audit, struct audit_head *head, const struct entry *entry)
{
	char time[AUDIT_TIME_SIZE + 1];

	audit_time(entry->at_ms, time);
	audit_line_seal(&audit->lines, head, time, audit->server, entry->members);
}

/* An event of the audit itself. */
static void seal_own(struct audit *audit, struct audit_head *head, json_t *event)
{
	struct entry *entry = NULL;

	if (new_entry(event, &entry, NULL) == PEP_OK)
		seal(audit, head, entry);
	else
		audit->lines.failed = true;
	free_entry(entry);
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
static pep_status write_some(struct audit *audit, struct queue *from, struct queue *to, struct pep_error *err)
{
	struct audit_head head = audit->file->head;
	pep_status status = audit_file_prepare(audit->file, audit->segment_size, err);

	audit->lines.size = 0;
	if (status == PEP_OK)
		seal_news(audit, &head);
	while (from->first && audit->lines.size < WRITE_ROOM) {
		if (status == PEP_OK)
			seal(audit, &head, from->first);
		queue_push(to, queue_pop(from));
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
static void answer(struct entry *entry, pep_status status, const struct pep_error *err)
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
static void finish(struct queue *queue)
{
	struct entry *entry;

	while ((entry = queue_pop(queue))) {
		bool is_callers = !entry->is_done_already;

		answer(entry, PEP_OK, NULL);
		if (!is_callers)
			free_entry(entry);
	}
}

/* Not on disk: refuse what can be refused, keep the rest. */
static void refuse(struct audit *audit, struct queue *queue, const struct pep_error *err)
{
	struct entry *entry;

	while ((entry = queue_pop(queue))) {
		if (!entry->is_done_already) {
			audit->refused_count++;
			answer(entry, PEP_UNAVAILABLE, err);
			continue;
		}
		answer(entry, PEP_OK, NULL);
		if (audit->kept.count < KEPT_MAX) {
			queue_push(&audit->kept, entry);
			continue;
		}
		audit->lost_count++;
		free_entry(entry);
	}
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

/* What was kept, then `fresh`; after the first write that fails nothing more is tried. */
static void write_all(struct audit *audit, struct queue *fresh)
{
	struct queue todo, tried;
	struct pep_error err = {0};
	pep_status status = PEP_OK;

	queue_init(&todo);
	queue_init(&tried);
	queue_move(&todo, &audit->kept);
	queue_move(&todo, fresh);
	while (status == PEP_OK && (todo.first || audit->failing_since_ms)) {
		status = write_some(audit, &todo, &tried, &err);
		if (status != PEP_OK)
			break;
		note_success(audit);
		publish(audit); /* before who waits goes on and asks for the head */
		finish(&tried);
	}
	if (status != PEP_OK) {
		note_failure(audit, &err);
		queue_move(&tried, &todo);
		refuse(audit, &tried, &err);
		publish(audit);
	}
}

/* Under the mutex. */
static void sleep_until_work(struct audit *audit)
{
	struct timespec until;
	bool is_late = false;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += RETRY_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	audit->is_asleep = true;
	while (!audit->waiting.first && !audit->is_stopping && !is_late) {
		if (audit->report.is_well)
			(void)pthread_cond_wait(&audit->wake, &audit->mutex);
		else
			is_late = pthread_cond_timedwait(&audit->wake, &audit->mutex, &until) == ETIMEDOUT;
	}
	audit->is_asleep = false;
}

static void *run(void *context)
{
	struct audit *audit = context;
	struct queue fresh;
	bool is_stopping = false;

	queue_init(&fresh);
	while (!is_stopping) {
		(void)pthread_mutex_lock(&audit->mutex);
		sleep_until_work(audit);
		queue_move(&fresh, &audit->waiting);
		is_stopping = audit->is_stopping && !fresh.first;
		(void)pthread_mutex_unlock(&audit->mutex);
		write_all(audit, &fresh);
	}
	return NULL;
}

/* --- for everybody --- */

static void hand_over(struct audit *audit, struct entry *entry, sem_t *done)
{
	entry->done = done;
	(void)pthread_mutex_lock(&audit->mutex);
	queue_push(&audit->waiting, entry);
	if (audit->is_asleep)
		(void)pthread_cond_signal(&audit->wake);
	(void)pthread_mutex_unlock(&audit->mutex);
	while (sem_wait(done) != 0)
		;
}

pep_status audit_append(struct audit *audit, json_t *event, struct pep_error *err)
{
	struct entry *entry;
	sem_t done;
	pep_status status = new_entry(event, &entry, err);

	if (status != PEP_OK)
		return status;
	entry->err = err;
	(void)sem_init(&done, 0, 0);
	hand_over(audit, entry, &done);
	(void)sem_destroy(&done);
	status = entry->status;
	free_entry(entry);
	return status;
}

void audit_record(struct audit *audit, json_t *event)
{
	struct pep_error err = {0};
	struct entry *entry;
	sem_t done;

	if (new_entry(event, &entry, &err) != PEP_OK) {
		log_event(LOG_ERR, "something that was done is not audited", LOG_TEXT("error", err.message));
		return;
	}
	entry->is_done_already = true;
	(void)sem_init(&done, 0, 0);
	hand_over(audit, entry, &done);
	(void)sem_destroy(&done);
}

void audit_head(struct audit *audit, struct audit_head *ret_head)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&audit->mutex);

	(void)lock;
	*ret_head = audit->head;
}

void audit_report(struct audit *audit, struct audit_report *ret_report)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&audit->mutex);

	(void)lock;
	*ret_report = audit->report;
}

/* --- opening and closing --- */

/* The beginning of it, with what cannot be shown as \xNN and a backslash as two. */
static json_t *torn_text(const char *torn, size_t size)
{
	AUTO(buffer_fini) struct buffer text = {.limit = 0};
	bool was_nul = false;

	buffer_init(&text, 5 * (size_t)TORN_SHOWN);
	for (size_t i = 0; i < size && i < TORN_SHOWN; i++) {
		unsigned char byte = (unsigned char)torn[i];

		if (byte == '\\')
			buffer_text(&text, "\\\\");
		else if (byte >= ' ' && byte <= '~')
			buffer_byte(&text, (char)byte);
		else if (byte || !was_nul || i + 1 == size)
			buffer_format(&text, "\\x%02x", byte);
		was_nul = byte == 0;
	}
	return text.failed ? NULL : json_stringn(text.data, text.size);
}

/* What opening has found is the first thing that is told. */
static void tell_tail(struct audit *audit, const struct audit_tail *tail)
{
	const char *path = audit->file->path;
	char hex[65];

	if (tail->torn) {
		text_sha256(tail->torn, tail->torn_size, hex);
		log_event(LOG_WARNING, "the end of the audit was cut short; an event \"torn\" holds it", LOG_TEXT("file", path),
			  LOG_NUMBER("bytes", (int64_t)tail->torn_size));
		audit_record(audit,
			     json_pack("{s:s, s:s, s:I, s:s, s:o}", "event", "torn", "actor", "server", "bytes",
				       (json_int_t)tail->torn_size, "sha256", hex, "text", torn_text(tail->torn, tail->torn_size)));
	}
	if (tail->altered_count) {
		log_event(LOG_ALERT, "lines of the audit are not as they were written; see: pep-server audit verify",
			  LOG_TEXT("file", path), LOG_NUMBER("lines", tail->altered_count));
		audit_record(audit, json_pack("{s:s, s:s, s:I}", "event", "altered", "actor", "server", "lines",
					      (json_int_t)tail->altered_count));
	}
	if (tail->is_unchained)
		audit_record(audit, json_pack("{s:s, s:s, s:s}", "event", "unchained_kept", "actor", "server", "file",
					      AUDIT_UNCHAINED_NAME));
}

/* The server's signals are not for this thread. */
static int start_thread(struct audit *audit)
{
	sigset_t all, before;
	int cause;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	cause = pthread_create(&audit->thread, NULL, run, audit);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (cause == 0)
		(void)pthread_setname_np(audit->thread, "pep-audit");
	return cause;
}

static void init(struct audit *audit, const struct audit_settings *settings, bool is_altered)
{
	pthread_condattr_t monotonic;

	(void)snprintf(audit->server, sizeof(audit->server), "%s", settings->server);
	audit->segment_size = settings->segment_size;
	buffer_init(&audit->lines, AUDIT_WRITE_LIMIT);
	queue_init(&audit->kept);
	queue_init(&audit->waiting);
	audit->head = audit->file->head;
	audit->report = (struct audit_report){.is_well = true, .is_altered = is_altered};
	(void)pthread_mutex_init(&audit->mutex, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&audit->wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

static void fini(struct audit *audit)
{
	struct entry *entry;

	while ((entry = queue_pop(&audit->kept)))
		free_entry(entry);
	buffer_fini(&audit->lines);
	audit_file_close(audit->file);
	(void)pthread_cond_destroy(&audit->wake);
	(void)pthread_mutex_destroy(&audit->mutex);
	free(audit);
}

pep_status audit_open(const struct audit_settings *settings, struct audit **ret_audit, struct pep_error *err)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	struct audit_tail tail;
	pep_status status;
	int cause;

	if (!audit)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = audit_file_open(settings->folder, &audit->file, &tail, err);
	if (status != PEP_OK) {
		free(audit);
		return status;
	}
	init(audit, settings, tail.altered_count > 0);
	cause = start_thread(audit);
	if (cause == 0) {
		tell_tail(audit, &tail);
		*ret_audit = audit;
	} else {
		fini(audit);
		status = pep_fail(err, PEP_NO_MEMORY, cause, "the audit's thread cannot be started: %s", strerror(cause));
	}
	free(tail.torn);
	return status;
}

void audit_close(struct audit *audit)
{
	if (!audit)
		return;
	(void)pthread_mutex_lock(&audit->mutex);
	audit->is_stopping = true;
	(void)pthread_cond_signal(&audit->wake);
	(void)pthread_mutex_unlock(&audit->mutex);
	(void)pthread_join(audit->thread, NULL);
	if (audit->kept.count || audit->lost_count)
		log_event(LOG_ERR, "events are not audited: the disk did not take them in time",
			  LOG_NUMBER("events", audit->kept.count + (int64_t)audit->lost_count));
	fini(audit);
}
