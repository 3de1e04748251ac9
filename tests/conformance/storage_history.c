/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_history.h"

#include <stdlib.h>

/* The place of an event in the order of its serial: a write that was refused comes after the one that was in its way. */
static int64_t slot_of(const struct history_event *event)
{
	return event->kind == HISTORY_LOST ? event->revision + 1 : event->revision;
}

static int compare(const void *a_pointer, const void *b_pointer)
{
	const struct history_event *a = a_pointer, *b = b_pointer;
	int64_t a_slot = slot_of(a), b_slot = slot_of(b);

	if (a->serial != b->serial)
		return a->serial < b->serial ? -1 : 1;
	if (a_slot != b_slot)
		return a_slot < b_slot ? -1 : 1;
	/* The write that made the revision comes before those that saw it. */
	return (a->kind != HISTORY_WON) - (b->kind != HISTORY_WON);
}

/* The events of one slot, of one serial. `latest`: the latest beginning of what comes before; raised to that with this slot. */
static const char *check_slot(const struct history_event *events, size_t count, uint64_t *latest, struct history_event *ret_bad)
{
	const struct history_event *write = events[0].kind == HISTORY_WON ? &events[0] : NULL;
	uint64_t before = *latest;

	*ret_bad = events[0];
	if (!write && slot_of(&events[0]) != 0)
		return events[0].kind == HISTORY_READ ? "a revision that nobody wrote was read"
						      : "a write was refused without a reason";
	for (size_t i = 0; i < count; i++) {
		*ret_bad = events[i];
		if (write && events[i].kind == HISTORY_WON && i > 0)
			return "two writes made the same revision";
		if (events[i].kind == HISTORY_READ && events[i].value != (write ? write->value : 0))
			return "a revision was read with a value that was not written";
		if (events[i].end < before || (write && events[i].end < write->begin))
			return "a call ended before one began that comes before it";
		/* A refused write may have come at any later time, so nothing has to wait for it. */
		if (events[i].kind != HISTORY_LOST && events[i].begin > *latest)
			*latest = events[i].begin;
	}
	return NULL;
}

/* How many of the events, from the first on, have its serial and its slot. */
static size_t slot_size(const struct history_event *events, size_t count)
{
	size_t size = 1;

	while (size < count && events[size].serial == events[0].serial && slot_of(&events[size]) == slot_of(&events[0]))
		size++;
	return size;
}

const char *history_check(struct history_event *events, size_t count, struct history_event *ret_bad)
{
	const char *problem = NULL;
	uint64_t latest = 0;
	int64_t last_slot = 0;
	size_t size;

	qsort(events, count, sizeof(*events), compare);
	for (size_t first = 0; first < count && !problem; first += size) {
		size = slot_size(events + first, count - first);
		if (first == 0 || events[first].serial != events[first - 1].serial) {
			latest = 0;
			last_slot = 0;
		}
		if (slot_of(&events[first]) > last_slot + 1) {
			*ret_bad = events[first];
			return "a revision was left out";
		}
		last_slot = slot_of(&events[first]);
		problem = check_slot(events + first, size, &latest, ret_bad);
	}
	return problem;
}
