/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/api.h"
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

/* What export_open() was called with, and is to answer. */
static struct {
	unsigned calls;
	struct exporter *exporter;
	struct pep_scan_query query;
	char after[32];
	pep_status status;
	struct stream stream;
} opened;

pep_status export_open(struct storage *storage, struct exporter *exporter, const struct pep_scan_query *query,
		       const char *request_id, struct stream **ret_stream, struct pep_error *err)
{
	assert_ptr_equal(storage, &opened);
	assert_string_equal(request_id, "request-1");
	opened.calls++;
	opened.exporter = exporter;
	opened.query = *query;
	(void)snprintf(opened.after, sizeof(opened.after), "%s", query->after ? query->after : "");
	if (opened.status != PEP_OK)
		return pep_fail(err, opened.status, 0, "secret reason");
	*ret_stream = &opened.stream;
	return PEP_OK;
}

/* One request; what it leaves in *ret_reply is freed by forget(). */
static struct arena arena;

static void ask(enum http_method method, const char *tail, struct http_pair *query, size_t count, struct http_reply *ret_reply)
{
	const struct api_context api = {.storage = (struct storage *)&opened, .exporters = exporters, .exporter_count = 2};
	struct http_request request = {
		.arena = &arena, .method = method, .tail = tail, .query = query, .query_count = count, .id = "request-1"};

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
	return 0;
}

static void plain_export(void **state)
{
	struct http_reply reply;

	(void)state;
	ask(HTTP_GET, "mine", NULL, 0, &reply);
	assert_int_equal(reply.status, 200);
	assert_ptr_equal(reply.stream, &opened.stream);
	assert_string_equal(reply.content_type, "text/mine");
	assert_int_equal(reply.header_count, 1);
	assert_string_equal(reply.headers[0].name, "Content-Disposition");
	assert_string_equal(reply.headers[0].value, "attachment; filename=\"identities.txt\"");
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
				    {"last", "6B04308d60353b596f8b3eFF"}};
	struct http_reply reply;

	(void)state;
	ask(HTTP_GET, "csv", query, 5, &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(opened.query.state, 0);
	assert_int_equal(opened.query.deployed_from_ms, 1803859200000);
	assert_int_equal(opened.query.deployed_to_ms, 1803859200001);
	assert_int_equal(opened.query.limit, 4294967295);
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
		cmocka_unit_test_setup(unknown_exporter, reset),
		cmocka_unit_test_setup(head_makes_nothing, reset),
		cmocka_unit_test_setup(failures, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
