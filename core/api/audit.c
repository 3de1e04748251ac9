/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v3/audit: the audit's records, one JSON object a line, as they are on disk.
 */
#include "core/service/audit.h"

#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/service/audit_reader.h"

#include <stdlib.h>
#include <string.h>

struct audit_stream {
	struct stream stream; /* first: what the feed holds */
	struct audit_reader *reader;
	int64_t since_seq, last_seq; /* records behind the first, up to the second */
	int64_t left;                /* so many more */
	struct audit_reader_line line;
	size_t given; /* of the line, with its end */
	char request_id[65];
};

/* The next record to be sent. False: the end, or a failure in *ret_status. */
static bool next_record(struct audit_stream *stream, pep_status *ret_status)
{
	struct pep_error err = {0};
	struct audit_line record = {.seq = 0};

	stream->given = 0;
	do {
		*ret_status = audit_reader_next(stream->reader, &stream->line, &err);
		if (*ret_status != PEP_OK)
			log_event(LOG_ERR, "the audit cannot be read any further", LOG_TEXT("request_id", stream->request_id),
				  LOG_TEXT("error", err.message));
		if (*ret_status != PEP_OK || !stream->line.text)
			return false;
		/* What is no record is for `audit verify` to tell of. */
	} while (!stream->line.has_end || !audit_line_read(stream->line.text, stream->line.size, &record) ||
		 record.seq <= stream->since_seq);
	return record.seq <= stream->last_seq;
}

static ssize_t audit_fill(struct stream *base, char *data, size_t room)
{
	struct audit_stream *stream = (struct audit_stream *)base;
	pep_status status = PEP_OK;
	size_t size = 0;

	while (size < room) {
		size_t rest;

		if (!stream->line.text || stream->given == stream->line.size + 1) {
			if (stream->left == 0 || !next_record(stream, &status)) {
				stream->left = 0;
				stream->line.text = NULL;
				break;
			}
			stream->left--;
		}
		rest = stream->line.size - stream->given;
		if (rest > room - size)
			rest = room - size;
		memcpy(data + size, stream->line.text + stream->given, rest);
		stream->given += rest;
		size += rest;
		if (stream->given == stream->line.size && size < room) {
			data[size++] = '\n';
			stream->given++;
		}
	}
	if (status != PEP_OK)
		return STREAM_BROKEN;
	return size ? (ssize_t)size : STREAM_END;
}

static void audit_close_stream(struct stream *base)
{
	struct audit_stream *stream = (struct audit_stream *)base;

	audit_reader_close(stream->reader);
	free(stream);
}

static pep_status open_stream(const struct api_context *api, const struct http_request *request, const struct audit_head *head,
			      int64_t since_seq, int64_t limit, struct stream **ret_stream, struct pep_error *err)
{
	struct audit_stream *stream = calloc(1, sizeof(*stream));
	pep_status status;

	if (!stream)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	stream->stream = (struct stream){.fill = audit_fill, .close = audit_close_stream};
	stream->since_seq = since_seq;
	stream->last_seq = head->seq;
	stream->left = limit;
	(void)snprintf(stream->request_id, sizeof(stream->request_id), "%s", request->id);
	status = audit_reader_open(api->config->data_dir, &stream->reader, err);
	if (status == PEP_OK && since_seq)
		status = audit_reader_seek(stream->reader, since_seq + 1, 0, err);
	if (status != PEP_OK) {
		audit_close_stream(&stream->stream);
		return status;
	}
	*ret_stream = &stream->stream;
	return PEP_OK;
}

static bool read_number(const struct http_request *request, struct http_reply *reply, const char *name, int64_t min,
			int64_t *ret_number)
{
	const char *text = arguments_value(request, name);

	if (!text || text_to_number(text, min, INT64_MAX - 1, ret_number))
		return true;
	reply_problem(request, reply, 400, "bad_argument", name, "%s: must be a whole number from %d on", name, (int)min);
	return false;
}

void api_audit(void *context, struct http_request *request, struct http_reply *reply)
{
	static const char *const names[] = {"since_seq", "limit", NULL};
	const struct api_context *api = context;
	int64_t since_seq = 0, limit = INT64_MAX;
	char head_text[AUDIT_HEAD_SIZE];
	struct audit_head head;
	struct pep_error err = {0};
	pep_status status = PEP_OK;
	const char *copy;

	if (!arguments_check(request, names, reply) || !read_number(request, reply, "since_seq", 0, &since_seq) ||
	    !read_number(request, reply, "limit", 1, &limit))
		return;
	audit_flush(api->audit);
	audit_head(api->audit, &head);
	audit_head_text(&head, head_text);
	if (request->method != HTTP_HEAD)
		status = open_stream(api, request, &head, since_seq, limit, &reply->stream, &err);
	if (status != PEP_OK) {
		log_event(LOG_ERR, "the audit cannot be read", LOG_TEXT("request_id", request->id), LOG_TEXT("error", err.message));
		reply_problem(request, reply, 500, "internal", NULL, "the audit cannot be read; the server's log says why");
		return;
	}
	reply->status = 200;
	reply->content_type = "application/x-ndjson";
	copy = arena_text(request->arena, head_text);
	if (copy)
		reply_header(reply, "Pep-Audit-Head", copy);
}
