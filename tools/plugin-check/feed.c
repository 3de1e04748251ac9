/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include "core/base/text.h"

#include <errno.h>
#include <string.h>

struct stream {
	FILE *out;
	size_t room; /* left of the current call */
	bool is_broken;
};

static pep_status write_stream(struct pep_sink *sink, const void *data, size_t size)
{
	struct stream *stream = sink->ctx;

	if (size > stream->room)
		return PEP_LIMIT;
	stream->room -= size;
	if (fwrite(data, 1, size, stream->out) == size)
		return PEP_OK;
	stream->is_broken = true;
	return PEP_CANCELLED;
}

static bool has_profile(const char *const *profiles, const char *name)
{
	for (; profiles && *profiles; profiles++)
		if (text_equal(*profiles, name))
			return true;
	return false;
}

/* What did not fit into the room of the last call. */
static pep_status take_rest(struct exporter_run *run, struct pep_sink *sink, struct pep_error *err)
{
	struct stream *stream = sink->ctx;
	pep_status status = PEP_OK;
	bool more = true;

	while (more && status == PEP_OK) {
		more = false;
		stream->room = PEP_SINK_ROOM;
		status = exporter_rest(run, sink, &more, err);
	}
	return status;
}

static pep_status check_all(struct exporter_run *run, struct source *source, struct pep_error *err)
{
	for (;;) {
		const struct pep_identity *id;
		pep_status status = source_next(source, &id, err);

		if (status != PEP_OK || !id)
			return status;
		status = exporter_check(run, id, err);
		if (status == PEP_UNSUPPORTED)
			return PEP_OK;
		if (status != PEP_OK)
			return status;
	}
}

static pep_status write_all(struct exporter_run *run, struct pep_sink *sink, struct source *source, struct pep_error *err)
{
	struct stream *stream = sink->ctx;
	const struct pep_identity *id = NULL;
	pep_status status;

	while ((status = source_next(source, &id, err)) == PEP_OK && id) {
		stream->room = PEP_SINK_ROOM;
		status = exporter_record(run, sink, id, err);
		if (status == PEP_OK)
			status = take_rest(run, sink, err);
		if (status != PEP_OK)
			return status;
	}
	if (status != PEP_OK)
		return status;
	stream->room = PEP_SINK_ROOM;
	status = exporter_end(run, sink, err);
	return status == PEP_OK ? take_rest(run, sink, err) : status;
}

static pep_status run_export(struct exporter *exporter, const char *profile, struct source *source, struct stream *stream,
			     struct pep_error *err)
{
	struct pep_sink sink = {.struct_size = sizeof(sink), .ctx = stream, .write = write_stream};
	struct exporter_run *run;
	pep_status status = exporter_begin(exporter, profile, &sink, &run, err);

	if (status != PEP_OK)
		return status;
	status = take_rest(run, &sink, err);
	if (status == PEP_OK)
		status = check_all(run, source, err);
	if (status == PEP_OK)
		status = source_rewind(source, err);
	if (status == PEP_OK)
		status = write_all(run, &sink, source, err);
	exporter_drop(run);
	return status;
}

pep_status feed_run(struct subject *subject, const char *profile, struct source *source, FILE *out, struct pep_error *err)
{
	struct stream stream = {.out = out, .room = PEP_SINK_ROOM};
	char room[sizeof(subject->folder) + 16];
	const struct instance_context context = subject_context(subject, room, sizeof(room));
	struct exporter *exporter;
	pep_status status = subject_load(subject, err);

	if (status == PEP_OK)
		status = exporter_open(&context, &subject->config, &exporter, err);
	if (status != PEP_OK)
		return status;
	if (!subject->library->ops.exporter.record)
		status = pep_fail(err, PEP_UNSUPPORTED, 0, "exporter \"%s\" writes no files: it has no record()", subject->name);
	else if (profile && !has_profile(exporter_profiles(exporter), profile))
		status = pep_fail(err, PEP_INVALID, 0, "exporter \"%s\" has no profile \"%.64s\"", subject->name, profile);
	else
		status = run_export(exporter, profile, source, &stream, err);
	exporter_close(exporter);
	if (stream.is_broken || (status == PEP_OK && fflush(out) != 0))
		return pep_fail(err, PEP_INTERNAL, errno, "the output cannot be written: %s", strerror(errno));
	return status;
}
