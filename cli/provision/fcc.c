/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/fcc.h"

#include "cli/interrupt.h"
#include "cli/provision/child.h"
#include "core/base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LINE_ROOM 512
#define LOG_LIMIT ((size_t)4 << 20)
#define END_MS 2000
#define LOOK_MS 100
/* Of what is still in the terminal when FCC has ended. */
#define REST_READS 64

struct fcc {
	pid_t pid;
	int terminal; /* our end of it */
	int log;      /* -1: none */
	int wake;     /* an eventfd */
	size_t logged;
	pthread_t reader;
	bool has_reader;
	char line[LINE_ROOM]; /* what came of the current line */
	size_t line_size;
	char last[LINE_ROOM]; /* the last whole line that is not empty */
	char address[16], port[6];
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool fcc_find_address(const char *line, char ret_address[16], char ret_port[6])
{
	struct in_addr parsed;

	for (const char *at = line; *at; at++) {
		size_t size = strspn(at, "0123456789."), port_size;
		const char *port = at + size;
		char address[16];

		if (size < 7 || size > 15 || (at > line && strchr("0123456789.", at[-1])))
			continue;
		(void)snprintf(address, sizeof(address), "%.*s", (int)size, at);
		port += strspn(port, " \t");
		if (*port != ':' || inet_pton(AF_INET, address, &parsed) != 1)
			continue;
		port += 1 + strspn(port + 1, " \t");
		port_size = strspn(port, "0123456789");
		if (!port_size || port_size > 5 || port[0] == '0')
			continue;
		memcpy(ret_address, address, sizeof(address));
		(void)snprintf(ret_port, 6, "%.*s", (int)port_size, port);
		return strtol(ret_port, NULL, 10) <= 65535;
	}
	return false;
}

const char *fcc_address(const struct fcc *fcc)
{
	return fcc->address;
}

const char *fcc_port(const struct fcc *fcc)
{
	return fcc->port;
}

static void take_output(struct fcc *fcc, const char *data, size_t size)
{
	if (fcc->log >= 0 && fcc->logged + size <= LOG_LIMIT && write(fcc->log, data, size) == (ssize_t)size)
		fcc->logged += size;
	for (size_t i = 0; i < size && !fcc->port[0]; i++) {
		if (data[i] != '\n' && data[i] != '\r') {
			if (fcc->line_size + 1 < sizeof(fcc->line))
				/* Its last words come before people, and on terminals. */
				fcc->line[fcc->line_size++] = (char)(data[i] == '\t'                    ? ' '
								     : data[i] >= ' ' && data[i] <= '~' ? data[i]
													: '?');
			continue;
		}
		fcc->line[fcc->line_size] = '\0';
		if (fcc->line_size)
			memcpy(fcc->last, fcc->line, sizeof(fcc->last));
		fcc->line_size = 0;
		if (!fcc_find_address(fcc->last, fcc->address, fcc->port))
			fcc->port[0] = '\0';
	}
}

/* Reads what is there. False: FCC has gone, or there is nothing to read from. */
static bool read_some(struct fcc *fcc)
{
	char part[4096];
	ssize_t got = read(fcc->terminal, part, sizeof(part));

	if (got > 0)
		take_output(fcc, part, (size_t)got);
	/* A terminal without its other end says EIO. */
	return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/* After the line nobody looks, but FCC must never wait for us to read. What it started and left behind may hold the terminal open for
 * ever, so the end of FCC is told by `wake`. */
static void *read_on(void *ctx)
{
	struct fcc *fcc = ctx;
	struct pollfd both[] = {{.fd = fcc->terminal, .events = POLLIN}, {.fd = fcc->wake, .events = POLLIN}};
	unsigned rest = REST_READS;

	while (rest && (poll(both, 2, -1) >= 0 || errno == EINTR)) {
		if (both[1].revents)
			rest = both[0].revents ? rest - 1 : 0;
		if (both[0].revents && !read_some(fcc))
			break;
	}
	return NULL;
}

static int wait_for_line(struct fcc *fcc, const struct fcc_call *call, struct failure *err)
{
	int64_t deadline_ms = now_ms() + call->limit_ms;
	struct pollfd terminal = {.fd = fcc->terminal, .events = POLLIN};
	bool open = true;

	while (open && !fcc->port[0] && now_ms() < deadline_ms) {
		if (interrupt_signal())
			return interrupt_failure(err);
		if (poll(&terminal, 1, LOOK_MS) > 0)
			open = read_some(fcc);
	}
	if (fcc->port[0])
		return EXIT_OK;
	(void)failure_set(err, EXIT_LOCAL_FILE, "fcc_failed", "%s %s; its last words: %.300s", call->program,
			  open ? "printed no address in time" : "ended before it printed its address",
			  fcc->last[0] ? fcc->last : "(none)");
	err->retryable = true;
	return err->exit_code;
}

/* A new terminal that passes bytes as they are. The end for the child; -1: errno. */
static int open_terminal(struct fcc *fcc)
{
	struct termios mode;
	char name[64];
	int fd;

	fcc->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fcc->terminal < 0 || grantpt(fcc->terminal) != 0 || unlockpt(fcc->terminal) != 0 ||
	    ptsname_r(fcc->terminal, name, sizeof(name)) != 0)
		return -1;
	fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && tcgetattr(fd, &mode) == 0) {
		cfmakeraw(&mode);
		(void)tcsetattr(fd, TCSANOW, &mode);
	}
	return fd;
}

static int spawn(struct fcc *fcc, const struct fcc_call *call)
{
	AUTO(close_fd) int theirs = open_terminal(fcc);
	const char *const argv[] = {call->program, NULL}, *set = getenv("ETHERNET_LINUX_IFACE_NAME");
	char interface[64];
	const char *extra[] = {NULL, NULL};
	struct child_call child = {.argv = argv, .extra = extra, .folder = call->folder, .terminal = theirs};

	if (theirs < 0)
		return errno;
	if (!(set && set[0]) && call->interface && call->interface[0]) {
		(void)snprintf(interface, sizeof(interface), "ETHERNET_LINUX_IFACE_NAME=%.31s", call->interface);
		extra[0] = interface;
	}
	fcc->pid = child_start(&child);
	return fcc->pid > 0 ? 0 : errno;
}

/* All signals are the main thread's. */
static bool start_reader(struct fcc *fcc)
{
	sigset_t all, before;

	fcc->wake = eventfd(0, EFD_CLOEXEC);
	if (fcc->wake < 0)
		return false;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	fcc->has_reader = pthread_create(&fcc->reader, NULL, read_on, fcc) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return fcc->has_reader;
}

int fcc_start(const struct fcc_call *call, struct fcc **ret_fcc, struct failure *err)
{
	AUTO(fcc_drop) struct fcc *fcc = calloc(1, sizeof(*fcc));
	int error, code;

	if (!fcc)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	fcc->terminal = fcc->wake = -1;
	fcc->log = call->log ? open(call->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	error = spawn(fcc, call);
	if (error) {
		(void)failure_set(err, EXIT_LOCAL_FILE, "fcc_failed", "%s cannot be started: %s", call->program, strerror(error));
		err->retryable = error == EAGAIN || error == ETXTBSY;
		return err->exit_code;
	}
	code = wait_for_line(fcc, call, err);
	if (code == EXIT_OK && !start_reader(fcc))
		code = failure_set(err, EXIT_OTHER, "no_memory", "no thread for the output of %s", call->program);
	if (code == EXIT_OK)
		*ret_fcc = TAKE(fcc);
	return code;
}

void fcc_stop(struct fcc **fcc, int64_t grace_ms)
{
	struct fcc *stopped = TAKE(*fcc);
	int status;

	if (!stopped)
		return;
	/* What it has started must go too, also when it has ended itself. */
	if (stopped->pid > 0 && (!grace_ms || !child_wait(stopped->pid, grace_ms, &status)))
		child_end(stopped->pid, END_MS);
	else if (stopped->pid > 0)
		(void)kill(-stopped->pid, SIGKILL);
	if (stopped->has_reader) {
		(void)eventfd_write(stopped->wake, 1);
		(void)pthread_join(stopped->reader, NULL);
	}
	if (stopped->wake >= 0)
		(void)close(stopped->wake);
	if (stopped->terminal >= 0)
		(void)close(stopped->terminal);
	if (stopped->log >= 0)
		(void)close(stopped->log);
	free(stopped);
}

void fcc_drop(struct fcc **fcc)
{
	fcc_stop(fcc, 0);
}
