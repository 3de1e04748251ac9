/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-fcc-sim: simulated gateways. Reads the command line and starts what it asks for.
 */
#include "fcc-sim/crew.h"
#include "fcc-sim/line.h"

#include <errno.h>
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

static int run(const struct options *options)
{
	int stop_fd = open_stop_signal();

	if (stop_fd < 0) {
		(void)fprintf(stderr, "pep-fcc-sim: signals cannot be watched: %s\n", strerror(errno));
		return DEVICE_EXIT_ERROR;
	}
	raise_file_limit();
	if (options->store && mkdir(options->store, 0700) != 0 && errno != EEXIST) {
		(void)fprintf(stderr, "pep-fcc-sim: the folder %s cannot be made: %s\n", options->store, strerror(errno));
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
	if (options.task == OPTIONS_HELP) {
		(void)fputs(options_help(), stdout);
		return 0;
	}
	if (options.task == OPTIONS_VERSION) {
		(void)puts("pep-fcc-sim " PEP_VERSION);
		return 0;
	}
	return run(&options);
}
