/* SPDX-License-Identifier: Apache-2.0
 *
 * crew.h - many devices that wait for their tools at once, a thread for each.
 */
#ifndef FCC_SIM_CREW_H
#define FCC_SIM_CREW_H

#include "fcc-sim/device.h"
#include "fcc-sim/options.h"

#include <pthread.h>

/* One device with its thread. */
struct crew_member {
	const struct options *options;
	struct device device;
	pthread_t thread;
	int exit_code;
	char serial[OPTIONS_SERIAL_SIZE];
};

/* Opens the device at `index` and starts its life, at whose end it prints how it went. `stop_fds`: see device_open(). The options
 * must outlive it. False: errno says why. */
bool crew_start(const struct options *options, size_t index, const int stop_fds[WIRE_STOPS], struct crew_member *ret_member);
/* Waits for the end of its life; the device stays open, to be looked at, until device_close(). */
void crew_join(struct crew_member *member);

/* Runs options->count devices until all have ended or `stop_fd` can be read; if one cannot be started, the others end, too. Returns
 * the exit code of a single device; of several 0 if all ended well, else 1. */
int crew_run(const struct options *options, int stop_fd);

#endif
