/* SPDX-License-Identifier: Apache-2.0
 *
 * identity_events.c - GET /v3/identities/SERIAL/events: what this server's audit has of one serial number.
 */
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/api/trouble.h"
#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/service/audit.h"
#include "core/service/audit_walk.h"

#include <string.h>

#define EVENT_LIMIT 200u
#ifndef LINE_LIMIT        /* a test has less patience */
#define LINE_LIMIT 100000 /* from the record's beginning, and as many before the head: some 90 MB, 0.1 s */
#endif
#define WALK_LIMIT 2u               /* at once: they share the workers with the lookups */
#define BEFORE_MS INT64_C(86400000) /* a unit may have been refused before it got its record */
#define SLACK_MS 60000              /* between the clock of the store and ours */

struct trail {
	const char *serial;
	json_t *events;
	bool is_cut;
	bool has_failed; /* out of memory */
};

static void drop_json(json_t **json)
{
	json_decref(*json);
}

/* What a reader may see of an event; all else stays in the audit. */
static json_t *copy_event(const json_t *event, int64_t at_ms)
{
	static const char *const shown[] = {"event",         "actor",      "outcome",      "code",         "detail",
					    "reason",        "attempt",    "station",      "ms",           "by",
					    "enrollment_id", "request_id", "gateway_read", "program_ended"};
	json_t *copy = json_pack("{sI}", "at_ms", (json_int_t)at_ms);

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		json_t *value = json_object_get(event, shown[i]);

		if (copy && value && json_object_set(copy, shown[i], value) != 0) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

static void add_event(void *context, const json_t *event, int64_t at_ms)
{
	struct trail *trail = context;
	const char *serial = json_string_value(json_object_get(event, "serial"));

	if (!serial || strcmp(serial, trail->serial) != 0)
		return;
	if (json_array_append_new(trail->events, copy_event(event, at_ms)) != 0)
		trail->has_failed = true;
	if (json_array_size(trail->events) <= EVENT_LIMIT)
		return;
	(void)json_array_remove(trail->events, 0);
	trail->is_cut = true;
}

/* `"serial":"..."` as the audit writes it. NULL: out of memory. */
static const char *pattern_of(struct arena *arena, const char *serial)
{
	AUTO(drop_json) json_t *text = json_string(serial);
	AUTO(free_ptr) char *quoted = text ? json_dumps(text, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	return quoted ? arena_format(arena, "\"serial\":%s", quoted) : NULL;
}

/* From the record's beginning on, and if that is too much what is newest, too. Without a record what is newest only. */
static pep_status collect(const struct api_context *api, struct audit_walk *walk, bool has_record, struct audit_walked *walked,
			  struct pep_error *err)
{
	struct trail *trail = walk->context;
	struct audit_walked rest;
	struct audit_head head;
	pep_status status = PEP_OK;

	audit_flush(api->audit);
	audit_head(api->audit, &head);
	if (has_record) {
		walk->line_limit = LINE_LIMIT;
		status = audit_walk(api->config->data_dir, walk, walked, err);
		if (status != PEP_OK || walked->is_end)
			return status;
	}
	walk->since_seq = head.seq - LINE_LIMIT + 1;
	if (has_record && walk->since_seq <= walked->first_seq + LINE_LIMIT)
		walk->since_seq = walked->first_seq + LINE_LIMIT;
	else if (has_record)
		trail->is_cut = true;
	walk->line_limit = 0;
	status = audit_walk(api->config->data_dir, walk, &rest, err);
	if (!has_record)
		*walked = rest;
	return status;
}

static json_t *answer(const struct trail *trail, const struct audit_walked *walked, const struct pep_identity *record)
{
	bool is_early = record ? walked->first_ms <= record->created_ms + SLACK_MS : walked->first_seq <= 1;

	return json_pack("{sO,sI,sb}", "events", trail->events, "since_ms", (json_int_t)walked->first_ms, "complete",
			 is_early && !trail->is_cut);
}

static void show(const struct api_context *api, const struct http_request *request, struct http_reply *reply, const char *serial,
		 const struct pep_identity *record)
{
	AUTO(drop_json) json_t *events = json_array();
	struct trail trail = {.serial = serial, .events = events};
	struct audit_walk walk = {.since_ms = record ? record->created_ms - BEFORE_MS : 0, .each = add_event, .context = &trail};
	struct audit_walked walked = {.first_seq = 0};
	struct pep_error err = {0};
	pep_status status;

	walk.pattern = events ? pattern_of(request->arena, serial) : NULL;
	status = walk.pattern ? collect(api, &walk, record != NULL, &walked, &err)
			      : pep_fail(&err, PEP_NO_MEMORY, 0, "out of memory while reading the audit");
	if (status != PEP_OK || trail.has_failed) {
		log_event(LOG_ERR, "the audit cannot be read", LOG_TEXT("request_id", request->id), LOG_TEXT("error", err.message));
		reply_problem(request, reply, 500, "internal", NULL, "the audit cannot be read; the server's log says why");
	} else if (!record && json_array_size(events) == 0) {
		reply_problem(request, reply, 404, "not_found", NULL, "nothing is known of this serial number");
	} else {
		trouble_json(request, reply, 200, answer(&trail, &walked, record));
	}
}

void api_identity_events(void *context, struct http_request *request, struct http_reply *reply, const char *serial)
{
	static const char *const no_names[] = {NULL};
	struct api_context *api = context;
	const struct pep_identity *record = NULL;
	struct pep_error err = {0};
	pep_status status;

	if (!arguments_check(request, no_names, reply))
		return;
	status = storage_get(api->storage, request->arena, serial, &record, &err);
	if (status != PEP_OK) {
		trouble_reply(request, reply, status, &err);
		return;
	}
	if (atomic_fetch_add(&api->walks, 1) < WALK_LIMIT) {
		show(api, request, reply, serial, record);
	} else {
		reply_problem(request, reply, 503, "busy", NULL, "others are looking through the audit now; ask again");
		reply_retry_after(request, reply, 1);
	}
	(void)atomic_fetch_sub(&api->walks, 1);
}
