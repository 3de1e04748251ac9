/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/endpoints.h"

#include "core/base/cleanup.h"

#include <string.h>

void endpoints_init(struct endpoints *endpoints)
{
	*endpoints = (struct endpoints){.first = NULL};
	(void)pthread_mutex_init(&endpoints->mutex, NULL);
}

void endpoints_fini(struct endpoints *endpoints)
{
	(void)pthread_mutex_destroy(&endpoints->mutex);
}

/* There are never more than injections at once, a few hundred: a list does. */
enum endpoints_answer endpoints_hold(struct endpoints *endpoints, struct endpoint *endpoint)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&endpoints->mutex);

	(void)lock;
	for (const struct endpoint *held = endpoints->first; held; held = held->next)
		if (held->port == endpoint->port && strcmp(held->ip, endpoint->ip) == 0)
			return strcmp(held->serial, endpoint->serial) == 0 ? ENDPOINTS_SAME_SERIAL : ENDPOINTS_OTHER_SERIAL;
	endpoint->next = endpoints->first;
	endpoints->first = endpoint;
	return ENDPOINTS_HELD;
}

void endpoints_release(struct endpoints *endpoints, struct endpoint *endpoint)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&endpoints->mutex);

	(void)lock;
	for (struct endpoint **at = &endpoints->first; *at; at = &(*at)->next) {
		if (*at == endpoint) {
			*at = endpoint->next;
			return;
		}
	}
}
