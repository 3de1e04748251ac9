/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_state.h"

#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define TORN_SHOWN 4096u /* bytes of a torn write that its event shows */

/* False: there is no room, and the entry is still the caller's. `done`: who waits for it; NULL: nobody. */
static bool hand_over(struct audit *audit, struct audit_entry *entry, sem_t *done)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&audit->mutex);

	(void)lock;
	if (!done && audit->waiting.count >= AUDIT_KEPT_MAX) {
		audit->dropped_count++;
		return false;
	}
	entry->done = done;
	audit_queue_push(&audit->waiting, entry);
	audit->waiter_count += done != NULL;
	if (audit->is_asleep || (done && audit->is_collecting))
		(void)pthread_cond_signal(&audit->wake);
	return true;
}

static void wait_for(struct audit *audit, struct audit_entry *entry)
{
	sem_t done;

	(void)sem_init(&done, 0, 0);
	(void)hand_over(audit, entry, &done);
	while (sem_wait(&done) != 0)
		;
	(void)sem_destroy(&done);
}

pep_status audit_append(struct audit *audit, json_t *event, struct pep_error *err)
{
	struct audit_entry *entry;
	pep_status status = audit_entry_new(event, &entry, err);

	if (status != PEP_OK)
		return status;
	entry->err = err;
	wait_for(audit, entry);
	status = entry->status;
	audit_entry_free(entry);
	return status;
}

void audit_record(struct audit *audit, json_t *event)
{
	struct pep_error err = {0};
	struct audit_entry *entry;

	if (audit_entry_new(event, &entry, &err) != PEP_OK) {
		log_event(LOG_ERR, "something that was done is not audited", LOG_TEXT("error", err.message));
		return;
	}
	entry->is_done_already = true;
	if (!hand_over(audit, entry, NULL))
		audit_entry_free(entry);
}

void audit_flush(struct audit *audit)
{
	struct audit_entry nothing = {.members = NULL};

	wait_for(audit, &nothing);
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
	audit_flush(audit);
}

/* The server's signals are not for this thread. */
static int start_thread(struct audit *audit)
{
	sigset_t all, before;
	int cause;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	cause = pthread_create(&audit->thread, NULL, audit_write_run, audit);
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
	audit_queue_init(&audit->kept);
	audit_queue_init(&audit->waiting);
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
	struct audit_entry *entry;

	while ((entry = audit_queue_pop(&audit->kept)))
		audit_entry_free(entry);
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
