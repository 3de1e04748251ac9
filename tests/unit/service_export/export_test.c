/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/export.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The neighbours: a store with `count` records, and an exporter that writes "<", a line a record, and ">". */
struct storage {
	unsigned late;           /* from the second scan on, a record is there between this one and the next; 0: none */
	unsigned count, fail_at; /* fail_at: the record from 1 that cannot be read; 0: none */
	pep_status open_status;
	unsigned opened, closed;
	struct pep_scan_query query;
};
struct storage_scan {
	struct storage *storage;
	unsigned next;
	bool gave_late;
};
struct exporter {
	size_t line_size; /* of a record; 0: its serial alone */
	pep_status begin_status, end_status;
	unsigned begun, ended, dropped;
	bool mute; /* writes nothing at begin and end */
	bool checks;
	unsigned rests;  /* how many pieces each call leaves; 0: it has no rest() */
	unsigned left;   /* of the last call */
	const char *bad; /* the serial that check() refuses */
	const char *profile;
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
	static char serial[16], dispatch_id[25];
	static struct pep_identity id = {.struct_size = sizeof(id), .serial = serial, .dispatch_id = dispatch_id};
	const struct storage *storage = scan->storage;
	bool is_late = storage->late && storage->opened > 1 && scan->next == storage->late && !scan->gave_late;

	if (is_late)
		scan->gave_late = true;
	else if (++scan->next == storage->fail_at)
		return pep_fail(err, PEP_INTERNAL, 0, "no record");
	(void)snprintf(serial, sizeof(serial), "%u%s\n", scan->next, is_late ? "b" : "");
	(void)snprintf(dispatch_id, sizeof(dispatch_id), "%023u%d", scan->next, is_late);
	id.category = scan->next % 2 ? "odd" : "even";
	*ret_id = scan->next <= storage->count ? &id : NULL;
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

pep_status exporter_begin(struct exporter *exporter, const char *profile, struct pep_sink *sink, struct exporter_run **ret_run,
			  struct pep_error *err)
{
	struct exporter_run *run;

	exporter->profile = profile;
	if (exporter->begin_status != PEP_OK)
		return pep_fail(err, exporter->begin_status, 0, "no run");
	run = calloc(1, sizeof(*run));
	assert_non_null(run);
	run->exporter = exporter;
	exporter->begun++;
	exporter->left = exporter->rests;
	*ret_run = run;
	return exporter->mute ? PEP_OK : sink->write(sink, "<", 1);
}

pep_status exporter_check(struct exporter_run *run, const struct pep_identity *id, struct pep_error *err)
{
	if (!run->exporter->checks)
		return PEP_UNSUPPORTED;
	if (run->exporter->bad && strcmp(id->serial, run->exporter->bad) == 0)
		return pep_fail(err, PEP_INVALID, 0, "%s is bad", id->serial);
	return PEP_OK;
}

/* The audit: the last line, and how many there were. */
struct audit {
	unsigned count;
	pep_status status;
	json_t *last;
};
static struct audit audit;

pep_status audit_append(struct audit *to, json_t *event, struct pep_error *err)
{
	assert_ptr_equal(to, &audit);
	json_decref(audit.last);
	audit.last = event;
	if (audit.status != PEP_OK)
		return pep_fail(err, audit.status, 0, "no audit");
	audit.count++;
	return PEP_OK;
}

void audit_record(struct audit *to, json_t *event)
{
	assert_ptr_equal(to, &audit);
	json_decref(audit.last);
	audit.last = event;
	audit.count++;
}

void audit_head(struct audit *from, struct audit_head *ret_head)
{
	*ret_head = audit_genesis;
	ret_head->seq = from->count;
}

pep_status exporter_record(struct exporter_run *run, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	char *line;
	pep_status status;

	(void)err;
	assert_int_equal(run->exporter->left, 0);
	run->exporter->left = run->exporter->rests;
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
	assert_int_equal(run->exporter->left, 0);
	run->exporter->left = run->exporter->rests;
	run->exporter->ended++;
	if (run->exporter->end_status != PEP_OK)
		return pep_fail(err, run->exporter->end_status, 0, "no end");
	return run->exporter->mute ? PEP_OK : sink->write(sink, ">", 1);
}

bool exporter_has_rest(const struct exporter *exporter)
{
	return exporter->rests;
}

/* Nobody asks again when it has said that there is no more, or at all if it never has any. */
pep_status exporter_rest(struct exporter_run *run, struct pep_sink *sink, bool *ret_more, struct pep_error *err)
{
	(void)err;
	assert_int_not_equal(run->exporter->left, 0);
	*ret_more = --run->exporter->left;
	return sink->write(sink, "+", 1);
}

void exporter_drop(struct exporter_run *run)
{
	if (!run)
		return;
	run->exporter->dropped++;
	free(run);
}

/* --- */

static struct export_order make_order(struct storage *storage, struct exporter *exporter)
{
	return (struct export_order){
		.storage = storage,
		.exporter = exporter,
		.audit = &audit,
		.selection = {.query = {.struct_size = sizeof(struct pep_scan_query), .state = PEP_DEPLOYED, .deployed_to_ms = 7}},
		.actor = "auditor",
		.peer = "10.0.0.1",
		.request_id = "request-1",
	};
}

static pep_status open_stream(struct storage *storage, struct exporter *exporter, struct stream **ret_stream)
{
	const struct export_order order = make_order(storage, exporter);
	struct export_start start = {0};
	struct pep_error err = {0};
	pep_status status = export_open(&order, &start, &err);

	*ret_stream = start.stream;
	if (storage->opened) {
		assert_int_equal(storage->query.deployed_to_ms, 7);
		assert_int_equal(storage->query.limit, 0);
	}
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
		assert_int_equal(storage.closed, storage.opened);
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
	const struct export_order order = make_order(&storage, &exporter);
	struct export_start start = {0};

	(void)state;
	assert_int_equal(export_open(&order, &start, NULL), PEP_LIMIT);
	assert_null(start.stream);
	assert_int_equal(exporter.dropped, 1);
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
		assert_int_equal(storages[i].closed, storages[i].opened);
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

/* Of the beginning, of each record and of the end. */
static void what_a_call_leaves_follows_it(void **state)
{
	struct storage storage = {.count = 2};
	struct exporter exporter = {.rests = 2};
	struct stream *stream;
	char *text;
	size_t size;

	(void)state;
	assert_int_equal(open_stream(&storage, &exporter, &stream), PEP_OK);
	assert_int_equal(read_all(stream, 3, &text, &size), STREAM_END);
	stream->close(stream);
	assert_int_equal(size, 14);
	assert_memory_equal(text, "<++1\n++2\n++>++", size);
	assert_int_equal(exporter.left, 0);
	free(text);
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
	assert_int_equal(storage.closed, storage.opened);
}

static char *export_text(const struct export_order *order, struct export_start *ret_start)
{
	struct pep_error err = {0};
	char *text;
	size_t size;

	if (export_open(order, ret_start, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_int_equal(read_all(ret_start->stream, 4096, &text, &size), STREAM_END);
	ret_start->stream->close(ret_start->stream);
	text[size] = '\0';
	return text;
}

static void a_page_says_how_to_go_on(void **state)
{
	struct storage storage = {.count = 5};
	struct exporter exporter = {0};
	struct export_order order = make_order(&storage, &exporter);
	struct export_start start;
	char *text;

	(void)state;
	order.selection.limit = 3;
	text = export_text(&order, &start);
	assert_string_equal(text, "<1\n2\n3\n>");
	assert_true(start.has_more);
	assert_int_equal(start.count, 3);
	assert_string_equal(start.next, "000000000000000000000030");
	free(text);
	order.selection.limit = 0;
	text = export_text(&order, &start);
	assert_int_equal(start.count, -1);
	free(text);
	order.selection.limit = 5;
	text = export_text(&order, &start);
	assert_string_equal(text, "<1\n2\n3\n4\n5\n>");
	assert_false(start.has_more);
	assert_int_equal(start.count, 5);
	free(text);
}

/* It was not there when the end of the page was looked for, and is not behind it. */
static void what_appears_inside_a_page_is_in_it(void **state)
{
	struct storage storage = {.count = 5, .late = 2};
	struct exporter exporter = {0};
	struct export_order order = make_order(&storage, &exporter);
	struct export_start start;
	char *text;

	(void)state;
	order.selection.limit = 3;
	text = export_text(&order, &start);
	assert_string_equal(text, "<1\n2\n2b\n3\n>");
	assert_string_equal(start.next, "000000000000000000000030");
	free(text);
}

static void only_what_is_asked_for(void **state)
{
	struct storage storage = {.count = 7};
	struct exporter exporter = {0};
	struct export_order order = make_order(&storage, &exporter);
	struct export_start start;
	char *text;

	(void)state;
	order.selection.category = "even";
	order.selection.limit = 2;
	order.profile = "portal";
	text = export_text(&order, &start);
	assert_string_equal(text, "<2\n4\n>");
	assert_string_equal(exporter.profile, "portal");
	assert_true(start.has_more);
	free(text);
	order.selection.station = "nobody";
	text = export_text(&order, &start);
	assert_string_equal(text, "<>");
	assert_false(start.has_more);
	free(text);
}

/* The last record of many, far behind what the first chunk holds. */
static void one_bad_record_refuses_all(void **state)
{
	struct storage storage = {.count = 50000};
	struct exporter exporter = {.checks = true, .bad = "50000\n"};
	struct stream *stream = NULL;

	(void)state;
	assert_int_equal(open_stream(&storage, &exporter, &stream), PEP_INVALID);
	assert_null(stream);
	exporter.bad = NULL;
	assert_int_equal(open_stream(&storage, &exporter, &stream), PEP_OK);
	stream->close(stream);
}

static void who_took_what_is_audited(void **state)
{
	struct storage storage = {.count = 2};
	struct exporter exporter = {0};
	struct export_order order = make_order(&storage, &exporter);
	struct export_start start;
	char *text;
	char byte;

	(void)state;
	audit.count = 0;
	text = export_text(&order, &start);
	assert_string_equal(text, "<1\n2\n>");
	assert_int_equal(audit.count, 2);
	assert_string_equal(json_string_value(json_object_get(audit.last, "event")), "export_ended");
	assert_true(json_is_true(json_object_get(audit.last, "whole")));
	assert_int_equal(json_integer_value(json_object_get(audit.last, "records")), 2);
	assert_int_equal(json_integer_value(json_object_get(audit.last, "bytes")), 6);
	assert_string_equal(json_string_value(json_object_get(audit.last, "sha256")),
			    "5ea81d5b9a8ae5d854ad83a8b669e4c9c36b50d20f00bed0ead04375acebab4d");
	free(text);
	assert_int_equal(start.head.seq, 1);
	assert_string_equal(json_string_value(json_object_get(audit.last, "audit_head")),
			    "1 0000000000000000000000000000000000000000000000000000000000000000");
	assert_int_equal(export_open(&order, &start, NULL), PEP_OK);
	assert_string_equal(json_string_value(json_object_get(audit.last, "actor")), "auditor");
	assert_string_equal(json_string_value(json_object_get(audit.last, "peer")), "10.0.0.1");
	assert_string_equal(json_string_value(json_object_get(audit.last, "request_id")), "request-1");
	assert_string_equal(json_string_value(json_object_get(audit.last, "exporter")), "test");
	assert_string_equal(json_string_value(json_object_get(audit.last, "state")), "deployed");
	assert_int_equal(start.stream->fill(start.stream, &byte, 1), 1);
	start.stream->close(start.stream);
	assert_true(json_is_false(json_object_get(audit.last, "whole")));
	assert_int_equal(json_integer_value(json_object_get(audit.last, "bytes")), 1);
}

/* Nothing is given away that is not on record. */
static void without_an_audit_there_is_no_export(void **state)
{
	struct storage storage = {.count = 2};
	struct exporter exporter = {0};
	struct stream *stream = NULL;

	(void)state;
	audit.status = PEP_UNAVAILABLE;
	assert_int_equal(open_stream(&storage, &exporter, &stream), PEP_UNAVAILABLE);
	assert_null(stream);
	audit.status = PEP_OK;
}

static int forget_audit(void **state)
{
	(void)state;
	json_decref(audit.last);
	audit = (struct audit){0};
	return 0;
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
		cmocka_unit_test(what_a_call_leaves_follows_it),
		cmocka_unit_test(reader_may_leave),
		cmocka_unit_test(a_page_says_how_to_go_on),
		cmocka_unit_test(what_appears_inside_a_page_is_in_it),
		cmocka_unit_test(only_what_is_asked_for),
		cmocka_unit_test(one_bad_record_refuses_all),
		cmocka_unit_test(who_took_what_is_audited),
		cmocka_unit_test(without_an_audit_there_is_no_export),
	};

	return cmocka_run_group_tests(tests, NULL, forget_audit);
}
