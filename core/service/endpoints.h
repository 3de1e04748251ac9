/* SPDX-License-Identifier: Apache-2.0
 *
 * endpoints.h - which gateway address is being provisioned for which serial by this server.
 *
 * A courtesy, not a guarantee: it spares an operator two serials on one gateway. Another server has a table of its own.
 */
#ifndef CORE_SERVICE_ENDPOINTS_H
#define CORE_SERVICE_ENDPOINTS_H

#include <pthread.h>
#include <stdint.h>

struct endpoint {
	const char *ip, *serial; /* the holder's, valid while it holds */
	uint16_t port;
	struct endpoint *next;
};

struct endpoints {
	pthread_mutex_t mutex;
	struct endpoint *first;
};

enum endpoints_answer { ENDPOINTS_HELD = 1, ENDPOINTS_SAME_SERIAL, ENDPOINTS_OTHER_SERIAL };

void endpoints_init(struct endpoints *endpoints);
void endpoints_fini(struct endpoints *endpoints);
/* Hold ip and port of *endpoint until endpoints_release(), unless somebody has them. *endpoint is the caller's. [any thread] */
enum endpoints_answer endpoints_hold(struct endpoints *endpoints, struct endpoint *endpoint);
/* Of one that is held. [any thread] */
void endpoints_release(struct endpoints *endpoints, struct endpoint *endpoint);

#endif
