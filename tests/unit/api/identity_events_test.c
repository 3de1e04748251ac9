/* SPDX-License-Identifier: Apache-2.0
 *
 * identity_events_test.c - GET /identities/SERIAL/events: which events of the audit come, and how much of it is looked at (LINE_LIMIT is 120).
 */
#include "support.h"

#include "core/base/json.h"
#include "core/service/audit.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEGIN INT64_C(1803969000000) /* 2027-03-02T05:30:00Z */
#define DAY INT64_C(86400000)

static char folder[32];
static struct buffer written;
static struct audit_head head;
static const struct pep_identity *stored;
static pep_status store_status;

void audit_flush(struct audit *audit)
{
	(void)audit;
}

void audit_head(struct audit *audit, struct audit_head *ret_head)
{
	(void)audit;
	*ret_head = head;
}

pep_status audit_append(struct audit *audit, json_t *event, struct pep_error *err)
{
	(void)audit, (void)event, (void)err;
	abort();
}

pep_status storage_get(struct storage *storage, struct arena *arena, const char *serial, const struct pep_identity **ret_identity,
		       struct pep_error *err)
{
	(void)storage, (void)arena, (void)serial;
	*ret_identity = stored;
	return store_status == PEP_OK ? PEP_OK : pep_fail(err, store_status, 0, "away");
}

static void line(int64_t at_ms, const char *members)
{
	char time[AUDIT_TIME_SIZE + 1];

	audit_time(at_ms, time);
	audit_line_seal(&written, &head, time, "s", members);
}

static void lines(int64_t at_ms, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		line(at_ms, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"OTHER\",\"detail\":\"GW-1\"");
}

static int set_up(void **state)
{
	static struct pep_identity record = {.serial = "GW-1", .created_ms = BEGIN};
	struct support *support;

	if (support_set_up(state) != 0)
		return -1;
	support = *state;
	(void)snprintf(folder, sizeof(folder), "/tmp/pep-api-events-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	support->config.data_dir = folder;
	support->api.config = &support->config;
	buffer_init(&written, 1 << 20);
	head = audit_genesis;
	stored = &record;
	store_status = PEP_OK;
	return 0;
}

static int tear_down(void **state)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	(void)unlink(path);
	(void)rmdir(folder);
	buffer_fini(&written);
	return support_tear_down(state);
}

static void ask(struct support *support, const char *serial)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, written.data, written.size), written.size);
	(void)close(fd);
	support_get(support);
	api_identity_events(&support->api, &support->request, &support->reply, serial);
	assert_int_equal(atomic_load(&support->api.walks), 0);
}

/* The attempts of the events that come. */
static void expect(struct support *support, const char *serial, const char *attempts, bool complete)
{
	struct pep_error err = {0};
	json_t *json = NULL, *event;
	char found[2048] = "";
	size_t i;

	ask(support, serial);
	assert_int_equal(support->reply.status, 200);
	assert_int_equal(json_parse_text(support->reply.body, support->reply.body_size, &json, &err), PEP_OK);
	json_array_foreach(json_object_get(json, "events"), i, event)
	{
		size_t size = strlen(found);

		(void)snprintf(found + size, sizeof(found) - size, "%d ",
			       (int)json_integer_value(json_object_get(event, "attempt")));
	}
	assert_string_equal(found, attempts);
	assert_int_equal(json_is_true(json_object_get(json, "complete")), complete);
	json_decref(json);
	free(support->reply.free_body);
	support->reply.free_body = NULL;
}

static void members(void **state)
{
	struct support *support = *state;

	line(BEGIN - 9, "\"event\":\"start\",\"actor\":\"server\"");
	line(BEGIN + 7,
	     "\"event\":\"provision\",\"actor\":\"ann\",\"serial\":\"GW-1\",\"outcome\":\"failed\",\"attempt\":1,\"secret\":\"x\"");
	ask(support, "GW-1");
	support_assert_body(support, "{\"events\":[{\"at_ms\":1803969000007,\"event\":\"provision\",\"actor\":\"ann\",\"outcome\":"
				     "\"failed\",\"attempt\":1}],\"since_ms\":1803968999991,\"complete\":true}");
	free(support->reply.free_body);
	support->reply.free_body = NULL;
}

/* It is the serial that counts, as a whole and however it is written. */
static void of_this_serial_only(void **state)
{
	static struct pep_identity odd = {.serial = "a\"\\/\xc3\xa4", .created_ms = BEGIN};

	line(BEGIN, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":1");
	line(BEGIN, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-11\",\"attempt\":2");
	line(BEGIN, "\"event\":\"provision\",\"actor\":\"GW-1\",\"serial\":\"XGW-1\",\"attempt\":3");
	line(BEGIN, "\"event\":\"order\",\"actor\":\"a\",\"serial\":\"GW-2\",\"lines\":{\"serial\":\"GW-1\"},\"attempt\":4");
	line(BEGIN, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"a\\\"\\\\/\xc3\xa4\",\"attempt\":5");
	line(BEGIN, "\"event\":\"retire\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":6");
	expect(*state, "GW-1", "1 6 ", true);
	stored = &odd;
	expect(*state, odd.serial, "5 ", true);
}

/* What was refused on the day before there was a record is looked at, what came earlier is not. */
static void from_a_day_before_the_record(void **state)
{
	line(BEGIN - DAY - 1, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":8");
	line(BEGIN - DAY + 1, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":0");
	line(BEGIN, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":1");
	expect(*state, "GW-1", "0 1 ", true);
}

/* This server came later than the record: it cannot know all. */
static void an_audit_that_begins_later(void **state)
{
	line(BEGIN + 120000, "\"event\":\"grant\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":3");
	expect(*state, "GW-1", "3 ", false);
}

/* The beginning and the end are looked at; the middle only where they meet. */
static void too_much_for_one_look(void **state)
{
	line(BEGIN, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":1");
	lines(BEGIN + 1, LINE_LIMIT - 1);
	line(BEGIN + 2, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":2");
	lines(BEGIN + 3, LINE_LIMIT - 2);
	line(BEGIN + 4, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":3");
	expect(*state, "GW-1", "1 2 3 ", true);
	lines(BEGIN + 5, 1);
	expect(*state, "GW-1", "1 3 ", false);
	lines(BEGIN + 5, LINE_LIMIT - 2);
	expect(*state, "GW-1", "1 3 ", false);
	lines(BEGIN + 5, 1);
	expect(*state, "GW-1", "1 ", false);
}

static void the_newest_200(void **state)
{
	char wanted[2048] = "", text[128];

	lines(BEGIN, 1);
	for (int i = 1; i <= 210; i++) {
		(void)snprintf(text, sizeof(text), "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":%d", i);
		line(BEGIN + i, text);
		if (i > 10)
			(void)snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%d ", i);
	}
	expect(*state, "GW-1", wanted, false);
}

/* It was refused before there was anything to record, or nobody has ever asked. */
static void without_a_record(void **state)
{
	struct support *support = *state;

	stored = NULL;
	line(BEGIN, "\"event\":\"provision\",\"actor\":\"a\",\"serial\":\"GW-1\",\"attempt\":0");
	lines(BEGIN, LINE_LIMIT - 1);
	expect(support, "GW-1", "0 ", true);
	ask(support, "GW-2");
	support_assert_problem(support, 404, "not_found", NULL);
	lines(BEGIN, 1);
	ask(support, "GW-1");
	support_assert_problem(support, 404, "not_found", NULL);
}

static void refusals(void **state)
{
	struct support *support = *state;

	support_get(support);
	support_pair(support, "x", "1");
	api_identity_events(&support->api, &support->request, &support->reply, "GW-1");
	assert_int_equal(support->reply.status, 400);
	support_get(support);
	atomic_store(&support->api.walks, 2);
	api_identity_events(&support->api, &support->request, &support->reply, "GW-1");
	support_assert_problem(support, 503, "busy", NULL);
	assert_string_equal(support_reply_header(support, "Retry-After"), "1");
	assert_int_equal(atomic_load(&support->api.walks), 2);
	atomic_store(&support->api.walks, 0);
	store_status = PEP_UNAVAILABLE;
	ask(support, "GW-1");
	support_assert_problem(support, 503, "storage_unavailable", NULL);
	store_status = PEP_OK;
	support->config.data_dir = "/nonexistent";
	ask(support, "GW-1");
	support_assert_problem(support, 500, "internal", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members),
		TEST(of_this_serial_only),
		TEST(from_a_day_before_the_record),
		TEST(an_audit_that_begins_later),
		TEST(too_much_for_one_look),
		TEST(the_newest_200),
		TEST(without_a_record),
		TEST(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
