/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit.h"

#include "core/service/audit_folder.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder of each test's own. */
static char folder[32], path[64];

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/pep-audit-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char name[AUDIT_NAME_SIZE], other[80];

	(void)state;
	(void)unlink(path);
	(void)snprintf(other, sizeof(other), "%s/audit-unchained.jsonl", folder);
	(void)unlink(other);
	for (unsigned n = 1; n < 100; n++) {
		audit_folder_name(n, name);
		(void)snprintf(other, sizeof(other), "%s/%s", folder, name);
		(void)unlink(other);
	}
	return rmdir(folder);
}

static struct audit *open_sized(int64_t segment_size)
{
	const struct audit_settings settings = {.folder = folder, .server = "line \"1\"", .segment_size = segment_size};
	struct audit *audit = NULL;
	struct pep_error err = {0};

	if (audit_open(&settings, &audit, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return audit;
}

static struct audit *open_it(void)
{
	return open_sized(1 << 30);
}

static void append(struct audit *audit, const char *event)
{
	struct pep_error err = {0};

	if (audit_append(audit, json_pack("{s:s, s:s}", "event", event, "actor", "test"), &err) != PEP_OK)
		fail_msg("%s", err.message);
}

static char *read_file(const char *name)
{
	FILE *file = fopen(name, "re");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
	(void)fclose(file);
	return text;
}

static void write_text(const char *name, const char *text, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	(void)close(fd);
}

/* Every line of a file follows the one before it; `head` is that of the last. Returns how many there are. */
static unsigned expect_chain(const char *name, struct audit_head *head)
{
	char *text = read_file(name);
	unsigned count = 0;

	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, count++) {
		struct audit_line read;
		json_t *json = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "server")), "line \"1\"");
		assert_non_null(json_object_get(json, "event"));
		json_decref(json);
		assert_true(audit_line_read(line, (size_t)(end - line), &read));
		assert_true(audit_line_is_sealed(&read));
		assert_true(audit_line_follows(&read, head));
		*head = audit_line_head(&read);
	}
	free(text);
	return count;
}

/* The n-th line of the file, from 0; NULL: there is none, or it is no JSON. */
static json_t *line(unsigned n)
{
	char *text = read_file(path), *at = text, *end;
	json_t *json = NULL;

	while ((end = strchr(at, '\n')) && n--)
		at = end + 1;
	if (end)
		json = json_loadb(at, (size_t)(end - at), 0, NULL);
	free(text);
	return json;
}

static void expect_event(unsigned n, const char *event)
{
	json_t *read = line(n);

	assert_non_null(read);
	assert_string_equal(json_string_value(json_object_get(read, "event")), event);
	json_decref(read);
}

static void the_chain_goes_on_where_it_was(void **state)
{
	struct audit *audit = open_it();
	struct audit_head head, expected = audit_genesis;
	struct stat about;

	(void)state;
	audit_head(audit, &head);
	assert_int_equal(head.seq, 0);
	append(audit, "one");
	append(audit, "two\n\",\"hash\":\"");
	audit_close(audit);
	audit = open_it();
	append(audit, "three");
	audit_head(audit, &head);
	audit_close(audit);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_int_equal(expect_chain(path, &expected), 3);
	assert_int_equal(head.seq, 3);
	assert_string_equal(head.hash, expected.hash);
	expect_event(1, "two\n\",\"hash\":\"");
}

/* The hash is what sha256sum says of the line without its hash: this one was made with it. */
static void a_line_is_sealed_as_the_manual_says(void **state)
{
	struct buffer out;
	struct audit_head head = audit_genesis;

	(void)state;
	buffer_init(&out, 4096);
	audit_line_seal(&out, &head, "2027-03-01T06:30:00.000Z", "line-1", "\"event\":\"start\"");
	buffer_byte(&out, '\0');
	assert_string_equal(out.data,
			    "{\"seq\":1,\"time\":\"2027-03-01T06:30:00.000Z\",\"server\":\"line-1\",\"event\":\"start\",\"prev\":"
			    "\"0000000000000000000000000000000000000000000000000000000000000000\",\"hash\":"
			    "\"3b7f4cedcc9f3acdf521cc132eb95a0e9916a8d2eb99ed9d72dee6d20e443c28\"}\n");
	buffer_fini(&out);
}

static void times_sort_as_texts(void **state)
{
	char time[AUDIT_TIME_SIZE + 1];

	(void)state;
	audit_time(1804055400007, time);
	assert_string_equal(time, "2027-03-03T06:30:00.007Z");
	audit_time(-1, time);
	assert_string_equal(time, "1970-01-01T00:00:00.000Z");
	audit_time(INT64_MAX, time);
	assert_string_equal(time, "9999-12-31T23:59:59.999Z");
}

static void a_torn_line_becomes_an_event(void **state)
{
	static const char torn[] = "{\"seq\":2,\"ti\\me\":\0\0\0\0x";
	struct audit_head head = audit_genesis;
	struct audit *audit = open_it();
	json_t *read;

	(void)state;
	append(audit, "one");
	audit_close(audit);
	write_text(path, torn, sizeof(torn) - 1);
	audit = open_it();
	append(audit, "next");
	audit_close(audit);
	assert_int_equal(expect_chain(path, &head), 3);
	expect_event(1, "torn");
	expect_event(2, "next");
	read = line(1);
	assert_int_equal(json_integer_value(json_object_get(read, "bytes")), sizeof(torn) - 1);
	assert_string_equal(json_string_value(json_object_get(read, "text")), "{\"seq\":2,\"ti\\\\me\":\\x00x");
	json_decref(read);
}

/* What is left of it behind its event is gone, too. */
static void a_long_torn_write_is_cut_off(void **state)
{
	struct audit_head head = audit_genesis;
	char torn[20000];
	json_t *read;

	(void)state;
	memset(torn, 'x', sizeof(torn));
	write_text(path, torn, sizeof(torn));
	audit_close(open_it());
	assert_int_equal(expect_chain(path, &head), 1);
	read = line(0);
	assert_int_equal(json_integer_value(json_object_get(read, "bytes")), sizeof(torn));
	assert_int_equal(json_string_length(json_object_get(read, "text")), 4096);
	json_decref(read);
	audit_close(open_it());
	assert_int_equal(expect_chain(path, (head = audit_genesis, &head)), 1);
}

/* Not every page of a write got to the disk: what is behind the hole was never confirmed. */
static void a_hole_is_torn(void **state)
{
	struct audit_head head = audit_genesis;
	struct audit *audit = open_it();
	struct stat about;
	int fd;

	(void)state;
	for (int i = 0; i < 40; i++)
		append(audit, "some event");
	audit_close(audit);
	assert_int_equal(stat(path, &about), 0);
	assert_true(about.st_size > 9000);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096), 0);
	(void)close(fd);
	audit_close(open_it());
	assert_in_range(expect_chain(path, &head), 10, 30);
	expect_event((unsigned)head.seq - 1, "torn");
}

/* A line that was changed stays, and so does every one behind it; the chain goes on and tells of it. */
static void an_altered_line_is_told(void **state)
{
	struct audit *audit = open_it();
	struct audit_report report;
	struct stat before, after;
	int fd;

	(void)state;
	for (int i = 0; i < 5; i++)
		append(audit, "some event");
	audit_report(audit, &report);
	assert_false(report.is_altered);
	audit_close(audit);
	assert_int_equal(stat(path, &before), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, before.st_size / 2), 1);
	(void)close(fd);
	audit = open_it();
	audit_report(audit, &report);
	assert_true(report.is_altered);
	assert_true(report.is_well);
	append(audit, "next");
	audit_close(audit);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size > before.st_size);
	expect_event(5, "altered");
	expect_event(6, "next");
}

static void a_file_without_a_chain_is_set_aside(void **state)
{
	static const char old[] = "{\"time\":\"2026-01-01T00:00:00.000Z\",\"event\":\"export_begun\"}\n";
	struct audit_head head = audit_genesis;
	char name[80], *text;

	(void)state;
	write_text(path, old, sizeof(old) - 1);
	audit_close(open_it());
	assert_int_equal(expect_chain(path, &head), 1);
	expect_event(0, "unchained_kept");
	(void)snprintf(name, sizeof(name), "%s/audit-unchained.jsonl", folder);
	text = read_file(name);
	assert_string_equal(text, old);
	free(text);
}

/* Files that are full get a number, and one chain goes through all of them, also over a restart in between. */
static void a_full_file_gets_a_number(void **state)
{
	struct audit_head head = audit_genesis;
	char name[AUDIT_NAME_SIZE], numbered[80];
	unsigned lines = 0, files = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct audit *audit = open_sized(1000);

		for (int n = 0; n < 10; n++)
			append(audit, "some event");
		audit_close(audit);
	}
	for (unsigned n = 1; n < 100; n++) {
		audit_folder_name(n, name);
		(void)snprintf(numbered, sizeof(numbered), "%s/%s", folder, name);
		if (access(numbered, F_OK) != 0)
			continue;
		lines += expect_chain(numbered, &head);
		assert_int_equal(++files, n);
	}
	assert_true(files > 5);
	lines += expect_chain(path, &head);
	expect_event(0, "segment");
	assert_int_equal(lines, 30 + files); /* each but the first begins with one that tells of the file before */
	/* Without the newest, the chain goes on behind what has a number. */
	assert_int_equal(unlink(path), 0);
	audit_close(open_sized(1000));
}

static void set_limit(rlim_t limit)
{
	struct rlimit now;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &now), 0);
	now.rlim_cur = limit == RLIM_INFINITY ? now.rlim_max : limit;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

/* No room: what can be refused is; what was done already is kept, and is in the file when there is room, in order. */
static void a_full_disk_refuses_and_keeps(void **state)
{
	struct audit *audit = open_it();
	struct audit_head head = audit_genesis;
	struct audit_report report;
	struct pep_error err = {0};
	struct stat about;
	json_t *read;

	(void)state;
	append(audit, "one");
	set_limit(300);
	assert_int_equal(audit_append(audit, json_pack("{s:s}", "event", "refused"), &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, path));
	for (int i = 0; i < 3; i++)
		audit_record(audit, json_pack("{s:s, s:i}", "event", "done", "n", i));
	audit_flush(audit);
	audit_report(audit, &report);
	assert_false(report.is_well);
	assert_int_equal(report.waiting, 3);
	audit_head(audit, &head);
	assert_int_equal(head.seq, 1);
	assert_int_equal(stat(path, &about), 0);
	assert_true(about.st_size < 300);
	set_limit(RLIM_INFINITY);
	append(audit, "next");
	audit_report(audit, &report);
	assert_true(report.is_well);
	assert_int_equal(report.waiting, 0);
	audit_close(audit);
	head = audit_genesis;
	assert_int_equal(expect_chain(path, &head), 6);
	expect_event(1, "audit_resumed");
	read = line(1);
	assert_int_equal(json_integer_value(json_object_get(read, "refused")), 1);
	json_decref(read);
	read = line(4);
	assert_int_equal(json_integer_value(json_object_get(read, "n")), 2);
	json_decref(read);
	expect_event(5, "next");
}

/* Nobody has to ask for it: the thread looks by itself whether there is room again. */
static void what_is_kept_is_written_by_itself(void **state)
{
	struct audit *audit = open_it();
	struct audit_report report;

	(void)state;
	set_limit(10);
	audit_record(audit, json_pack("{s:s}", "event", "done"));
	audit_flush(audit);
	audit_report(audit, &report);
	assert_int_equal(report.waiting, 1);
	set_limit(RLIM_INFINITY);
	audit_report(audit, &report);
	while (!report.is_well) {
		(void)sched_yield();
		audit_report(audit, &report);
	}
	assert_int_equal(report.waiting, 0);
	audit_close(audit);
	expect_event(0, "audit_resumed");
	expect_event(1, "done");
}

/* A file that is taken away, or written to, while the server runs: today's events are written, and it is told. */
static void what_others_do_to_the_file_is_told(void **state)
{
	struct audit *audit = open_it();
	struct audit_report report;

	(void)state;
	append(audit, "one");
	assert_int_equal(unlink(path), 0);
	append(audit, "two");
	audit_report(audit, &report);
	assert_true(report.is_altered);
	expect_event(0, "segment");
	expect_event(1, "two");
	write_text(path, "half a line", 11);
	append(audit, "three");
	expect_event(3, "three");
	audit_close(audit);
}

static void one_process_at_a_time(void **state)
{
	const struct audit_settings settings = {.folder = folder, .server = "s", .segment_size = 1000};
	struct audit *audit = open_it(), *second = NULL;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(audit_open(&settings, &second, &err), PEP_CONFLICT);
	assert_null(second);
	audit_close(audit);
	assert_int_equal(audit_open(&settings, &second, &err), PEP_OK);
	audit_close(second);
}

static void what_is_no_file_is_refused(void **state)
{
	const struct audit_settings settings = {.folder = folder, .server = "s", .segment_size = 1000};
	struct audit *audit = NULL;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(audit_open(&settings, &audit, &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, path));
	assert_null(audit);
}

static void what_is_no_event_is_refused(void **state)
{
	struct audit *audit = open_it();
	char *large = calloc(1, AUDIT_LINE_LIMIT);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', AUDIT_LINE_LIMIT - 1);
	assert_int_equal(audit_append(audit, NULL, NULL), PEP_NO_MEMORY);
	audit_record(audit, NULL);
	assert_int_equal(audit_append(audit, json_object(), NULL), PEP_INTERNAL);
	assert_int_equal(audit_append(audit, json_pack("{s:s, s:i}", "event", "e", "seq", 7), NULL), PEP_INTERNAL);
	assert_int_equal(audit_append(audit, json_pack("{s:s, s:s}", "event", "e", "large", large), NULL), PEP_INTERNAL);
	audit_close(audit);
	free(large);
}

#define THREADS 16
#define EACH 40

static void *append_many(void *context)
{
	for (int i = 0; i < EACH; i++) {
		if (i % 2)
			audit_record(context, json_pack("{s:s, s:i}", "event", "record", "i", i));
		else if (audit_append(context, json_pack("{s:s, s:i}", "event", "append", "i", i), NULL) != PEP_OK)
			abort();
	}
	return NULL;
}

static void many_threads_make_one_chain(void **state)
{
	struct audit *audit = open_sized(20000);
	struct audit_head head = audit_genesis, told;
	pthread_t threads[THREADS];
	char name[AUDIT_NAME_SIZE], numbered[80];
	unsigned count = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, append_many, audit), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	audit_flush(audit);
	audit_head(audit, &told);
	audit_close(audit);
	for (unsigned n = 1; n < 100; n++) {
		audit_folder_name(n, name);
		(void)snprintf(numbered, sizeof(numbered), "%s/%s", folder, name);
		if (access(numbered, F_OK) == 0)
			count += expect_chain(numbered, &head);
	}
	count += expect_chain(path, &head);
	assert_true(count > THREADS * EACH);
	assert_int_equal(told.seq, count);
	assert_string_equal(told.hash, head.hash);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_chain_goes_on_where_it_was),
		TEST(a_line_is_sealed_as_the_manual_says),
		TEST(times_sort_as_texts),
		TEST(a_torn_line_becomes_an_event),
		TEST(a_long_torn_write_is_cut_off),
		TEST(a_hole_is_torn),
		TEST(an_altered_line_is_told),
		TEST(a_file_without_a_chain_is_set_aside),
		TEST(a_full_file_gets_a_number),
		TEST(a_full_disk_refuses_and_keeps),
		TEST(what_is_kept_is_written_by_itself),
		TEST(what_others_do_to_the_file_is_told),
		TEST(one_process_at_a_time),
		TEST(what_is_no_file_is_refused),
		TEST(what_is_no_event_is_refused),
		TEST(many_threads_make_one_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
