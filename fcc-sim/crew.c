/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/crew.h"

#include "core/base/cleanup.h"
#include "fcc-sim/print.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>

/* GnuTLS and libcurl are content with far less; there may be thousands of threads. */
#define STACK_SIZE (512u << 10)

static void *live(void *data)
{
	struct crew_member *member = data;

	member->exit_code = device_run(&member->device);
	print_ended(member->options, member->serial, &member->device, member->exit_code);
	return NULL;
}

static bool start_thread(struct crew_member *member)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);

	if (error == 0) {
		(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
		error = pthread_create(&member->thread, &attributes, live, member);
		(void)pthread_attr_destroy(&attributes);
	}
	errno = error;
	return error == 0;
}

bool crew_start(const struct options *options, size_t index, const int stop_fds[WIRE_STOPS], struct crew_member *ret_member)
{
	struct fault fault = options_fault(options, index);
	uint16_t port = (uint16_t)(options->port ? options->port + index : 0);
	AUTO(free_ptr) char *folder = NULL;
	int error;

	ret_member->options = options;
	options_serial(options, index, ret_member->serial);
	if (!options_folder(options, index, &folder)) {
		errno = ENOMEM;
		return false;
	}
	if (!device_open(&ret_member->device, options->ip, port, folder, &fault, stop_fds))
		return false;
	if (options->task == OPTIONS_SIMULATE)
		print_listening(options, ret_member->serial, &ret_member->device);
	if (start_thread(ret_member))
		return true;
	error = errno;
	device_close(&ret_member->device);
	errno = error;
	return false;
}

void crew_join(struct crew_member *member)
{
	(void)pthread_join(member->thread, NULL);
}

/* One line; errno says why. */
static void complain(const struct options *options, size_t index)
{
	int error = errno;
	char port[32] = "any port";

	if (options->port)
		(void)snprintf(port, sizeof(port), "port %zu", options->port + index);
	(void)fprintf(stderr, "pep-fcc-sim: gateway %zu of %zu cannot be started at %s, %s: %s%s\n", index + 1, options->count,
		      options->ip, port, strerror(error),
		      error == EADDRINUSE ? "; without --port a free one is taken"
		      : error == EMFILE   ? "; ulimit -n sets how many there can be"
					  : "");
}

/* Returns how many there are: fewer if one cannot be started, or if it is time to stop. */
static size_t start_all(const struct options *options, const int stop_fds[WIRE_STOPS], struct crew_member *members)
{
	for (size_t i = 0; i < options->count; i++) {
		if (i > 0 && wire_wait(-1, 0, stop_fds, 0) == WIRE_STOPPED)
			return i;
		if (!crew_start(options, i, stop_fds, &members[i])) {
			complain(options, i);
			return i;
		}
	}
	return options->count;
}

int crew_run(const struct options *options, int stop_fd)
{
	AUTO(close_fd) int end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const int stop_fds[WIRE_STOPS] = {stop_fd, end_fd};
	AUTO(free_ptr) struct crew_member *members = calloc(options->count, sizeof(*members));
	size_t started = 0;
	int code = DEVICE_EXIT_GOOD;

	if (members && end_fd >= 0)
		started = start_all(options, stop_fds, members);
	else
		complain(options, 0);
	if (started < options->count) {
		(void)eventfd_write(end_fd, 1);
		code = DEVICE_EXIT_ERROR;
	}
	for (size_t i = 0; i < started; i++) {
		crew_join(&members[i]);
		if (options->count == 1)
			code = members[i].exit_code;
		else if (members[i].exit_code != DEVICE_EXIT_GOOD)
			code = DEVICE_EXIT_ERROR;
		device_close(&members[i].device);
	}
	return code;
}
