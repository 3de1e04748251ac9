/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/service/subscriber_state.h"

#include <stdio.h>

#define BACKLOG_MAX 10000u /* counted */

static void set_state(struct subscriber *subscriber, enum subscriber_state state, const char *error)
{
	struct subscriber_report *report = &subscriber->report;

	if (report->state != state)
		report->since_ms = clock_wall_ms();
	report->state = state;
	(void)snprintf(report->error, sizeof(report->error), "%.255s", error);
	report->dead_letters = subscriber->subscription.progress.dead_count;
}

void say_waiting(struct subscriber *subscriber, const struct pep_error *err)
{
	if (subscriber->report.state != SUBSCRIBER_WAITING)
		log_event(LOG_WARNING, "push: the store does not answer; it is tried again",
			  LOG_TEXT("push", subscriber->setup.name), LOG_TEXT("error", err->message));
	set_state(subscriber, SUBSCRIBER_WAITING, err->message);
}

void say_failing(struct subscriber *subscriber, const struct pep_identity *id, const struct pep_error *err)
{
	/* Once per outage: the page tells the rest. */
	if (subscriber->report.state != SUBSCRIBER_FAILING)
		log_event(LOG_WARNING, "push: not taken; it is tried again", LOG_TEXT("push", subscriber->setup.name),
			  LOG_TEXT("serial", id->serial), LOG_NUMBER("status", err->status), LOG_TEXT("error", err->message));
	set_state(subscriber, SUBSCRIBER_FAILING, err->message);
}

void say_well(struct subscriber *subscriber)
{
	if (subscriber->report.state == SUBSCRIBER_FAILING)
		log_event(LOG_NOTICE, "push: taken again", LOG_TEXT("push", subscriber->setup.name),
			  LOG_NUMBER("after_ms", clock_wall_ms() - subscriber->report.since_ms));
	set_state(subscriber, SUBSCRIBER_OK, "");
}

void say_standby(struct subscriber *subscriber, const struct pep_error *err)
{
	if (subscriber->report.state != SUBSCRIBER_STANDBY)
		log_event(LOG_INFO, "push: standing by", LOG_TEXT("push", subscriber->setup.name),
			  LOG_TEXT("reason", err->message));
	subscriber->report.backlog = 0;
	set_state(subscriber, SUBSCRIBER_STANDBY, "");
}

void count_backlog(struct subscriber *subscriber)
{
	const struct progress *progress = &subscriber->subscription.progress;
	const struct pep_scan_query query = {.struct_size = sizeof(query),
					     .limit = (uint32_t)progress->told.count + BACKLOG_MAX,
					     .state = PEP_DEPLOYED,
					     .after = progress->cursor,
					     .brief = 1};
	struct pep_error ignored = {0};
	int64_t count = 0;

	if (storage_count(subscriber->setup.storage, &query, &count, &ignored) != PEP_OK)
		return;
	count -= (int64_t)progress->told.count;
	subscriber->report.backlog = count > 0 ? count : 0;
}
