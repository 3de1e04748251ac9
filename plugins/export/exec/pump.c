/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 16384, LOOK_MS = 200 /* how often an end is looked for that no pipe tells */ };
enum { FD_IN, FD_OUT, FD_ERR, FD_ENDED, FD_COUNT };

/* One call. */
struct turn {
	struct pump *pump;
	struct pep_sink *sink;
	size_t room;
	bool has_moved;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- standard error: lines for the log, not more than some --- */

static void end_log_line(struct pump *pump)
{
	char line[sizeof(pump->log) + 128];

	if (pump->log_size && !pump->is_muted) {
		pump->log[pump->log_size] = '\0';
		(void)snprintf(line, sizeof(line), "%s says: %s", pump->path, pump->log);
		pump->host->log(pump->host, LOG_WARNING, line);
	}
	pump->log_size = 0;
}

static void take_log(struct pump *pump, const char *data, size_t size)
{
	for (size_t i = 0; i < size && !pump->is_muted; i++) {
		if (data[i] == '\n' || pump->log_size == sizeof(pump->log) - 1)
			end_log_line(pump);
		if (data[i] != '\n')
			pump->log[pump->log_size++] = data[i];
		if (++pump->logged == PUMP_LOG_MAX) {
			end_log_line(pump);
			pump->host->log(pump->host, LOG_WARNING, "the rest of what the program says is dropped");
			pump->is_muted = true;
		}
	}
}

/* --- the pipes --- */

/* Nothing more now. False: it has ended, or is broken. */
static bool is_open(ssize_t size)
{
	return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

static void read_log(struct turn *turn)
{
	struct pump *pump = turn->pump;
	char data[CHUNK];
	ssize_t size = read(pump->child.err, data, sizeof(data));

	if (!is_open(size)) {
		end_log_line(pump);
		child_close(&pump->child.err);
	} else if (size > 0) {
		take_log(pump, data, (size_t)size);
	}
}

static pep_status read_output(struct turn *turn)
{
	struct pump *pump = turn->pump;
	char data[CHUNK];
	ssize_t size = read(pump->child.out, data, turn->room < sizeof(data) ? turn->room : sizeof(data));

	if (!is_open(size)) {
		child_close(&pump->child.out);
		turn->has_moved = true;
	} else if (size > 0) {
		turn->room -= (size_t)size;
		turn->has_moved = true;
		return turn->sink->write(turn->sink, data, (size_t)size);
	}
	return PEP_OK;
}

/* A program may end its reading early: then it wants no more of it, and its exit status says whether that is well. */
static void write_line(struct turn *turn)
{
	struct pump *pump = turn->pump;
	ssize_t size = write(pump->child.in, pump->line + pump->line_start, pump->line_size - pump->line_start);

	if (size > 0) {
		pump->line_start += (size_t)size;
		turn->has_moved = true;
	} else if (!is_open(size)) {
		child_close(&pump->child.in);
		turn->has_moved = true;
	}
}

static bool has_line(const struct pump *pump)
{
	return pump->line_start < pump->line_size;
}

static pep_status move_once(struct turn *turn, int timeout_ms)
{
	struct pump *pump = turn->pump;
	struct pollfd fds[FD_COUNT] = {
		[FD_IN] = {.fd = has_line(pump) ? pump->child.in : -1, .events = POLLOUT},
		[FD_OUT] = {.fd = turn->room ? pump->child.out : -1, .events = POLLIN},
		[FD_ERR] = {.fd = pump->child.err, .events = POLLIN},
		[FD_ENDED] = {.fd = pump->child.out < 0 && !has_line(pump) ? pump->child.ended : -1, .events = POLLIN},
	};

	if (poll(fds, FD_COUNT, timeout_ms) <= 0)
		return PEP_OK;
	if (fds[FD_ERR].revents)
		read_log(turn);
	if (fds[FD_IN].revents)
		write_line(turn);
	return fds[FD_OUT].revents ? read_output(turn) : PEP_OK;
}

/* --- what it was called for --- */

static pep_status explain_end(struct pump *pump, int status, struct pep_error *err)
{
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return PEP_OK;
	if (status >= 0 && WIFEXITED(status))
		return pep_fail(err, PEP_INTERNAL, WEXITSTATUS(status),
				"exec: %.200s ended with exit code %d; the log has what it said", pump->path, WEXITSTATUS(status));
	return pep_fail(err, PEP_INTERNAL, status, "exec: %.200s was ended by signal %d", pump->path,
			status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* Its output has ended, and so has it: what is left on standard error is read, and its exit code judged. */
static pep_status finish(struct turn *turn, struct pep_error *err)
{
	struct pump *pump = turn->pump;

	for (int i = 0; i < PUMP_LOG_MAX / 512 && pump->child.err >= 0 && !pump->is_muted; i++) {
		struct pollfd fd = {.fd = pump->child.err, .events = POLLIN};

		if (poll(&fd, 1, 0) <= 0)
			break;
		read_log(turn);
	}
	end_log_line(pump);
	return explain_end(pump, child_end(&pump->child), err);
}

/* Of a program that reads no more. */
static void drop_line(struct pump *pump)
{
	pump->line_start = pump->line_size = 0;
}

/* True: there is nothing left to wait for. */
static bool is_done(struct pump *pump)
{
	if (pump->child.in < 0)
		drop_line(pump);
	if (has_line(pump))
		return false;
	if (!pump->is_ending)
		return true;
	child_close(&pump->child.in);
	return pump->child.out < 0 && child_has_ended(&pump->child);
}

static pep_status check_time(const struct turn *turn, int64_t silent_ms, struct pep_error *err)
{
	const struct pump *pump = turn->pump;

	if (silent_ms >= pump->silence_ms)
		return pep_fail(err, PEP_INTERNAL, 0, "exec: %.200s neither read nor wrote for %lld ms; it is killed", pump->path,
				(long long)silent_ms);
	if (pump->waited_ms >= pump->limit_ms)
		return pep_fail(err, PEP_INTERNAL, 0, "exec: %.200s took longer than %lld ms; it is killed", pump->path,
				(long long)pump->limit_ms);
	return PEP_OK;
}

pep_status pump_move(struct pump *pump, struct pep_sink *sink, bool *ret_more, struct pep_error *err)
{
	struct turn turn = {.pump = pump, .sink = sink, .room = PEP_SINK_ROOM};
	int64_t before_ms = now_ms(), silent_since_ms = before_ms;
	pep_status status = PEP_OK;

	*ret_more = false;
	/* No need to walk over the rest of the records for what is lost already. */
	if (!pump->is_ending && pump->child.in < 0 && child_has_failed(&pump->child))
		return finish(&turn, err);
	while (!is_done(pump)) {
		int64_t after_ms;

		if (!turn.room) {
			*ret_more = true;
			return PEP_OK;
		}
		turn.has_moved = false;
		status = move_once(&turn, LOOK_MS);
		after_ms = now_ms();
		pump->waited_ms += after_ms - before_ms;
		before_ms = after_ms;
		if (turn.has_moved)
			silent_since_ms = after_ms;
		if (status != PEP_OK)
			return pep_fail(err, status, 0, "exec: the output of %.200s is not wanted any more", pump->path);
		status = check_time(&turn, after_ms - silent_since_ms, err);
		if (status != PEP_OK)
			return status;
	}
	return pump->is_ending && pump->child.pid ? finish(&turn, err) : PEP_OK;
}
