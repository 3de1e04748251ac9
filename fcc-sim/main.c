/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-fcc-sim: simulated gateways. Reads the command line and starts what it asks for.
 */
#include "core/base/cleanup.h"
#include "fcc-sim/crew.h"
#include "fcc-sim/line.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

enum { EXIT_USAGE = 2 };

/* A descriptor that can be read from the first SIGINT or SIGTERM on; nobody reads it, so that every thread sees it. */
static int open_stop_signal(void)
{
	sigset_t signals;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
		return -1;
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A device has up to four descriptors. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static bool open_store(const char *folder)
{
	AUTO(close_fd) int fd = -1;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return false;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && faccessat(fd, ".", W_OK | X_OK, 0) == 0;
}

/* Words on standard output; that they did not get out is a failure. */
static int say(const char *text)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return DEVICE_EXIT_GOOD;
	(void)fprintf(stderr, "pep-fcc-sim: standard output cannot be written: %s\n", strerror(errno));
	return DEVICE_EXIT_ERROR;
}

static int run(const struct options *options)
{
	int stop_fd = open_stop_signal();

	if (stop_fd < 0) {
		(void)fprintf(stderr, "pep-fcc-sim: signals cannot be watched: %s\n", strerror(errno));
		return DEVICE_EXIT_ERROR;
	}
	raise_file_limit();
	if (options->store && !open_store(options->store)) {
		(void)fprintf(stderr, "pep-fcc-sim: the folder %s cannot be made or written to: %s\n", options->store,
			      strerror(errno));
		return DEVICE_EXIT_ERROR;
	}
	return options->task == OPTIONS_PROVISION ? line_run(options, stop_fd) : crew_run(options, stop_fd);
}

int main(int argc, char **argv)
{
	struct options options;
	char error[512];

	if (!options_parse(argc, argv, &options, error, sizeof(error))) {
		(void)fprintf(stderr, "pep-fcc-sim: %s; see pep-fcc-sim --help\n", error);
		return EXIT_USAGE;
	}
	if (options.task == OPTIONS_HELP)
		return say(options_help());
	if (options.task == OPTIONS_VERSION)
		return say("pep-fcc-sim " PEP_VERSION "\n");
	return run(&options);
}
