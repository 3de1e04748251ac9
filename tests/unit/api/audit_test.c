/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_test.c - GET /audit: which records come, in pieces of any size.
 */
#include "support.h"

#include "core/service/audit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS 20

static struct audit_head head;
static char folder[32], path[64];
static struct buffer written;
static size_t ends[RECORDS + 1];
static bool was_flushed;

void audit_flush(struct audit *audit)
{
	(void)audit;
	was_flushed = true;
}

void audit_head(struct audit *audit, struct audit_head *ret_head)
{
	(void)audit;
	assert_true(was_flushed);
	*ret_head = head;
}

static void write_text(const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	(void)close(fd);
}

static int write_audit(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/pep-api-audit-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	buffer_init(&written, 1 << 20);
	head = audit_genesis;
	for (int i = 0; i < RECORDS; i++) {
		audit_line_seal(&written, &head, "2027-03-03T06:30:00.000Z", "s", "\"event\":\"e\"");
		ends[i + 1] = written.size;
	}
	write_text(written.data, written.size);
	return 0;
}

static int remove_audit(void **state)
{
	(void)state;
	buffer_fini(&written);
	(void)unlink(path);
	return rmdir(folder);
}

/* Asks, and reads what comes in pieces of at most `room` bytes; the size is compared, too. */
static void expect(struct support *support, const char *since_seq, const char *limit, size_t room, unsigned from, unsigned to)
{
	static struct config config;
	char *text = malloc(written.size + room);
	size_t size = 0;
	ssize_t got;

	assert_non_null(text);
	config.data_dir = folder;
	support->api.config = &config;
	support_get(support);
	if (since_seq)
		support_pair(support, "since_seq", since_seq);
	if (limit)
		support_pair(support, "limit", limit);
	was_flushed = false;
	api_audit(&support->api, &support->request, &support->reply);
	assert_int_equal(support->reply.status, 200);
	while ((got = support->reply.stream->fill(support->reply.stream, text + size, room)) > 0) {
		assert_true((size_t)got <= room);
		size += (size_t)got;
		assert_true(size <= written.size);
	}
	assert_int_equal(got, STREAM_END);
	assert_int_equal(support->reply.stream->fill(support->reply.stream, text, room), STREAM_END);
	support->reply.stream->close(support->reply.stream);
	support->reply.stream = NULL;
	assert_int_equal(size, ends[to] - ends[from]);
	assert_memory_equal(text, written.data + ends[from], size);
	free(text);
}

static void records_come_in_pieces_of_any_size(void **state)
{
	for (size_t room = 1; room < 700; room += room < 300 ? 7 : 1)
		expect(*state, NULL, NULL, room, 0, RECORDS);
	expect(*state, NULL, NULL, 1 << 20, 0, RECORDS);
}

static void a_part_of_them(void **state)
{
	expect(*state, "0", NULL, 100, 0, RECORDS);
	expect(*state, "7", NULL, 100, 7, RECORDS);
	expect(*state, "7", "5", 100, 7, 12);
	expect(*state, NULL, "1", 1 << 20, 0, 1);
	expect(*state, "20", NULL, 100, RECORDS, RECORDS);
	expect(*state, "9000000000000000000", NULL, 100, RECORDS, RECORDS);
}

/* What is being written behind the head is not sent, nor what is no record. */
static void no_more_than_there_was(void **state)
{
	struct audit_head next = head;
	struct buffer more;

	buffer_init(&more, 4096);
	buffer_text(&more, "no record\n");
	audit_line_seal(&more, &next, "2027-03-03T06:30:00.000Z", "s", "\"event\":\"e\"");
	buffer_text(&more, "{\"seq\":22,");
	write_text(more.data, more.size);
	buffer_fini(&more);
	expect(*state, NULL, NULL, 100, 0, RECORDS);
}

static void wrong_numbers(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {{"since_seq", "-1"}, {"since_seq", "x"}, {"limit", "0"}, {"limit", "99999999999999999999"}, {"since", "1"}};
	struct support *support = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		support_get(support);
		support_pair(support, cases[i].name, cases[i].value);
		api_audit(&support->api, &support->request, &support->reply);
		assert_int_equal(support->reply.status, 400);
	}
}

static void no_file_no_records(void **state)
{
	static struct config config = {.data_dir = "/nonexistent"};
	struct support *support = *state;

	support->api.config = &config;
	support_get(support);
	api_audit(&support->api, &support->request, &support->reply);
	assert_int_equal(support->reply.status, 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_set_up, support_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_come_in_pieces_of_any_size),
		TEST(a_part_of_them),
		TEST(wrong_numbers),
		TEST(no_file_no_records),
		TEST(no_more_than_there_was),
	};

	return cmocka_run_group_tests(tests, write_audit, remove_audit);
}
