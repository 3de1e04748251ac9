/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_state.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"

#include <string.h>

void audit_queue_init(struct audit_queue *queue)
{
	*queue = (struct audit_queue){.end = &queue->first};
}

void audit_queue_push(struct audit_queue *queue, struct audit_entry *entry)
{
	entry->next = NULL;
	*queue->end = entry;
	queue->end = &entry->next;
	queue->count++;
}

struct audit_entry *audit_queue_pop(struct audit_queue *queue)
{
	struct audit_entry *entry = queue->first;

	if (!entry)
		return NULL;
	queue->first = entry->next;
	if (!queue->first)
		queue->end = &queue->first;
	queue->count--;
	return entry;
}

void audit_queue_move(struct audit_queue *to, struct audit_queue *from)
{
	if (!from->first)
		return;
	*to->end = from->first;
	to->end = from->end;
	to->count += from->count;
	audit_queue_init(from);
}

void audit_entry_free(struct audit_entry *entry)
{
	if (!entry)
		return;
	free(entry->members);
	free(entry);
}

static void free_json(json_t **value)
{
	json_decref(*value);
}

/* Takes over `event`. */
pep_status audit_entry_new(json_t *event, struct audit_entry **ret_entry, struct pep_error *err)
{
	static const char *const own[] = {"seq", "time", "server", "prev", "hash"};
	AUTO(free_json) json_t *owned = event;
	AUTO(free_ptr) char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;
	struct audit_entry *entry = text ? calloc(1, sizeof(*entry)) : NULL;
	size_t size = text ? strlen(text) : 0;
	bool is_fit = size > 2 && size <= AUDIT_LINE_LIMIT - 1024;

	(void)owned;
	if (!entry)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while auditing");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		is_fit = is_fit && !json_object_get(event, own[i]);
	if (!is_fit) {
		free(entry);
		return pep_fail(err, PEP_INTERNAL, 0,
				"an event is empty, too large, or has a member that each line has by itself; please report this");
	}
	text[size - 1] = '\0';
	memmove(text, text + 1, size - 1);
	entry->members = TAKE(text);
	entry->at_ms = clock_wall_ms();
	*ret_entry = entry;
	return PEP_OK;
}
