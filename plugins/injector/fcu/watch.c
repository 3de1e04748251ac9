/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include "boot.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 65536, DRAIN_MAX = 1 << 20 };
enum { FD_SIGNALS, FD_TIMER, FD_OUT, FD_ERR, FD_COUNT };

enum stage { RUNNING, TERMINATED, KILLED };

struct stream {
	int *fd; /* -1: it has ended */
	struct output_scan scan;
	struct tail *tail;
};

struct watch {
	const struct watch_plan *plan;
	struct tool *tool;
	struct watch_report *report;
	struct stream streams[2];
	enum stage stage;
	bool is_cancelled;
};

/* Next look at the clock: an absolute time, so that a machine that slept is not late. */
static void set_timer(const struct watch *watch, int64_t at_ms)
{
	int64_t safe_ms = at_ms > 0 ? at_ms : 0;
	struct itimerspec when = {.it_value = {.tv_sec = safe_ms / 1000, .tv_nsec = safe_ms % 1000 * 1000000 + 1}};

	(void)timerfd_settime(watch->plan->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* The number of bytes; 0: no more now, or never. */
static size_t read_stream(struct stream *stream)
{
	char chunk[CHUNK];
	ssize_t size = read(*stream->fd, chunk, sizeof(chunk));

	if (size > 0) {
		output_scan_feed(&stream->scan, chunk, (size_t)size);
		tail_feed(stream->tail, chunk, (size_t)size);
		return (size_t)size;
	}
	if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
		(void)close(*stream->fd);
		*stream->fd = -1;
	}
	return 0;
}

static bool has_ended(const struct watch *watch, siginfo_t *ret_info)
{
	*ret_info = (siginfo_t){0};
	/* Not reaped: its number stays its own until its group is killed. */
	return waitid(P_PID, (id_t)watch->tool->pid, ret_info, WEXITED | WNOHANG | WNOWAIT) != 0 || ret_info->si_pid != 0;
}

/* SIGTERM, and SIGKILL at the latest at the deadline. What has ended by itself meanwhile was not ended by us. */
static void terminate(struct watch *watch, bool is_cancelled)
{
	const struct watch_plan *plan = watch->plan;
	int64_t kill_ms = boot_ms() + plan->grace_ms;
	siginfo_t info;

	if (watch->stage != RUNNING || has_ended(watch, &info))
		return;
	watch->is_cancelled = is_cancelled;
	watch->stage = TERMINATED;
	tool_signal(watch->tool, SIGTERM);
	/* A stopped one would not see it. */
	tool_signal(watch->tool, SIGCONT);
	set_timer(watch, kill_ms < plan->deadline_ms ? kill_ms : plan->deadline_ms);
}

static void read_timer(struct watch *watch)
{
	uint64_t expirations;

	if (read(watch->plan->timer, &expirations, sizeof(expirations)) != (ssize_t)sizeof(expirations))
		return;
	if (watch->stage == RUNNING) {
		terminate(watch, false);
	} else {
		watch->stage = KILLED;
		tool_signal(watch->tool, SIGKILL);
	}
}

static void read_signal(struct watch *watch)
{
	struct signalfd_siginfo info;

	if (read(watch->plan->signals, &info, sizeof(info)) == (ssize_t)sizeof(info) && info.ssi_signo == SIGTERM)
		terminate(watch, true);
}

static void wait_once(struct watch *watch)
{
	struct pollfd fds[FD_COUNT] = {
		[FD_SIGNALS] = {.fd = watch->plan->signals, .events = POLLIN},
		[FD_TIMER] = {.fd = watch->plan->timer, .events = POLLIN},
		[FD_OUT] = {.fd = *watch->streams[0].fd, .events = POLLIN},
		[FD_ERR] = {.fd = *watch->streams[1].fd, .events = POLLIN},
	};

	if (poll(fds, FD_COUNT, -1) < 0)
		return;
	if (fds[FD_SIGNALS].revents)
		read_signal(watch);
	if (fds[FD_TIMER].revents)
		read_timer(watch);
	/* One piece at a time: a flood must not keep us from the clock. */
	for (size_t i = 0; i < 2; i++)
		if (fds[FD_OUT + i].revents)
			(void)read_stream(&watch->streams[i]);
}

static void tell_end(const struct watch *watch, const siginfo_t *info)
{
	struct watch_report *report = watch->report;

	report->number = info->si_status;
	if (watch->stage != RUNNING)
		report->end = watch->is_cancelled ? RESULT_CANCELLED : RESULT_OVERDUE;
	else
		report->end = info->si_code == CLD_EXITED ? RESULT_EXITED : RESULT_SIGNALLED;
}

/* What it had printed when it ended; who still holds the other end does not keep us. */
static void drain(struct stream *stream)
{
	size_t drained = 0;
	size_t size;

	while (*stream->fd >= 0 && drained < DRAIN_MAX) {
		size = read_stream(stream);
		if (!size)
			break;
		drained += size;
	}
	output_scan_end(&stream->scan);
	tail_end(stream->tail);
	if (*stream->fd >= 0)
		(void)close(*stream->fd);
	*stream->fd = -1;
}

void watch_tool(const struct watch_plan *plan, struct tool *tool, struct watch_report *ret_report)
{
	struct watch watch = {
		.plan = plan,
		.tool = tool,
		.report = ret_report,
		.streams = {{.fd = &tool->out, .tail = &ret_report->out}, {.fd = &tool->err, .tail = &ret_report->err}},
	};
	siginfo_t info;

	for (size_t i = 0; i < 2; i++)
		output_scan_init(&watch.streams[i].scan, &ret_report->found);
	set_timer(&watch, plan->deadline_ms - plan->grace_ms);
	while (!has_ended(&watch, &info))
		wait_once(&watch);
	tell_end(&watch, &info);
	tool_end_all(tool);
	drain(&watch.streams[0]);
	drain(&watch.streams[1]);
}
