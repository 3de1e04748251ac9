/* SPDX-License-Identifier: Apache-2.0
 *
 * enrollment_test.c - lookups, the list and its pages, health, and the table of routes, over a fake store.
 */
#include "support.h"

#include "../provision/fake_store.h"

#include "core/base/log.h"
#include "core/service/audit.h"
#include "core/service/push.h"
#include "core/service/spool.h"
#include "core/service/vitals.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct world {
	struct support *support;
	struct storage store;
};

/* The spool is a stub: so many wait. */
static unsigned waiting;
static struct audit_report audited = {.is_well = true};

void audit_report(struct audit *audit, struct audit_report *ret_report)
{
	(void)audit;
	*ret_report = audited;
}

static int64_t disk_free = VITALS_DISK_MIN;

int64_t vitals_disk_free(const char *path)
{
	(void)path;
	return disk_free;
}

unsigned spool_count(const struct spool *spool)
{
	(void)spool;
	return waiting;
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	void *support = NULL;

	if (!world || support_set_up(&support) != 0)
		return -1;
	world->support = support;
	fake_store_init(&world->store);
	world->support->api.storage = &world->store;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	void *support = world->support;

	assert_int_equal(world->store.open_scans, 0);
	fake_store_fini(&world->store);
	free(world);
	return support_tear_down(&support);
}

static void put(struct world *world, const char *serial, uint32_t state, const char *dispatch_id, const char *key)
{
	const struct pep_identity id = {.struct_size = sizeof(id),
					.state = state,
					.created_ms = 5,
					.serial = serial,
					.dispatch_id = dispatch_id,
					.enrollment_id = arena_format(&world->support->arena, "A-%s", serial),
					.verification_key = key,
					.category = "production"};

	fake_store_put(&world->store, &id);
}

/* --- one serial --- */

static void look_up(struct world *world, route_handler handler, const char *serial)
{
	support_get(world->support);
	support_pair(world->support, "serialNumber", serial);
	handler(&world->support->api, &world->support->request, &world->support->reply);
}

static void assert_value(const struct world *world, const char *value)
{
	assert_int_equal(world->support->reply.status, 200);
	assert_string_equal(world->support->reply.content_type, "text/plain; charset=utf-8");
	assert_null(world->support->reply.error_code);
	support_assert_body(world->support, value);
}

static void assert_not_found(const struct world *world)
{
	assert_int_equal(world->support->reply.status, 404);
	assert_string_equal(world->support->reply.content_type, "text/plain; charset=utf-8");
	assert_string_equal(world->support->reply.error_code, "not_found");
	support_assert_body(world->support, "Not found!");
}

static void a_deployed_serial(void **state)
{
	struct world *world = *state;

	put(world, "S", PEP_DEPLOYED, "000000000000000000000001", "KEY");
	put(world, "T", PEP_DEPLOYED, "000000000000000000000002", NULL);
	look_up(world, api_enrollment_id, "S");
	assert_value(world, "A-S");
	assert_string_equal(world->support->reply.serial, "S");
	look_up(world, api_verification_key, "S");
	assert_value(world, "KEY");
	look_up(world, api_verification_key, "T");
	assert_value(world, "");
}

static void only_deployed_ones_are_found(void **state)
{
	static const uint32_t states[] = {PEP_CLAIMED, PEP_CONTACTED, PEP_ISSUED, PEP_FAILED, PEP_IN_DOUBT, PEP_RETIRED};
	struct world *world = *state;

	look_up(world, api_enrollment_id, "S");
	assert_not_found(world);
	for (size_t i = 0; i < 6; i++) {
		put(world, "S", states[i], NULL, "KEY");
		look_up(world, api_enrollment_id, "S");
		assert_not_found(world);
		look_up(world, api_verification_key, "S");
		assert_not_found(world);
	}
	look_up(world, api_enrollment_id, "s"); /* exactly */
	assert_not_found(world);
}

static void serials_of_an_old_database(void **state)
{
	struct world *world = *state;
	const char *long_serial = support_repeat(world->support, "\xc3\xa4", 512);

	put(world, long_serial, PEP_DEPLOYED, "000000000000000000000001", NULL);
	look_up(world, api_enrollment_id, long_serial);
	assert_int_equal(world->support->reply.status, 200);
	look_up(world, api_enrollment_id, support_repeat(world->support, "x", 1025));
	support_assert_problem(world->support, 400, "bad_argument", "serialNumber");
}

static void lookups_that_are_wrong(void **state)
{
	struct world *world = *state;
	struct support *support = world->support;

	look_up(world, api_enrollment_id, "");
	support_assert_problem(support, 400, "bad_argument", "serialNumber");
	support_get(support);
	api_enrollment_id(&support->api, &support->request, &support->reply);
	support_assert_problem(support, 400, "bad_argument", "serialNumber");
	support_get(support);
	support_pair(support, "serialNumber", "S");
	support_pair(support, "x", "");
	api_enrollment_id(&support->api, &support->request, &support->reply);
	support_assert_problem(support, 400, "bad_argument", "x");
	support_get(support);
	support_pair(support, "serialNumber", "S");
	support_pair(support, "serialNumber", "S");
	api_verification_key(&support->api, &support->request, &support->reply);
	support_assert_problem(support, 400, "bad_argument", "serialNumber");
	support_post(support, "{}");
	support_pair(support, "serialNumber", "S");
	api_verification_key(&support->api, &support->request, &support->reply);
	support_assert_problem(support, 400, "bad_request", NULL);
	assert_int_equal(world->store.calls[STORE_SCAN_OPEN], 0);
}

static void storage_is_away(void **state)
{
	static const enum store_call calls[] = {STORE_SCAN_OPEN, STORE_SCAN_NEXT};
	static const route_handler handlers[] = {api_enrollment_id, api_verification_key};
	struct world *world = *state;
	struct support *support = world->support;

	put(world, "S", PEP_DEPLOYED, "000000000000000000000001", NULL);
	for (size_t i = 0; i < 4; i++) {
		fake_store_script(&world->store, calls[i % 2], 1, STORE_AWAY);
		look_up(world, handlers[i / 2], "S");
		support_assert_problem(support, 503, "storage_unavailable", NULL);
		assert_non_null(support_reply_header(support, "Retry-After"));
		support_get(support);
		fake_store_script(&world->store, calls[i % 2], 1, STORE_AWAY);
		api_enrollment_ids(&support->api, &support->request, &support->reply);
		support_assert_problem(support, 503, "storage_unavailable", NULL);
		assert_non_null(support_reply_header(support, "Retry-After"));
		fake_store_heal(&world->store);
	}
	fake_store_script(&world->store, STORE_SCAN_OPEN, 1, STORE_BROKEN);
	look_up(world, api_enrollment_id, "S");
	support_assert_problem(support, 500, "internal", NULL);
	assert_null(support_reply_header(support, "Retry-After"));
	assert_null(memmem(support->reply.body, support->reply.body_size, "fake", 4)); /* the reason is in the log */
}

/* --- the list --- */

static const char *id_of(struct world *world, unsigned number)
{
	return arena_format(&world->support->arena, "%023x%x", 0xabcU, number);
}

static void put_many(struct world *world, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		put(world, arena_format(&world->support->arena, "S%u", i), PEP_DEPLOYED, id_of(world, i), "SECRET");
}

static void list(struct world *world, const char *limit, const char *order, const char *last)
{
	struct support *support = world->support;

	support_get(support);
	if (limit)
		support_pair(support, "limit", limit);
	if (order)
		support_pair(support, "order", order);
	if (last)
		support_pair(support, "last", last);
	api_enrollment_ids(&support->api, &support->request, &support->reply);
}

static void an_empty_list(void **state)
{
	struct world *world = *state;

	put(world, "S", PEP_FAILED, NULL, NULL);
	list(world, NULL, NULL, NULL);
	assert_int_equal(world->support->reply.status, 200);
	assert_string_equal(world->support->reply.content_type, "application/json");
	support_assert_body(world->support, "{\"_links\":{\"self\":{\"href\":\"/v3/enrollment-ids\"}},\"results\":[],"
					    "\"total_count\":0,\"limit\":50,\"order\":\"DESC\"}");
}

static void one_page(void **state)
{
	struct world *world = *state;

	put_many(world, 2);
	list(world, NULL, NULL, NULL);
	support_assert_body(
		world->support,
		"{\"_links\":{\"self\":{\"href\":\"/v3/enrollment-ids\"}},\"results\":["
		"{\"_id\":\"00000000000000000000abc1\",\"serialNumber\":\"S1\",\"category\":\"production\",\"deployed\":true,"
		"\"createdAt\":5,\"enrollmentID\":\"A-S1\"},"
		"{\"_id\":\"00000000000000000000abc0\",\"serialNumber\":\"S0\",\"category\":\"production\",\"deployed\":true,"
		"\"createdAt\":5,\"enrollmentID\":\"A-S0\"}],"
		"\"total_count\":2,\"limit\":50,\"order\":\"DESC\"}");
}

static void assert_links(const struct world *world, const char *self, const char *next)
{
	support_assert_has(world->support, arena_format(&world->support->arena, "\"self\":{\"href\":\"%s\"}", self));
	if (next)
		support_assert_has(world->support, arena_format(&world->support->arena, "},\"next\":{\"href\":\"%s\"}},", next));
	else
		assert_null(memmem(world->support->reply.body, world->support->reply.body_size, "\"next\"", 6));
}

static void a_walk_over_pages(void **state)
{
	struct world *world = *state;

	put_many(world, 5);
	list(world, "2", "asc", NULL);
	assert_links(world, "/v3/enrollment-ids?limit=2&order=asc",
		     "/v3/enrollment-ids?limit=2&order=asc&last=00000000000000000000abc1");
	support_assert_has(world->support, "\"total_count\":2,\"limit\":2,\"order\":\"asc\"}");
	list(world, "2", "asc", "00000000000000000000ABC1"); /* upper case, too */
	assert_links(world, "/v3/enrollment-ids?limit=2&order=asc&last=00000000000000000000ABC1",
		     "/v3/enrollment-ids?limit=2&order=asc&last=00000000000000000000abc3");
	support_assert_has(world->support, "\"results\":[{\"_id\":\"00000000000000000000abc2\"");
	list(world, "2", "asc", id_of(world, 3));
	support_assert_has(world->support, "\"results\":[{\"_id\":\"00000000000000000000abc4\"");
	support_assert_has(world->support, "\"total_count\":1,");
	assert_links(world, "/v3/enrollment-ids?limit=2&order=asc&last=00000000000000000000abc3", NULL);
	list(world, "5", NULL, NULL); /* just full: no more follows */
	support_assert_has(world->support, "\"total_count\":5,");
	assert_links(world, "/v3/enrollment-ids?limit=5", NULL);
	list(world, "1", "Desc", id_of(world, 1));
	support_assert_has(world->support, "\"results\":[{\"_id\":\"00000000000000000000abc0\"");
	support_assert_has(world->support, "\"order\":\"Desc\"");
}

static void links_carry_the_prefix_of_the_request(void **state)
{
	struct world *world = *state;
	struct support *support = world->support;

	put_many(world, 2);
	support_get(support);
	support->request.prefixed = false;
	support_pair(support, "limit", "1");
	api_enrollment_ids(&support->api, &support->request, &support->reply);
	assert_links(world, "/enrollment-ids?limit=1", "/enrollment-ids?limit=1&last=00000000000000000000abc1");
	support_get(support);
	support_pair(support, "last", "");
	support_pair(support, "limit", "");
	support_pair(support, "order", "");
	api_enrollment_ids(&support->api, &support->request, &support->reply);
	assert_links(world, "/v3/enrollment-ids?last=&limit=&order=", NULL);
	support_assert_has(support, "\"limit\":50,\"order\":\"DESC\"");
}

struct limit_case {
	const char *text;
	unsigned limit; /* 0: refused */
};

static void limits(void **state)
{
	static const struct limit_case cases[] = {
		{"1", 1},       {"50", 50},     {"999", 999},    {"1000", 1000},
		{"1001", 1000}, {"9999", 1000}, {"10000", 1000}, {"99999999999999999999999999", 1000},
		{"0", 0},       {"00", 0},      {"01", 0},       {"-1", 0},
		{"+1", 0},      {"1.0", 0},     {" 1", 0},       {"1 ", 0},
		{"x", 0},       {"1e3", 0},     {"99999x", 0},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		list(world, cases[i].text, NULL, NULL);
		if (cases[i].limit) {
			support_assert_has(world->support, arena_format(&world->support->arena, "\"limit\":%u,", cases[i].limit));
			assert_int_equal(world->store.last_query.limit, cases[i].limit + 1);
			assert_int_equal(world->store.last_query.state, PEP_DEPLOYED);
		} else {
			support_assert_problem(world->support, 400, "bad_argument", "limit");
		}
	}
}

static void orders_and_last(void **state)
{
	static const char *const bad_orders[] = {"A", "ASCX", "UP", " ASC", "desc "};
	static const char *const bad_last[] = {"0",
					       "00000000000000000000000",
					       "0000000000000000000000000",
					       "00000000000000000000000g",
					       "00000000000000000000000 ",
					       "0x0000000000000000000000"};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(bad_orders) / sizeof(bad_orders[0]); i++) {
		list(world, NULL, bad_orders[i], NULL);
		support_assert_problem(world->support, 400, "bad_argument", "order");
	}
	for (size_t i = 0; i < sizeof(bad_last) / sizeof(bad_last[0]); i++) {
		list(world, NULL, NULL, bad_last[i]);
		support_assert_problem(world->support, 400, "bad_argument", "last");
	}
	assert_int_equal(world->store.calls[STORE_SCAN_OPEN], 0);
	list(world, NULL, "aSc", NULL);
	assert_int_equal(world->store.last_query.descending, 0);
	list(world, NULL, "dEsC", NULL);
	assert_int_equal(world->store.last_query.descending, 1);
}

/* A page that storage breaks off in the middle is no page. */
static void a_page_is_whole_or_an_error(void **state)
{
	struct world *world = *state;

	put_many(world, 3);
	for (unsigned nth = 1; nth <= 4; nth++) {
		fake_store_script(&world->store, STORE_SCAN_NEXT, nth, STORE_AWAY);
		list(world, "3", NULL, NULL);
		support_assert_problem(world->support, 503, "storage_unavailable", NULL);
		fake_store_heal(&world->store);
	}
}

/* --- health and routes --- */

static void health(void **state)
{
	struct world *world = *state;
	struct support *support = world->support;

	api_healthz(&support->api, &support->request, &support->reply);
	assert_value(world, "ok\n");
	support_get(support);
	waiting = 3;
	api_readyz(&support->api, &support->request, &support->reply);
	assert_int_equal(support->reply.status, 200);
	support_assert_body(
		support,
		"{\"ready\":true,\"checks\":{\"storage\":\"ok\",\"spool\":\"3 waiting\",\"audit\":\"ok\",\"disk\":\"ok\"}}");
	support_get(support);
	audited.is_altered = true;
	api_readyz(&support->api, &support->request, &support->reply);
	support_assert_body(
		support,
		"{\"ready\":true,\"checks\":{\"storage\":\"ok\",\"spool\":\"3 waiting\",\"audit\":\"altered\",\"disk\":\"ok\"}}");
	support_get(support);
	audited.is_well = false;
	api_readyz(&support->api, &support->request, &support->reply);
	assert_int_equal(support->reply.status, 503);
	support_assert_body(support, "{\"ready\":false,\"checks\":{\"storage\":\"ok\",\"spool\":\"3 "
				     "waiting\",\"audit\":\"unavailable\",\"disk\":\"ok\"}}");
	audited = (struct audit_report){.is_well = true};
	disk_free--;
	api_readyz(&support->api, &support->request, &support->reply);
	assert_int_equal(support->reply.status, 200);
	support_assert_body(
		support,
		"{\"ready\":true,\"checks\":{\"storage\":\"ok\",\"spool\":\"3 waiting\",\"audit\":\"ok\",\"disk\":\"low\"}}");
	disk_free++;
	support_get(support);
	fake_store_script(&world->store, STORE_PING, 1, STORE_AWAY);
	api_healthz(&support->api, &support->request, &support->reply);
	assert_value(world, "ok\n"); /* alive all the same */
	support_get(support);
	api_readyz(&support->api, &support->request, &support->reply);
	assert_int_equal(support->reply.status, 503);
	assert_string_equal(support->reply.error_code, "storage_unavailable");
	assert_non_null(support_reply_header(support, "Retry-After"));
	support_assert_has(support, "\"ready\":false");
	support_get(support);
	support_pair(support, "x", "y");
	api_readyz(&support->api, &support->request, &support->reply);
	support_assert_problem(support, 400, "bad_argument", "x");
}

/* The subscribers are stubs, too: one that fails, with an error that would break the page if it were not escaped. */
static size_t pushes;

size_t push_count(const struct push *push)
{
	(void)push;
	return pushes;
}

void push_report(struct push *push, size_t i, struct subscriber_report *ret_report)
{
	(void)push;
	*ret_report = (struct subscriber_report){.name = i ? "mes-2" : "mes",
						 .state = i ? SUBSCRIBER_OK : SUBSCRIBER_FAILING,
						 .since_ms = 86400000,
						 .backlog = i ? 0 : 17,
						 .delivered = 5,
						 .dead_letters = i ? 0 : 2};
	(void)snprintf(ret_report->error, sizeof(ret_report->error), "%s", i ? "" : "it said \"no\"");
}

/* Who is told, and how that goes, says nothing of whether the server is ready. */
static void subscribers_show_and_do_not_fail_it(void **state)
{
	struct world *world = *state;
	struct support *support = world->support;

	waiting = 3;
	pushes = 2;
	api_readyz(&support->api, &support->request, &support->reply);
	pushes = 0;
	assert_int_equal(support->reply.status, 200);
	support_assert_body(
		support,
		"{\"ready\":true,\"checks\":{\"storage\":\"ok\",\"spool\":\"3 "
		"waiting\",\"audit\":\"ok\",\"disk\":\"ok\"},\"push\":["
		"{\"name\":\"mes\",\"state\":\"failing\",\"since\":\"1970-01-02T00:00:00Z\",\"backlog\":17,\"delivered\":5,"
		"\"dead_letters\":2,\"error\":\"it said \\\"no\\\"\"},"
		"{\"name\":\"mes-2\",\"state\":\"ok\",\"since\":\"1970-01-02T00:00:00Z\",\"backlog\":0,\"delivered\":5,"
		"\"dead_letters\":0}]}");
}

/* The page does not say why; the log does. */
static void why_it_is_not_ready_is_in_the_log(void **state)
{
	struct world *world = *state;
	char text[1024] = "";
	int ends[2];
	int saved = dup(STDERR_FILENO);

	assert_int_equal(pipe(ends), 0);
	assert_true(saved >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
	log_setup(LOG_WARNING, LOG_FORMAT_LOGFMT);
	fake_store_script(&world->store, STORE_PING, 1, STORE_AWAY);
	api_readyz(&world->support->api, &world->support->request, &world->support->reply);
	log_setup(-1, LOG_FORMAT_LOGFMT);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	(void)close(ends[1]);
	(void)!read(ends[0], text, sizeof(text) - 1);
	(void)close(ends[0]);
	assert_non_null(strstr(text, "the fake store is away"));
	assert_non_null(strstr(text, "request_id=req-1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_deployed_serial),
		TEST(only_deployed_ones_are_found),
		TEST(serials_of_an_old_database),
		TEST(lookups_that_are_wrong),
		TEST(storage_is_away),
		TEST(an_empty_list),
		TEST(one_page),
		TEST(a_walk_over_pages),
		TEST(links_carry_the_prefix_of_the_request),
		TEST(limits),
		TEST(orders_and_last),
		TEST(a_page_is_whole_or_an_error),
		TEST(health),
		TEST(subscribers_show_and_do_not_fail_it),
		TEST(why_it_is_not_ready_is_in_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
