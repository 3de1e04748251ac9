/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/export.h"

#include "core/base/identity.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/survey.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

/* Room for a whole call of the exporter is left until the first half is full. */
#define CHUNK_SIZE (2 * (size_t)PEP_SINK_ROOM)

enum phase { PHASE_RECORDS, PHASE_ENDED, PHASE_DONE, PHASE_BROKEN }; /* ended: but for the rest */

struct walk {
	struct stream stream;      /* first: what the reader holds */
	struct export_order order; /* what is borrowed until the end; its texts are not */
	struct storage_scan *scan;
	struct exporter_run *run;
	struct survey survey;
	struct pep_sink sink;
	enum phase phase;
	bool can_rest;     /* the exporter's calls may leave a rest */
	bool has_rest;     /* of the exporter's last call: it has not said yet that there is no more */
	size_t call_room;  /* what the exporter may still write in this call */
	size_t start, end; /* of what is made and not yet taken */
	int64_t count;     /* records written */
	int64_t sent;      /* bytes taken by the reader */
	struct sha256_ctx digest;
	bool is_whole;          /* the reader has taken everything */
	struct audit_head head; /* that its reader was told */
	char actor[129], request_id[65], category[129], station[129];
	char chunk[CHUNK_SIZE];
};

static pep_status export_write(struct pep_sink *sink, const void *data, size_t size)
{
	struct walk *walk = sink->ctx;

	if (size > walk->call_room)
		return PEP_LIMIT;
	if (size)
		memcpy(walk->chunk + walk->end, data, size);
	walk->end += size;
	walk->call_room -= size;
	return PEP_OK;
}

static struct pep_sink *open_sink(struct walk *walk)
{
	walk->call_room = PEP_SINK_ROOM;
	return &walk->sink;
}

/* A page ends with the record with which the next one begins behind, not with a number: one that appeared meanwhile is in it. */
static bool is_behind(const struct walk *walk, const struct pep_identity *id)
{
	if (!walk->survey.has_more)
		return false;
	if (walk->survey.has_last)
		return !id->dispatch_id || strcmp(id->dispatch_id, walk->survey.last) > 0;
	return walk->count == walk->order.selection.limit;
}

/* One call of the exporter: for the rest of the last call, for a record, or for the end. */
static pep_status step(struct walk *walk, struct pep_error *err)
{
	const struct pep_identity *id;
	pep_status status;

	if (walk->has_rest) {
		status = exporter_rest(walk->run, open_sink(walk), &walk->has_rest, err);
		if (status == PEP_OK && !walk->has_rest && walk->phase == PHASE_ENDED)
			walk->phase = PHASE_DONE;
		return status;
	}
	status = storage_scan_next(walk->scan, &id, err);
	if (status != PEP_OK)
		return status;
	if (id && !selection_takes(&walk->order.selection, id))
		return PEP_OK;
	walk->has_rest = walk->can_rest;
	if (id && !is_behind(walk, id)) {
		walk->count++;
		return exporter_record(walk->run, open_sink(walk), id, err);
	}
	status = exporter_end(walk->run, open_sink(walk), err);
	walk->phase = walk->can_rest ? PHASE_ENDED : PHASE_DONE;
	return status;
}

static bool is_active(const struct walk *walk)
{
	return walk->phase == PHASE_RECORDS || walk->phase == PHASE_ENDED;
}

/* Make content until the chunk cannot take another call, or the end. */
static pep_status fill_chunk(struct walk *walk, struct pep_error *err)
{
	while (is_active(walk) && CHUNK_SIZE - walk->end >= PEP_SINK_ROOM) {
		pep_status status = step(walk, err);

		if (status != PEP_OK) {
			walk->phase = PHASE_BROKEN;
			return status;
		}
	}
	return PEP_OK;
}

static ssize_t export_fill(struct stream *stream, char *data, size_t room)
{
	struct walk *walk = (struct walk *)stream;
	struct pep_error err = {0};
	size_t size;

	if (is_active(walk) && walk->start == walk->end) {
		pep_status status;

		walk->start = walk->end = 0;
		status = fill_chunk(walk, &err);
		if (status != PEP_OK && walk->order.meters)
			meters_count(&walk->order.meters->broken);
		if (status != PEP_OK)
			log_event(LOG_ERR, "export broken off; ask again", LOG_TEXT("request_id", walk->request_id),
				  LOG_TEXT("exporter", exporter_name(walk->order.exporter)), LOG_NUMBER("records", walk->count),
				  LOG_NUMBER("status", status), LOG_TEXT("error", err.message));
	}
	if (walk->phase == PHASE_BROKEN)
		return STREAM_BROKEN;
	size = walk->end - walk->start;
	if (!size) {
		walk->is_whole = true;
		return STREAM_END;
	}
	if (size > room)
		size = room;
	memcpy(data, walk->chunk + walk->start, size);
	walk->start += size;
	walk->sent += (int64_t)size;
	sha256_update(&walk->digest, size, (const uint8_t *)data);
	return (ssize_t)size;
}

/* --- the audit --- */

static void set_text(json_t *object, const char *key, const char *text)
{
	if (object && text)
		(void)json_object_set_new(object, key, json_string(text));
}

static void set_number(json_t *object, const char *key, int64_t number)
{
	if (object && number)
		(void)json_object_set_new(object, key, json_integer(number));
}

static pep_status audit_begin(const struct export_order *order, struct pep_error *err)
{
	const struct selection *selection = &order->selection;
	json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "export_begun", "actor", order->actor, "peer", order->peer,
				  "request_id", order->request_id, "exporter", exporter_name(order->exporter));

	set_text(event, "profile", order->profile);
	set_text(event, "state", selection->query.state ? identity_state_name(selection->query.state) : "all");
	set_text(event, "after", selection->query.after);
	set_number(event, "from_ms", selection->query.deployed_from_ms);
	set_number(event, "to_ms", selection->query.deployed_to_ms);
	set_text(event, "category", selection->category);
	set_text(event, "station", selection->station);
	set_number(event, "limit", selection->limit);
	return audit_append(order->audit, event, err);
}

static void audit_end(struct walk *walk)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	char hex[2 * SHA256_DIGEST_SIZE + 1], head[AUDIT_HEAD_SIZE];

	sha256_digest(&walk->digest, sizeof(digest), digest);
	text_hex(digest, sizeof(digest), hex);
	audit_head_text(&walk->head, head);
	audit_record(walk->order.audit,
		     json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:s, s:s}", "event", "export_ended", "actor", walk->actor,
			       "request_id", walk->request_id, "whole", walk->is_whole, "records", (json_int_t)walk->count, "bytes",
			       (json_int_t)walk->sent, "sha256", hex, "audit_head", head));
}

/* --- */

static void free_walk(struct walk *walk)
{
	exporter_drop(walk->run);
	storage_scan_close(walk->scan);
	free(walk);
}

static void export_close(struct stream *stream)
{
	struct walk *walk = (struct walk *)stream;

	audit_end(walk);
	free_walk(walk);
}

static pep_status prepare(struct walk *walk, struct pep_error *err)
{
	const struct export_order *order = &walk->order;
	pep_status status = exporter_begin(order->exporter, order->profile, open_sink(walk), &walk->run, err);

	walk->can_rest = walk->has_rest = exporter_has_rest(order->exporter);
	if (status == PEP_OK)
		status = survey_records(order->storage, walk->run, &order->selection, &walk->survey, err);
	if (status == PEP_OK)
		status = storage_scan_open(order->storage, &order->selection.query, &walk->scan, err);
	if (status == PEP_OK)
		status = fill_chunk(walk, err);
	return status;
}

/* The texts that are looked at until the end. */
static void keep_texts(struct walk *walk)
{
	struct selection *selection = &walk->order.selection;

	(void)snprintf(walk->actor, sizeof(walk->actor), "%s", walk->order.actor);
	(void)snprintf(walk->request_id, sizeof(walk->request_id), "%s", walk->order.request_id);
	(void)snprintf(walk->category, sizeof(walk->category), "%s", selection->category ? selection->category : "");
	(void)snprintf(walk->station, sizeof(walk->station), "%s", selection->station ? selection->station : "");
	if (selection->category)
		selection->category = walk->category;
	if (selection->station)
		selection->station = walk->station;
}

pep_status export_open(const struct export_order *order, struct export_start *ret_start, struct pep_error *err)
{
	struct walk *walk = malloc(sizeof(*walk));
	pep_status status;

	if (!walk)
		return pep_fail(err, PEP_NO_MEMORY, 0, "export: no memory for %zu bytes; try again", sizeof(*walk));
	memset(walk, 0, offsetof(struct walk, chunk));
	walk->stream = (struct stream){.fill = export_fill, .close = export_close};
	walk->order = *order;
	walk->sink = (struct pep_sink){.struct_size = sizeof(walk->sink), .ctx = walk, .write = export_write};
	sha256_init(&walk->digest);
	keep_texts(walk);
	status = prepare(walk, err);
	/* The last step, so that what is audited as begun is ended. */
	if (status == PEP_OK)
		status = audit_begin(order, err);
	if (status != PEP_OK) {
		free_walk(walk);
		return status;
	}
	audit_head(order->audit, &walk->head);
	*ret_start = (struct export_start){.stream = &walk->stream,
					   .head = walk->head,
					   .has_more = walk->survey.has_more && walk->survey.has_last,
					   .count = walk->survey.count};
	(void)snprintf(ret_start->next, sizeof(ret_start->next), "%s", walk->survey.last);
	return PEP_OK;
}
