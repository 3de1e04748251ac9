/* SPDX-License-Identifier: Apache-2.0
 *
 * visit.c - one run of the tool, from the server's side: prepare, ask the witness, start the runner, wait, judge.
 */
#include "boot.h"
#include "fcu.h"
#include "job.h"
#include "leftover.h"
#include "process.h"
#include "verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ASK_EVERY_MS = 25,      /* how soon a wait sees that it is cancelled */
	RUNNER_LATE_MS = 10000, /* a runner that has not ended so long after the deadline does not obey */
	LOG_LINES_MAX = 50,     /* of the tool's output */
	LOG_LINE_SIZE_MAX = 400,
};

struct visit {
	struct fcu *fcu;
	const struct pep_target *target;
	const struct pep_identity *id;
	struct pep_witness *witness;
	struct pep_injection *ret;
	struct pep_error *err;
	int64_t deadline_ms;
	char **command, **environment;
	char *text; /* for the result */
	int job;
};

/* --- places --- */

static void sleep_for_place(struct fcu *fcu)
{
	struct timespec until = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ASK_EVERY_MS * 1000000L;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_cond_timedwait(&fcu->freed, &fcu->mutex, &until);
}

static bool try_place(struct fcu *fcu)
{
	bool taken;

	(void)pthread_mutex_lock(&fcu->mutex);
	if (fcu->busy >= fcu->parallel)
		sleep_for_place(fcu);
	taken = fcu->busy < fcu->parallel;
	if (taken)
		fcu->busy++;
	(void)pthread_mutex_unlock(&fcu->mutex);
	return taken;
}

static void give_place(struct fcu *fcu)
{
	(void)pthread_mutex_lock(&fcu->mutex);
	fcu->busy--;
	(void)pthread_cond_signal(&fcu->freed);
	(void)pthread_mutex_unlock(&fcu->mutex);
}

/* Is it still wanted, and is there time? */
static pep_status check_wanted(struct visit *visit, const char *when)
{
	if (visit->witness->cancelled(visit->witness))
		return verdict_not_sent(visit->ret, visit->err, PEP_CANCELLED,
					"the tool for %.64s was not started: the server gave up %s; try again", visit->id->serial,
					when);
	if (boot_ms() >= visit->deadline_ms)
		return verdict_not_sent(visit->ret, visit->err, PEP_TIMEOUT,
					"the tool for %.64s was not started: its time was over %s; try again, or raise parallel",
					visit->id->serial, when);
	return PEP_OK;
}

static pep_status take_place(struct visit *visit)
{
	pep_status status;

	do
		status = check_wanted(visit, "while others ran");
	while (status == PEP_OK && !try_place(visit->fcu));
	return status;
}

/* --- before the start: nothing is touched --- */

/* A helper's error is also what the operator reads. */
static pep_status explain(struct visit *visit, pep_status status)
{
	visit->ret->outcome = PEP_NOT_SENT;
	(void)snprintf(visit->ret->detail, sizeof(visit->ret->detail), "%s", visit->err ? visit->err->message : "");
	return status;
}

/* The tool's TMPDIR; the caller's to free(). NULL: no memory. */
static char *folder_of(const struct fcu *fcu, const struct pep_identity *id)
{
	char *folder = NULL;

	return asprintf(&folder, "%s/%s" JOB_FOLDER_SUFFIX, fcu->files.path, id->nonce) < 0 ? NULL : folder;
}

static pep_status build(struct visit *visit)
{
	const struct fcu *fcu = visit->fcu;
	struct command_values values = fcu->values;
	char *folder = folder_of(fcu, visit->id);
	pep_status status;

	values.serial = visit->id->serial;
	values.ip = visit->target->ip;
	values.port = visit->target->port;
	visit->text = malloc(RESULT_SIZE_MAX);
	if (!visit->text || !folder) {
		free(folder);
		return pep_fail(visit->err, PEP_NO_MEMORY, 0, "fcu: no memory to start the tool");
	}
	status = command_build(fcu->command, &values, &visit->command, visit->err);
	if (status == PEP_OK)
		status = command_environment(values.home, folder, fcu->environment, fcu->secrets, &visit->environment, visit->err);
	free(folder);
	return status;
}

static pep_status prepare(struct visit *visit)
{
	pep_status status = PEP_OK;

	if (!files_is_nonce(visit->id->nonce))
		status = pep_fail(visit->err, PEP_INVALID, 0, "fcu: the attempt has no nonce of 32 hex digits");
	else if (strlen(visit->id->serial) >= RESULT_SERIAL_MAX)
		status = pep_fail(visit->err, PEP_INVALID, 0, "fcu: the serial has over %d bytes", RESULT_SERIAL_MAX - 1);
	if (status == PEP_OK)
		status = build(visit);
	if (status == PEP_OK)
		status = files_make_job(&visit->fcu->files, visit->id, &visit->job, visit->err);
	return status == PEP_OK ? PEP_OK : explain(visit, status);
}

static pep_status ask_witness(struct visit *visit)
{
	pep_status status = check_wanted(visit, "before it was asked for");

	if (status != PEP_OK)
		return status;
	status = visit->witness->contacted(visit->witness, visit->err);
	if (status == PEP_OK)
		return check_wanted(visit, "before the start");
	(void)verdict_not_sent(visit->ret, NULL, status, "the tool for %.64s was not started, as the server no longer wants it",
			       visit->id->serial);
	return status;
}

static pep_status start(struct visit *visit, struct process *ret_process)
{
	const struct fcu *fcu = visit->fcu;
	int64_t left_ms = visit->deadline_ms - boot_ms();
	/* Short ones must not be over before they have begun. */
	int64_t grace_ms = fcu->kill_after_ms < left_ms / 4 ? fcu->kill_after_ms : left_ms / 4;
	const struct process_plan plan = {
		.runner = fcu->runner,
		.state_folder = fcu->files.folder,
		.job = visit->job,
		.nonce = visit->id->nonce,
		.serial = visit->id->serial,
		.deadline_ms = visit->deadline_ms,
		.grace_ms = grace_ms > 0 ? grace_ms : 0,
		.memory_mb = fcu->memory_mb,
		.secrets = fcu->secrets,
		.home = fcu->values.home,
		.command = visit->command,
		.environment = visit->environment,
	};
	pep_status status = process_start(&plan, ret_process, visit->err);

	return status == PEP_OK ? PEP_OK : explain(visit, status);
}

/* --- afterwards --- */

static void wait_for_end(struct visit *visit, struct process *process)
{
	bool is_cancelled = false;

	while (!process_wait(process, ASK_EVERY_MS)) {
		int64_t now_ms = boot_ms();

		if (now_ms >= visit->deadline_ms + RUNNER_LATE_MS) {
			process_kill(process);
		} else if (!is_cancelled && now_ms < visit->deadline_ms && visit->witness->cancelled(visit->witness)) {
			is_cancelled = true;
			process_cancel(process);
		}
	}
}

static void log_line(const struct pep_host *host, int32_t level, const char *serial, const char *line, size_t size)
{
	char text[LOG_LINE_SIZE_MAX + 128];

	if (size > LOG_LINE_SIZE_MAX)
		size = LOG_LINE_SIZE_MAX;
	(void)snprintf(text, sizeof(text), "tool for %.64s: %.*s", serial, (int)size, line);
	host->log(host, level, text);
}

/* The last lines: in full if something went wrong, else for who asks for them. */
static void log_output(const struct pep_host *host, int32_t level, const struct result *result)
{
	const char *end = result->output + result->output_size;
	const char *line = end;

	for (unsigned count = 0; line > result->output && count < LOG_LINES_MAX; count++) {
		line--; /* the newline before */
		while (line > result->output && line[-1] != '\n')
			line--;
	}
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;

		if (stop > line && !memchr(line, '\0', (size_t)(stop - line)))
			log_line(host, level, result->serial, line, (size_t)(stop - line));
		line = stop + 1;
	}
}

/* The tool died with its runner, and not what it had started: nothing of it may reach the gateway once the serial is free. */
static void end_leftover(const struct fcu *fcu, const struct pep_identity *id)
{
	char *folder = folder_of(fcu, id);
	char text[128];

	if (!folder || !leftover_kill(folder)) {
		(void)snprintf(text, sizeof(text), "fcu: something of the tool for %.64s still runs; end it", id->serial);
		fcu->host->log(fcu->host, 3, text);
	}
	free(folder);
}

/* Of an attempt whose runner has ended. */
static pep_status judge(struct fcu *fcu, const struct pep_identity *id, char *text, enum files_state state,
			struct pep_injection *ret, struct pep_error *err)
{
	struct result result;
	pep_status status;

	if (state != FILES_FINISHED) {
		if (state != FILES_NOT_STARTED)
			end_leftover(fcu, id);
		return verdict_of_no_result(id->serial, state != FILES_NOT_STARTED, ret, err);
	}
	ret->outcome = PEP_DOUBTFUL;
	status = files_read_result(&fcu->files, id, text, &result, err);
	if (status != PEP_OK)
		return status;
	status = verdict_of_result(&result, ret, err);
	log_output(fcu->host, status == PEP_OK ? 7 : 6, &result);
	return status;
}

static pep_status finish(struct visit *visit)
{
	enum files_state state = FILES_LOST;
	pep_status status = files_look_ended(&visit->fcu->files, visit->id, &state, visit->err);

	visit->ret->outcome = PEP_DOUBTFUL;
	if (status == PEP_OK)
		status = judge(visit->fcu, visit->id, visit->text, state, visit->ret, visit->err);
	/* What cannot be read was not undone: the tool did run. */
	if (status != PEP_OK && !visit->ret->detail[0] && visit->err) {
		(void)snprintf(visit->ret->detail, sizeof(visit->ret->detail), "%s", visit->err->message);
		status = visit->err->status = PEP_INTERNAL;
	}
	return status;
}

static pep_status run(struct visit *visit)
{
	struct process process;
	pep_status status = prepare(visit);

	if (status == PEP_OK)
		status = ask_witness(visit);
	if (status == PEP_OK)
		status = start(visit, &process);
	if (visit->job >= 0) {
		/* What was never started leaves nothing; from a start on, the lock is the runner's alone. */
		if (status != PEP_OK)
			files_remove(&visit->fcu->files, visit->id->nonce);
		(void)close(visit->job);
	}
	if (status == PEP_OK) {
		wait_for_end(visit, &process);
		status = finish(visit);
	}
	free(visit->command);
	free(visit->environment);
	free(visit->text);
	return status;
}

pep_status visit_inject(struct fcu *fcu, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms,
			struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err)
{
	struct visit visit = {.fcu = fcu,
			      .target = target,
			      .id = id,
			      .witness = witness,
			      .ret = ret,
			      .err = err,
			      .deadline_ms = boot_ms() + timeout_ms,
			      .job = -1};
	pep_status status = take_place(&visit);

	if (status != PEP_OK)
		return status;
	status = run(&visit);
	give_place(fcu);
	return status;
}

/* --- what an earlier start of the server began --- */

static pep_status wait_for_runner(const struct fcu *fcu, const struct pep_identity *id, int64_t deadline_ms,
				  enum files_state *ret_state, struct pep_error *err)
{
	const struct timespec nap = {.tv_nsec = ASK_EVERY_MS * 1000000L};

	for (;;) {
		pep_status status = files_look(&fcu->files, id, ret_state, err);

		if (status != PEP_OK || *ret_state != FILES_RUNNING)
			return status;
		if (boot_ms() >= deadline_ms)
			return pep_fail(err, PEP_TIMEOUT, 0, "fcu: the tool for %.64s still runs", id->serial);
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	}
}

pep_status visit_adopt(struct fcu *fcu, const struct pep_identity *id, int64_t timeout_ms, struct pep_injection *ret,
		       struct pep_error *err)
{
	enum files_state state = FILES_NONE;
	pep_status status;
	char *text;

	ret->outcome = PEP_DOUBTFUL;
	if (!files_is_nonce(id->nonce))
		return pep_fail(err, PEP_INVALID, 0, "fcu: the attempt has no nonce of 32 hex digits");
	status = wait_for_runner(fcu, id, boot_ms() + timeout_ms, &state, err);
	if (status != PEP_OK)
		return status;
	if (state == FILES_NONE || state == FILES_NOT_STARTED)
		return verdict_not_sent(ret, err, PEP_NOT_FOUND, "the tool for %.64s was never started", id->serial);
	text = malloc(RESULT_SIZE_MAX);
	if (!text)
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcu: no memory to read the result of serial %.64s", id->serial);
	status = judge(fcu, id, text, state, ret, err);
	free(text);
	/* A timeout would say that it still runs. */
	return status == PEP_TIMEOUT ? pep_fail(err, PEP_CANCELLED, 0, "%s", ret->detail) : status;
}
