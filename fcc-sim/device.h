/* SPDX-License-Identifier: Apache-2.0
 *
 * device.h - the life of one FCC process: it listens, serves one tool at a time, and ends with its session.
 */
#ifndef FCC_SIM_DEVICE_H
#define FCC_SIM_DEVICE_H

#include "fcc-sim/gateway.h"
#include "fcc-sim/wire.h"

#include <netinet/in.h>

/* The exit codes of the FCC process. */
enum {
	DEVICE_EXIT_GOOD = 0,      /* the last message was answered, whatever the answer was */
	DEVICE_EXIT_ERROR = 1,     /* a framing error, or no answer could be built */
	DEVICE_EXIT_ABORT = 134,   /* a framing error after an answered message: FCC frees memory twice and dies of SIGABRT */
	DEVICE_EXIT_STOPPED = 130, /* ours: told to end before its session did */
};

struct device {
	struct gateway gateway;
	int listen_fd;
	int stop_fds[WIRE_STOPS];
	char ip[INET_ADDRSTRLEN];
	uint16_t port;
	int last_status; /* ReturnStatus of the last message; negative: there was none, or comm status 9 took its place */
};

/* Listens at `ip` (numeric IPv4) and `port`, 0: any free one. `folder`: see store_open(). The descriptors of `stop_fds` (negative:
 * none) stay the caller's; one that can be read ends the life. False: errno says why. */
bool device_open(struct device *device, const char *ip, uint16_t port, const char *folder, const struct fault *fault,
		 const int stop_fds[WIRE_STOPS]);
void device_close(struct device *device);
/* Lives. Returns an exit code; what it accepted is in device->gateway.store. */
int device_run(struct device *device);

#endif
