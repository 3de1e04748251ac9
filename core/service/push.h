/* SPDX-License-Identifier: Apache-2.0
 *
 * push.h - the subscribers of a server: a thread each, which nothing waits for.
 */
#ifndef CORE_SERVICE_PUSH_H
#define CORE_SERVICE_PUSH_H

#include "core/service/subscriber.h"

struct push;

/* Opens the plugins that config->pushes names, starts nothing. *ret_push is NULL if there are none, which is fine everywhere below.
 * What is given is borrowed until push_close(). PEP_UNSUPPORTED: see note_open(). [main thread] */
pep_status push_open(const struct instance_context *plugins, const struct config *config, struct storage *storage,
		     const char *owner, struct push **ret_push, struct pep_error *err);
/* [main thread] */
pep_status push_start(struct push *push, struct pep_error *err);
/* Waits for deliveries that are under way. [main thread, after every other call returned] */
void push_close(struct push *push);

/* Something was deployed: `context` is a struct push *. Cheap. [any thread] */
void push_wake(void *context);

size_t push_count(const struct push *push);
/* How subscriber `i` is doing. [any thread] */
void push_report(struct push *push, size_t i, struct subscriber_report *ret_report);

#endif
