/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/api.h"
#include "core/service/cursor.h"
#include "core/service/export.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct exporter {
	const char *name;
};
static struct exporter csv = {"csv"};
static struct exporter mine = {"mine"};
static struct exporter *const exporters[] = {&csv, &mine};

const char *exporter_name(const struct exporter *exporter)
{
	return exporter->name;
}

const char *exporter_media_type(const struct exporter *exporter)
{
	return exporter == &mine ? "text/mine" : "text/csv; charset=utf-8";
}

const char *exporter_suffix(const struct exporter *exporter)
{
	return exporter == &mine ? "txt" : "csv";
}

const char *const *exporter_profiles(const struct exporter *exporter)
{
	static const char *const profiles[] = {"plain", "fancy", NULL};

	return exporter == &csv ? profiles : NULL;
}

/* What export_open() was called with, and is to answer. */
static struct {
	unsigned calls, calls_at_cursor;
	struct exporter *exporter;
	struct pep_scan_query query;
	struct selection selection;
	char after[32], profile[32], category[32], station[32];
	pep_status status, cursor_status;
	bool has_more;
	int64_t count;
	struct stream stream;
} opened;

pep_status cursor_now(struct storage *storage, int64_t lease_ms, char ret_cursor[25], struct pep_error *err)
{
	assert_ptr_equal(storage, &opened);
	assert_int_equal(lease_ms, 120000);
	opened.calls_at_cursor = opened.calls;
	if (opened.cursor_status != PEP_OK)
		return pep_fail(err, opened.cursor_status, 0, "secret reason");
	(void)snprintf(ret_cursor, 25, "0123456789abcdef01234567");
	return PEP_OK;
}

static void keep(char ret_text[32], const char *text)
{
	(void)snprintf(ret_text, 32, "%s", text ? text : "");
}

pep_status export_open(const struct export_order *order, struct export_start *ret_start, struct pep_error *err)
{
	assert_ptr_equal(order->storage, &opened);
	assert_string_equal(order->request_id, "request-1");
	assert_string_equal(order->peer, "10.0.0.9");
	assert_string_equal(order->actor, "auditor");
	opened.calls++;
	opened.exporter = order->exporter;
	opened.selection = order->selection;
	opened.query = order->selection.query;
	keep(opened.after, opened.query.after);
	keep(opened.profile, order->profile);
	keep(opened.category, order->selection.category);
	keep(opened.station, order->selection.station);
	if (opened.status != PEP_OK)
		return pep_fail(err, opened.status, 0, opened.status == PEP_INVALID ? "serial X is bad" : "secret reason");
	*ret_start = (struct export_start){.stream = &opened.stream,
					   .has_more = opened.has_more,
					   .next = "next",
					   .head = {.seq = 7, .hash = "abc"},
					   .count = opened.count};
	return PEP_OK;
}

/* One request; what it leaves in *ret_reply is freed by forget(). */
static struct arena arena;

static void ask(enum http_method method, const char *tail, struct http_pair *query, size_t count, struct http_reply *ret_reply)
{
	const struct config config = {.lease_ms = 120000};
	const struct api_context api = {
		.config = &config, .storage = (struct storage *)&opened, .exporters = exporters, .exporter_count = 2};
	struct http_request request = {.arena = &arena,
				       .method = method,
				       .tail = tail,
				       .query = query,
				       .query_count = count,
				       .id = "request-1",
				       .peer = "10.0.0.9",
				       .actor = "auditor"};

	*ret_reply = (struct http_reply){0};
	api_export((void *)&api, &request, ret_reply);
}

static void forget(struct http_reply *reply)
{
	free(reply->free_body);
	arena_fini(&arena);
}

static int reset(void **state)
{
	(void)state;
	memset(&opened, 0, sizeof(opened));
	opened.count = -1;
	return 0;
}

static const char *header(const struct http_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return NULL;
}

static void plain_export(void **state)
{
	struct http_reply reply;

	(void)state;
	opened.calls_at_cursor = 1;
	ask(HTTP_GET, "mine", NULL, 0, &reply);
	assert_int_equal(opened.calls_at_cursor, 0); /* before the scan */
	assert_int_equal(reply.status, 200);
	assert_ptr_equal(reply.stream, &opened.stream);
	assert_string_equal(reply.content_type, "text/mine");
	assert_int_equal(reply.header_count, 3);
	assert_string_equal(header(&reply, "Content-Disposition"), "attachment; filename=\"identities.txt\"");
	assert_string_equal(header(&reply, "Pep-Cursor"), "0123456789abcdef01234567");
	assert_string_equal(header(&reply, "Pep-Audit-Head"), "7 abc");
	assert_ptr_equal(opened.exporter, &mine);
	assert_int_equal(opened.query.struct_size, sizeof(opened.query));
	assert_int_equal(opened.query.state, PEP_DEPLOYED);
	assert_int_equal(opened.query.limit, 0);
	assert_int_equal(opened.query.descending, 0);
	assert_int_equal(opened.query.deployed_from_ms, 0);
	assert_int_equal(opened.query.deployed_to_ms, 0);
	assert_null(opened.query.after);
	forget(&reply);
}

static void every_argument(void **state)
{
	struct http_pair query[] = {{"state", "all"},
				    {"from", "2027-03-01"},
				    {"to", "2027-03-01T00:00:00.001Z"},
				    {"limit", "4294967295"},
				    {"last", "6B04308d60353b596f8b3eFF"},
				    {"category", "a"},
				    {"station", "b"},
				    {"profile", "fancy"}};
	struct http_reply reply;

	(void)state;
	ask(HTTP_GET, "csv", query, 8, &reply);
	assert_int_equal(reply.status, 200);
	assert_string_equal(opened.category, "a");
	assert_string_equal(opened.station, "b");
	assert_string_equal(opened.profile, "fancy");
	assert_int_equal(opened.query.state, 0);
	assert_int_equal(opened.query.deployed_from_ms, 1803859200000);
	assert_int_equal(opened.query.deployed_to_ms, 1803859200001);
	assert_int_equal(opened.selection.limit, 4294967295);
	assert_int_equal(opened.query.limit, 0);
	assert_string_equal(opened.after, "6b04308d60353b596f8b3eff");
	forget(&reply);
}

static void empty_is_absent(void **state)
{
	struct http_pair query[] = {{"state", ""}, {"from", ""}, {"to", ""}, {"limit", ""}, {"last", ""}};
	struct http_reply reply;

	(void)state;
	ask(HTTP_GET, "csv", query, 5, &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(opened.query.state, PEP_DEPLOYED);
	assert_int_equal(opened.query.limit, 0);
	forget(&reply);
}

static void states(void **state)
{
	static const char *const names[] = {"claimed", "contacted", "issued", "deployed", "failed", "in_doubt", "retired"};

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		struct http_pair query[] = {{"state", names[i]}};
		struct http_reply reply;

		ask(HTTP_GET, "csv", query, 1, &reply);
		assert_int_equal(reply.status, 200);
		assert_int_equal(opened.query.state, PEP_CLAIMED + i);
		forget(&reply);
	}
}

/* A range leaves out what was never deployed, whose time is 0. */
static void range_means_deployed_once(void **state)
{
	struct http_pair to[] = {{"to", "1000"}};
	struct http_pair from[] = {{"from", "0"}};
	struct http_reply reply;

	(void)state;
	ask(HTTP_GET, "csv", to, 1, &reply);
	assert_int_equal(opened.query.deployed_from_ms, 1);
	assert_int_equal(opened.query.deployed_to_ms, 1000);
	forget(&reply);
	ask(HTTP_GET, "csv", from, 1, &reply);
	assert_int_equal(opened.query.deployed_from_ms, 1);
	assert_int_equal(opened.query.deployed_to_ms, 0);
	forget(&reply);
}

static void unfit_arguments(void **state)
{
	static const struct {
		struct http_pair pairs[2];
		const char *field;
	} cases[] = {
		{{{"state", "none"}}, "state"},
		{{{"state", "DEPLOYED"}}, "state"},
		{{{"state", "All"}}, "state"},
		{{{"from", "2027-02-30"}}, "from"},
		{{{"from", "-1"}}, "from"},
		{{{"to", "tomorrow"}}, "to"},
		{{{"to", "0"}}, "to"},
		{{{"to", "5"}, {"from", "5"}}, "to"},
		{{{"limit", "0"}}, "limit"},
		{{{"limit", "01"}}, "limit"},
		{{{"limit", "1.0"}}, "limit"},
		{{{"limit", "4294967296"}}, "limit"},
		{{{"last", "6b04308d60353b596f8b3e8"}}, "last"},
		{{{"last", "6b04308d60353b596f8b3e8g"}}, "last"},
		{{{"since", "6b04308d60353b596f8b3e8"}}, "since"},
		{{{"profile", "other"}}, "profile"},
		{{{"limit", "1"}, {"limit", "1"}}, "limit"},
		{{{"limit", ""}, {"limit", ""}}, "limit"},
		{{{"order", "ASC"}}, "order"},
		{{{"", ""}}, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_pair query[] = {cases[i].pairs[0], cases[i].pairs[1]};
		struct http_reply reply;
		char field[64];

		ask(HTTP_GET, "csv", query, query[1].name ? 2 : 1, &reply);
		(void)snprintf(field, sizeof(field), "\"field\":\"%s\"", cases[i].field);
		assert_int_equal(reply.status, 400);
		assert_string_equal(reply.error_code, "bad_argument");
		assert_non_null(memmem(reply.body, reply.body_size, field, strlen(field)));
		assert_null(reply.stream);
		forget(&reply);
	}
	assert_int_equal(opened.calls, 0);
}

/* Of two places the later one; a cursor only where the walk begins and has no end. */
static void places_and_cursors(void **state)
{
	static const char early[] = "00000000000000000000000a";
	static const char later[] = "00000000000000000000000b";
	static const struct {
		struct http_pair pairs[2];
		const char *after;
		bool has_cursor;
	} cases[] = {
		{{{"since", early}, {"last", later}}, later, false}, {{{"since", later}, {"last", early}}, later, false},
		{{{"since", early}, {"last", ""}}, early, true},     {{{"since", ""}, {"last", early}}, early, false},
		{{{"since", early}, {"to", "99999"}}, early, false}, {{{"since", early}, {"state", "all"}}, early, false},
		{{{"since", early}, {"from", "1"}}, early, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_pair query[] = {cases[i].pairs[0], cases[i].pairs[1]};
		struct http_reply reply;

		opened.calls = 0;
		ask(HTTP_GET, "csv", query, 2, &reply);
		assert_int_equal(reply.status, 200);
		assert_string_equal(opened.after, cases[i].after);
		assert_int_equal(header(&reply, "Pep-Cursor") != NULL, cases[i].has_cursor);
		assert_null(header(&reply, "Pep-Next"));
		forget(&reply);
	}
}

static void a_page_names_the_next(void **state)
{
	struct http_pair query[] = {{"limit", "2"}};
	struct http_reply reply;

	(void)state;
	opened.has_more = true;
	opened.count = 0;
	ask(HTTP_GET, "csv", query, 1, &reply);
	assert_string_equal(header(&reply, "Pep-Next"), "next");
	assert_string_equal(header(&reply, "Pep-Records"), "0");
	forget(&reply);
}

static void how_many_it_has_if_that_is_known(void **state)
{
	struct http_reply reply;

	(void)state;
	opened.count = 4000000000;
	ask(HTTP_GET, "csv", NULL, 0, &reply);
	assert_string_equal(header(&reply, "Pep-Records"), "4000000000");
	forget(&reply);
	opened.count = -1;
	ask(HTTP_GET, "csv", NULL, 0, &reply);
	assert_null(header(&reply, "Pep-Records"));
	forget(&reply);
}

static void profile_of_one_that_has_none(void **state)
{
	struct http_pair query[] = {{"profile", "plain"}};
	struct http_reply reply;

	(void)state;
	ask(HTTP_GET, "mine", query, 1, &reply);
	assert_int_equal(reply.status, 400);
	forget(&reply);
}

/* The one failure whose reason the caller needs: which record it is. */
static void a_record_that_does_not_fit(void **state)
{
	struct http_reply reply;

	(void)state;
	opened.status = PEP_INVALID;
	ask(HTTP_GET, "csv", NULL, 0, &reply);
	assert_int_equal(reply.status, 422);
	assert_string_equal(reply.error_code, "not_exportable");
	assert_non_null(memmem(reply.body, reply.body_size, "serial X is bad", 15));
	forget(&reply);
}

static void unknown_exporter(void **state)
{
	static const char *const names[] = {"", "CSV", "csv/", "xml"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct http_reply reply;

		ask(HTTP_GET, names[i], NULL, 0, &reply);
		assert_int_equal(reply.status, 404);
		assert_string_equal(reply.error_code, "not_found");
		assert_non_null(memmem(reply.body, reply.body_size, "csv, mine", 9));
		forget(&reply);
	}
	assert_int_equal(opened.calls, 0);
}

static void head_makes_nothing(void **state)
{
	struct http_pair query[] = {{"limit", "x"}};
	struct http_reply reply;

	(void)state;
	ask(HTTP_HEAD, "csv", NULL, 0, &reply);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.content_type, "text/csv; charset=utf-8");
	assert_null(reply.stream);
	forget(&reply);
	ask(HTTP_HEAD, "csv", query, 1, &reply);
	assert_int_equal(reply.status, 400);
	forget(&reply);
	assert_int_equal(opened.calls, 0);
}

static void failures(void **state)
{
	static const struct {
		pep_status status;
		unsigned http;
		const char *code;
	} cases[] = {{PEP_UNAVAILABLE, 503, "storage_unavailable"},
		     {PEP_TIMEOUT, 503, "storage_unavailable"},
		     {PEP_NO_MEMORY, 500, "internal"},
		     {PEP_LIMIT, 500, "internal"}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct http_reply reply;

		opened.status = cases[i].status;
		ask(HTTP_GET, "csv", NULL, 0, &reply);
		assert_int_equal(reply.status, cases[i].http);
		assert_string_equal(reply.error_code, cases[i].code);
		assert_int_equal(reply.header_count, cases[i].http == 503);
		assert_null(reply.stream);
		assert_null(memmem(reply.body, reply.body_size, "secret", 6));
		forget(&reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plain_export, reset),
		cmocka_unit_test_setup(every_argument, reset),
		cmocka_unit_test_setup(empty_is_absent, reset),
		cmocka_unit_test_setup(states, reset),
		cmocka_unit_test_setup(range_means_deployed_once, reset),
		cmocka_unit_test_setup(unfit_arguments, reset),
		cmocka_unit_test_setup(places_and_cursors, reset),
		cmocka_unit_test_setup(a_page_names_the_next, reset),
		cmocka_unit_test_setup(how_many_it_has_if_that_is_known, reset),
		cmocka_unit_test_setup(profile_of_one_that_has_none, reset),
		cmocka_unit_test_setup(a_record_that_does_not_fit, reset),
		cmocka_unit_test_setup(unknown_exporter, reset),
		cmocka_unit_test_setup(head_makes_nothing, reset),
		cmocka_unit_test_setup(failures, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
