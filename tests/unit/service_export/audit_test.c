/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit.h"

#include <fcntl.h>
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
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static struct audit *open_it(void)
{
	struct audit *audit = NULL;
	struct pep_error err = {0};

	if (audit_open(path, &audit, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return audit;
}

/* The n-th line, from 0; NULL: there is none, or it is no JSON. */
static json_t *line(unsigned n)
{
	FILE *file = fopen(path, "re");
	char text[4096] = "";

	assert_non_null(file);
	for (unsigned i = 0; i <= n; i++)
		if (!fgets(text, sizeof(text), file))
			*text = '\0';
	(void)fclose(file);
	return json_loads(text, 0, NULL);
}

static void a_line_for_each_event(void **state)
{
	struct audit *audit = open_it();
	struct stat about;
	json_t *read;

	(void)state;
	assert_int_equal(audit_append(audit, json_pack("{s:s}", "event", "one"), NULL), PEP_OK);
	audit_close(audit);
	audit = open_it(); /* goes on where it was */
	assert_int_equal(audit_append(audit, json_pack("{s:s}", "event", "two\n"), NULL), PEP_OK);
	audit_close(audit);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	read = line(0);
	assert_string_equal(json_string_value(json_object_get(read, "event")), "one");
	assert_int_equal(strlen(json_string_value(json_object_get(read, "time"))), 24);
	json_decref(read);
	read = line(1);
	assert_string_equal(json_string_value(json_object_get(read, "event")), "two\n");
	json_decref(read);
}

static void a_cut_line_is_ended(void **state)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct audit *audit;
	json_t *read;

	(void)state;
	assert_int_equal(write(fd, "{\"time\":", 8), 8);
	(void)close(fd);
	audit = open_it();
	assert_int_equal(audit_append(audit, json_pack("{s:s}", "event", "next"), NULL), PEP_OK);
	audit_close(audit);
	assert_null(line(0));
	read = line(1);
	assert_string_equal(json_string_value(json_object_get(read, "event")), "next");
	json_decref(read);
}

/* No room: it says so, and leaves no half line. */
static void a_full_disk_is_told(void **state)
{
	struct audit *audit = open_it();
	struct rlimit before, none;
	struct pep_error err = {0};
	struct stat about;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){.rlim_cur = 10, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(audit_append(audit, json_pack("{s:s}", "event", "one"), &err), PEP_UNAVAILABLE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_size, 0);
	audit_close(audit);
}

static void what_is_no_file_is_refused(void **state)
{
	struct audit *audit = NULL;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(audit_open(path, &audit, &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, path));
	assert_null(audit);
}

static void memory_that_ran_out_is_told(void **state)
{
	struct audit *audit = open_it();

	(void)state;
	assert_int_equal(audit_append(audit, NULL, NULL), PEP_NO_MEMORY);
	audit_close(audit);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_for_each_event),      TEST(a_cut_line_is_ended),         TEST(a_full_disk_is_told),
		TEST(what_is_no_file_is_refused), TEST(memory_that_ran_out_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
