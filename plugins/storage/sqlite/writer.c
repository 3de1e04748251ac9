/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

#include "batch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#define LOG_FRAMES_MAX 8000   /* 32 MB: then the log is moved into the file */
#define IDLE_US 1000000L      /* so long without writes, and the log is moved, too */
#define LOG_FRAMES_LATE 16000 /* readers kept it from starting again: wait for them */

struct writer {
	struct writer_setup setup;
	pthread_t thread;
	struct batch_link link; /* the thread's own */
	atomic_bool well;
	pthread_mutex_t mutex; /* for what follows */
	pthread_cond_t wake;
	struct write *first, **end; /* the queue */
	bool asleep;                /* the thread waits for something in it */
	bool stopping;
};

static void say(const struct writer *writer, int32_t level, const char *line)
{
	if (writer->setup.host && writer->setup.host->log)
		writer->setup.host->log(writer->setup.host, level, line);
}

static void push(struct writer *writer, struct write *write)
{
	(void)pthread_mutex_lock(&writer->mutex);
	*writer->end = write;
	writer->end = &write->next;
	if (writer->asleep)
		(void)pthread_cond_signal(&writer->wake);
	(void)pthread_mutex_unlock(&writer->mutex);
}

/* The next one in line, NULL if there is none now. */
static struct write *pop(struct writer *writer)
{
	struct write *write;

	(void)pthread_mutex_lock(&writer->mutex);
	write = writer->first;
	if (write) {
		writer->first = write->next;
		if (!writer->first)
			writer->end = &writer->first;
	}
	(void)pthread_mutex_unlock(&writer->mutex);
	return write;
}

/* Everybody hears the result of the transaction. Who was refused in a transaction that failed was refused because of something
 * that may not be there, so that answer changes, too; but it is certain that nothing of theirs was stored. */
static void answer(struct write *writes, pep_status status, const struct pep_error *err)
{
	struct write *parent = writes;
	unsigned child = 0;

	for (struct write *write = writes; write; write = write->next) {
		if (status != PEP_OK) {
			bool refused = write->status != PEP_OK;

			write->status = refused ? PEP_UNAVAILABLE : status;
			if (write->err) {
				*write->err = *err;
				write->err->status = write->status;
			}
		}
		memset(write->wakes, 0, sizeof(write->wakes));
		if (write == writes)
			continue;
		parent->wakes[child++] = write;
		if (child == WRITE_WAKES) {
			parent = parent->next;
			child = 0;
		}
	}
	/* Waking takes longer than writing, so the callers do it for each other, as a tree: the next transaction begins meanwhile. */
	if (writes)
		(void)sem_post(&writes->done);
}

static pep_status get_ready(struct writer *writer, struct pep_error *err)
{
	pep_status status = place_check_file(writer->setup.place, err);

	if (status == PEP_OK && !writer->link.db) {
		status = batch_link_open(&writer->link, writer->setup.place->path, writer->setup.cache_kib, false, false, err);
		if (status == PEP_OK)
			say(writer, LOG_NOTICE, "opened the store again after an error");
	}
	if (status == PEP_OK)
		status = batch_begin(&writer->link, err);
	return status == PEP_OK ? PEP_OK : PEP_UNAVAILABLE;
}

static struct timespec soon(long us)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += us * 1000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

/* One transaction of what is in the queue, and of what arrives while it is being applied. */
static void run_batch(struct writer *writer)
{
	struct write *writes = NULL, **end = &writes, *write;
	struct pep_error err = {0};
	size_t count = 0;
	pep_status status = get_ready(writer, &err);

	while (count < writer->setup.batch_max) {
		write = pop(writer);
		if (!write)
			break;
		write->next = NULL;
		*end = write;
		end = &write->next;
		count++;
		if (status == PEP_OK)
			status = batch_apply(&writer->link, write, &err);
	}
	if (status == PEP_OK)
		status = batch_commit(&writer->link, &err);
	reader_pool_expire(writer->setup.readers);
	if (status != PEP_OK && atomic_load(&writer->well))
		say(writer, LOG_ERR, err.message);
	atomic_store(&writer->well, status == PEP_OK);
	answer(writes, status, &err);
}

/* Readers that go on seeing an older state would keep the log from being moved before, and from starting again after. */
static void checkpoint(struct writer *writer)
{
	struct pep_error err = {0};
	pep_status status;

	if (!writer->link.db)
		return;
	reader_pool_release(writer->setup.readers);
	status = batch_checkpoint(&writer->link, writer->link.log_frames > LOG_FRAMES_LATE, &err);
	reader_pool_release(writer->setup.readers);
	if (status != PEP_OK && atomic_exchange(&writer->well, false))
		say(writer, LOG_ERR, err.message);
}

/* Under the mutex, which is released meanwhile. */
static void sleep_until_work(struct writer *writer)
{
	struct timespec until = soon(IDLE_US);
	bool late = false;

	writer->asleep = true;
	while (!writer->first && !writer->stopping && !late) {
		if (writer->link.log_frames > 0)
			late = pthread_cond_timedwait(&writer->wake, &writer->mutex, &until) == ETIMEDOUT;
		else
			(void)pthread_cond_wait(&writer->wake, &writer->mutex);
	}
	writer->asleep = false;
	if (late && !writer->first) {
		(void)pthread_mutex_unlock(&writer->mutex);
		checkpoint(writer);
		writer->link.log_frames = 0; /* one try is enough: readers do not stay for ever, and the next commit counts anew */
		(void)pthread_mutex_lock(&writer->mutex);
	}
}

static void *writer_main(void *arg)
{
	struct writer *writer = arg;

	(void)pthread_mutex_lock(&writer->mutex);
	for (;;) {
		if (!writer->first && !writer->stopping)
			sleep_until_work(writer);
		if (!writer->first && writer->stopping)
			break;
		(void)pthread_mutex_unlock(&writer->mutex);
		run_batch(writer);
		/* A full disk may have room again after this: the log starts over. */
		if (writer->link.log_frames > LOG_FRAMES_MAX || !atomic_load(&writer->well))
			checkpoint(writer);
		(void)pthread_mutex_lock(&writer->mutex);
	}
	(void)pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

/* The server's signals are not for this thread. */
static int start_thread(struct writer *writer)
{
	sigset_t all, before;
	int cause;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	cause = pthread_create(&writer->thread, NULL, writer_main, writer);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (cause == 0)
		(void)pthread_setname_np(writer->thread, "pep-sqlite");
	return cause;
}

pep_status writer_new(const struct writer_setup *setup, struct writer **ret_writer, struct pep_error *err)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	pthread_condattr_t monotonic;
	pep_status status;
	int cause;

	if (!writer)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot open %s: out of memory", setup->place->path);
	writer->setup = *setup;
	writer->end = &writer->first;
	atomic_init(&writer->well, true);
	status = batch_link_open(&writer->link, setup->place->path, setup->cache_kib, true, setup->check, err);
	if (status != PEP_OK) {
		free(writer);
		return status;
	}
	(void)pthread_mutex_init(&writer->mutex, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&writer->wake, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	cause = start_thread(writer);
	if (cause == 0) {
		*ret_writer = writer;
		return PEP_OK;
	}
	batch_link_close(&writer->link);
	(void)pthread_cond_destroy(&writer->wake);
	(void)pthread_mutex_destroy(&writer->mutex);
	free(writer);
	return pep_fail(err, PEP_UNAVAILABLE, cause, "cannot start the writer of %s: %s: raise the limit of threads",
			setup->place->path, strerror(cause));
}

void writer_stop(struct writer *writer)
{
	(void)pthread_mutex_lock(&writer->mutex);
	writer->stopping = true;
	(void)pthread_cond_signal(&writer->wake);
	(void)pthread_mutex_unlock(&writer->mutex);
	(void)pthread_join(writer->thread, NULL);
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	batch_link_close(&writer->link);
	(void)pthread_cond_destroy(&writer->wake);
	(void)pthread_mutex_destroy(&writer->mutex);
	free(writer);
}

static pep_status wait_for(struct writer *writer, struct write *write)
{
	if (sem_init(&write->done, 0, 0) != 0)
		return pep_fail(write->err, PEP_UNAVAILABLE, errno, "cannot write to %s: no semaphore", writer->setup.place->path);
	push(writer, write);
	/* One semaphore each: the writer wakes whom it means, not everybody. */
	while (sem_wait(&write->done) != 0)
		;
	for (int i = 0; i < WRITE_WAKES; i++)
		if (write->wakes[i])
			(void)sem_post(&write->wakes[i]->done);
	(void)sem_destroy(&write->done);
	return write->status;
}

pep_status writer_write(struct writer *writer, enum write_kind kind, const struct pep_identity *id, struct pep_error *err)
{
	struct write write = {.kind = kind, .id = id, .err = err};

	return wait_for(writer, &write);
}

pep_status writer_write_note(struct writer *writer, const struct note *note, struct pep_error *err)
{
	struct write write = {.kind = WRITE_NOTE, .note = note, .err = err};

	return wait_for(writer, &write);
}

bool writer_is_well(const struct writer *writer)
{
	return atomic_load(&writer->well);
}
