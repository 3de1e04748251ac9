/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/export.h"

#include "core/base/log.h"

#include <stdlib.h>
#include <string.h>

/* Room for a whole call of the exporter is left until the first half is full. */
#define CHUNK_SIZE (2 * (size_t)PEP_SINK_ROOM)

enum phase { PHASE_RECORDS, PHASE_DONE, PHASE_BROKEN };

struct walk {
	struct stream stream; /* first: what the reader holds */
	struct exporter *exporter;
	struct storage_scan *scan;
	struct exporter_run *run;
	struct pep_sink sink;
	enum phase phase;
	size_t call_room;  /* what the exporter may still write in this call */
	size_t start, end; /* of what is made and not yet taken */
	int64_t count;     /* records written */
	char request_id[65];
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

/* One record, or the end. */
static pep_status step(struct walk *walk, struct pep_error *err)
{
	const struct pep_identity *id;
	pep_status status = storage_scan_next(walk->scan, &id, err);

	if (status != PEP_OK)
		return status;
	if (id) {
		walk->count++;
		return exporter_record(walk->run, open_sink(walk), id, err);
	}
	walk->phase = PHASE_DONE;
	return exporter_end(walk->run, open_sink(walk), err);
}

/* Make content until the chunk cannot take another call, or the end. */
static pep_status fill_chunk(struct walk *walk, struct pep_error *err)
{
	while (walk->phase == PHASE_RECORDS && CHUNK_SIZE - walk->end >= PEP_SINK_ROOM) {
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

	if (walk->phase == PHASE_RECORDS && walk->start == walk->end) {
		pep_status status;

		walk->start = walk->end = 0;
		status = fill_chunk(walk, &err);
		if (status != PEP_OK)
			log_event(LOG_ERR, "export broken off; ask again", LOG_TEXT("request_id", walk->request_id),
				  LOG_TEXT("exporter", exporter_name(walk->exporter)), LOG_NUMBER("records", walk->count),
				  LOG_NUMBER("status", status), LOG_TEXT("error", err.message));
	}
	if (walk->phase == PHASE_BROKEN)
		return STREAM_BROKEN;
	size = walk->end - walk->start;
	if (!size)
		return STREAM_END;
	if (size > room)
		size = room;
	memcpy(data, walk->chunk + walk->start, size);
	walk->start += size;
	return (ssize_t)size;
}

static void export_close(struct stream *stream)
{
	struct walk *walk = (struct walk *)stream;

	exporter_drop(walk->run);
	storage_scan_close(walk->scan);
	free(walk);
}

pep_status export_open(struct storage *storage, struct exporter *exporter, const struct pep_scan_query *query,
		       const char *request_id, struct stream **ret_stream, struct pep_error *err)
{
	struct walk *walk = malloc(sizeof(*walk));
	pep_status status;

	if (!walk)
		return pep_fail(err, PEP_NO_MEMORY, 0, "export: no memory for %zu bytes; try again", sizeof(*walk));
	memset(walk, 0, offsetof(struct walk, chunk));
	walk->stream = (struct stream){.fill = export_fill, .close = export_close};
	walk->exporter = exporter;
	walk->sink = (struct pep_sink){.struct_size = sizeof(walk->sink), .ctx = walk, .write = export_write};
	(void)snprintf(walk->request_id, sizeof(walk->request_id), "%s", request_id);
	status = storage_scan_open(storage, query, &walk->scan, err);
	if (status == PEP_OK)
		status = exporter_begin(exporter, open_sink(walk), &walk->run, err);
	if (status == PEP_OK)
		status = fill_chunk(walk, err);
	if (status != PEP_OK) {
		export_close(&walk->stream);
		return status;
	}
	*ret_stream = &walk->stream;
	return PEP_OK;
}
