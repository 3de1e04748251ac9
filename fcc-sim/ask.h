/* SPDX-License-Identifier: Apache-2.0
 *
 * ask.h - asks pep over HTTP to provision one gateway. An asker is for one thread.
 */
#ifndef FCC_SIM_ASK_H
#define FCC_SIM_ASK_H

#include <stdbool.h>
#include <stdint.h>

struct asker; /* one connection, kept open */

struct ask_reply {
	char failure
		[65];  /* the header Pep-Error, "unreachable", "unreadable" or "http_STATUS"; "": pep says that it is provisioned */
	char why[512]; /* of "unreachable": a line for people; else "" */
	char enrollment_id[128];
};

/* `url` without the path. `stop_fd`: when it can be read, asking is given up. NULL: no memory. */
struct asker *ask_open(const char *url, long timeout_s, int stop_fd);
void ask_close(struct asker *asker);
/* POST /v3/identity. */
void ask_provision(struct asker *asker, const char *serial, const char *ip, uint16_t port, struct ask_reply *ret_reply);

#endif
