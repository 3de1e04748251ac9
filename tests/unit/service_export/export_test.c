/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/export.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The neighbours: a store with `count` records, and an exporter that writes "<", a line a record, and ">". */
struct storage {
	unsigned count, fail_at; /* fail_at: the record from 1 that cannot be read; 0: none */
	pep_status open_status;
	unsigned opened, closed;
	struct pep_scan_query query;
};
struct storage_scan {
	struct storage *storage;
	unsigned next;
};
struct exporter {
	size_t line_size; /* of a record; 0: its serial alone */
	pep_status begin_status, end_status;
	unsigned begun, ended, dropped;
	bool mute; /* writes nothing at begin and end */
};
struct exporter_run {
	struct exporter *exporter;
};

pep_status storage_scan_open(struct storage *storage, const struct pep_scan_query *query, struct storage_scan **ret_scan,
			     struct pep_error *err)
{
	struct storage_scan *scan;

	storage->query = *query;
	if (storage->open_status != PEP_OK)
		return pep_fail(err, storage->open_status, 0, "no scan");
	scan = calloc(1, sizeof(*scan));
	assert_non_null(scan);
	scan->storage = storage;
	storage->opened++;
	*ret_scan = scan;
	return PEP_OK;
}

pep_status storage_scan_next(struct storage_scan *scan, const struct pep_identity **ret_id, struct pep_error *err)
{
	static char serial[16];
	static struct pep_identity id = {.struct_size = sizeof(id), .serial = serial};

	if (++scan->next == scan->storage->fail_at)
		return pep_fail(err, PEP_INTERNAL, 0, "no record");
	(void)snprintf(serial, sizeof(serial), "%u\n", scan->next);
	*ret_id = scan->next <= scan->storage->count ? &id : NULL;
	return PEP_OK;
}

void storage_scan_close(struct storage_scan *scan)
{
	if (!scan)
		return;
	scan->storage->closed++;
	free(scan);
}

const char *exporter_name(const struct exporter *exporter)
{
	(void)exporter;
	return "test";
}

pep_status exporter_begin(struct exporter *exporter, struct pep_sink *sink, struct exporter_run **ret_run, struct pep_error *err)
{
	struct exporter_run *run;

	if (exporter->begin_status != PEP_OK)
		return pep_fail(err, exporter->begin_status, 0, "no run");
	run = calloc(1, sizeof(*run));
	assert_non_null(run);
	run->exporter = exporter;
	exporter->begun++;
	*ret_run = run;
	return exporter->mute ? PEP_OK : sink->write(sink, "<", 1);
}

pep_status exporter_record(struct exporter_run *run, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	char *line;
	pep_status status;

	(void)err;
	if (!run->exporter->line_size)
		return sink->write(sink, id->serial, strlen(id->serial));
	line = malloc(run->exporter->line_size);
	assert_non_null(line);
	memset(line, id->serial[0], run->exporter->line_size);
	status = sink->write(sink, line, run->exporter->line_size);
	free(line);
	return status;
}

pep_status exporter_end(struct exporter_run *run, struct pep_sink *sink, struct pep_error *err)
{
	run->exporter->ended++;
	if (run->exporter->end_status != PEP_OK)
		return pep_fail(err, run->exporter->end_status, 0, "no end");
	return run->exporter->mute ? PEP_OK : sink->write(sink, ">", 1);
}

void exporter_drop(struct exporter_run *run)
{
	if (!run)
		return;
	run->exporter->dropped++;
	free(run);
}

/* --- */

static pep_status open_stream(struct storage *storage, struct exporter *exporter, struct stream **ret_stream)
{
	const struct pep_scan_query query = {.struct_size = sizeof(query), .state = PEP_DEPLOYED, .limit = 7};
	struct pep_error err = {0};
	pep_status status = export_open(storage, exporter, &query, "request-1", ret_stream, &err);

	assert_int_equal(storage->query.limit, 7);
	if (status != PEP_OK) {
		assert_int_equal(err.status, status);
		assert_int_equal(storage->opened, storage->closed);
		assert_int_equal(exporter->begun, exporter->dropped);
	}
	return status;
}

/* Reads to the end; *ret_text is the caller's. Returns STREAM_END or STREAM_BROKEN. */
static ssize_t read_all(struct stream *stream, size_t room, char **ret_text, size_t *ret_size)
{
	char *text = malloc((1 << 22) + room);
	size_t size = 0;
	ssize_t got;

	assert_non_null(text);
	while ((got = stream->fill(stream, text + size, room)) > 0) {
		assert_true((size_t)got <= room);
		size += (size_t)got;
		assert_true(size < 1 << 22);
	}
	assert_int_equal(stream->fill(stream, text + size, room), got);
	*ret_text = text;
	*ret_size = size;
	return got;
}

static void pieces_make_the_whole(void **state)
{
	static const size_t rooms[] = {1, 7, 4096, 65536, 1 << 20};
	char *expected = malloc(1 << 20);
	size_t expected_size = 1;

	(void)state;
	assert_non_null(expected);
	expected[0] = '<';
	for (unsigned i = 1; i <= 50000; i++)
		expected_size += (size_t)snprintf(expected + expected_size, 16, "%u\n", i);
	expected[expected_size++] = '>';
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		struct storage storage = {.count = 50000};
		struct exporter exporter = {0};
		struct stream *stream;
		char *text;
		size_t size;

		assert_int_equal(open_stream(&storage, &exporter, &stream), PEP_OK);
		assert_int_equal(read_all(stream, rooms[i], &text, &size), STREAM_END);
		assert_int_equal(size, expected_size);
		assert_memory_equal(text, expected, size);
		assert_int_equal(exporter.ended, 1);
		stream->close(stream);
		assert_int_equal(exporter.dropped, 1);
		assert_int_equal(storage.closed, 1);
		free(text);
	}
	free(expected);
}

/* A record that uses all of its room always fits, whatever is before it. */
static void room_of_a_call_is_kept(void **state)
{
	static const size_t sizes[] = {PEP_SINK_ROOM, PEP_SINK_ROOM - 1, 60000, 40000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct storage storage = {.count = 9};
		struct exporter exporter = {.line_size = sizes[i]};
		struct stream *stream;
		char *text;
		size_t size;

		assert_int_equal(open_stream(&storage, &exporter, &stream), PEP_OK);
		assert_int_equal(read_all(stream, 5000, &text, &size), STREAM_END);
		stream->close(stream);
		assert_int_equal(size, 2 + 9 * sizes[i]);
		for (size_t line = 0; line < 9; line++) {
			assert_int_equal(text[1 + line * sizes[i]], '1' + (char)line);
			assert_int_equal(text[(line + 1) * sizes[i]], '1' + (char)line);
		}
		free(text);
	}
}

/* One byte more never does, though the stream's own memory has room. */
static void more_than_the_room_is_refused(void **state)
{
	struct storage storage = {.count = 9};
	struct exporter exporter = {.line_size = PEP_SINK_ROOM + 1};
	const struct pep_scan_query query = {.struct_size = sizeof(query)};
	struct stream *stream = NULL;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(export_open(&storage, &exporter, &query, "r", &stream, &err), PEP_LIMIT);
	assert_null(stream);
	assert_int_equal(exporter.dropped, 1);
	assert_int_equal(storage.closed, 1);
}

static void early_errors_are_returned(void **state)
{
	struct storage storages[] = {{.open_status = PEP_UNAVAILABLE}, {.count = 5}, {.count = 5, .fail_at = 3}, {.count = 5}};
	struct exporter exporters[] = {{0}, {.begin_status = PEP_NO_MEMORY}, {0}, {.end_status = PEP_UNSUPPORTED}};
	static const pep_status expected[] = {PEP_UNAVAILABLE, PEP_NO_MEMORY, PEP_INTERNAL, PEP_UNSUPPORTED};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct stream *stream = NULL;

		assert_int_equal(open_stream(&storages[i], &exporters[i], &stream), expected[i]);
		assert_null(stream);
	}
}

/* A late error breaks the stream, and `end` is never made. */
static void late_errors_break(void **state)
{
	struct storage storages[] = {{.count = 50000, .fail_at = 40000}, {.count = 50000}};
	struct exporter exporters[] = {{0}, {.end_status = PEP_INTERNAL}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stream *stream;
		char *text;
		size_t size;

		assert_int_equal(open_stream(&storages[i], &exporters[i], &stream), PEP_OK);
		assert_int_equal(read_all(stream, 4096, &text, &size), STREAM_BROKEN);
		assert_null(memchr(text, '>', size));
		assert_int_equal(exporters[i].ended, i);
		stream->close(stream);
		assert_int_equal(exporters[i].dropped, 1);
		assert_int_equal(storages[i].closed, 1);
		free(text);
	}
}

static void nothing_is_an_end(void **state)
{
	struct storage storage = {.count = 0};
	struct exporter exporter = {.mute = true};
	struct stream *stream;
	char byte;

	(void)state;
	assert_int_equal(open_stream(&storage, &exporter, &stream), PEP_OK);
	assert_int_equal(stream->fill(stream, &byte, 1), STREAM_END);
	stream->close(stream);
	assert_int_equal(exporter.dropped, 1);
}

static void reader_may_leave(void **state)
{
	struct storage storage = {.count = 50000};
	struct exporter exporter = {0};
	struct stream *stream;
	char text[100];

	(void)state;
	assert_int_equal(open_stream(&storage, &exporter, &stream), PEP_OK);
	assert_int_equal(stream->fill(stream, text, sizeof(text)), sizeof(text));
	stream->close(stream);
	assert_int_equal(exporter.ended, 0);
	assert_int_equal(exporter.dropped, 1);
	assert_int_equal(storage.closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(room_of_a_call_is_kept),
		cmocka_unit_test(more_than_the_room_is_refused),
		cmocka_unit_test(early_errors_are_returned),
		cmocka_unit_test(late_errors_break),
		cmocka_unit_test(nothing_is_an_end),
		cmocka_unit_test(reader_may_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
