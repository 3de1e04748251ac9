/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/pep-secret-XXXXXX";
static struct pep_error err;

static void write_secret(const char *data, size_t size)
{
	char path[64];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/key", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_secret(const char *source, const char *expected)
{
	char *text = NULL;

	if (secret_read(source, folder, &text, &err) != PEP_OK)
		fail_msg("refused: %s", err.message);
	assert_string_equal(text, expected);
	secret_free(text);
}

static void a_file_is_read_without_its_last_line_end(void **state)
{
	char source[80];

	(void)state;
	write_secret("open sesame\r\n", 13);
	assert_secret("file:key", "open sesame");
	(void)snprintf(source, sizeof(source), "file:%s/key", folder);
	assert_secret(source, "open sesame");
	write_secret("", 0);
	assert_secret("file:key", "");
}

static void a_variable_is_read(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(setenv("PEP_TEST_SECRET", "from outside", 1), 0);
	assert_secret("${PEP_TEST_SECRET}", "from outside");
	assert_int_equal(unsetenv("PEP_TEST_SECRET"), 0);
	assert_int_equal(secret_read("${PEP_TEST_SECRET}", folder, &text, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "the environment has no PEP_TEST_SECRET"));
	assert_null(text);
}

static void unfit_files_are_refused_without_showing_them(void **state)
{
	static char large[SECRET_LIMIT + 1];
	char *text = NULL;

	(void)state;
	assert_int_equal(secret_read("file:absent", folder, &text, &err), PEP_NOT_FOUND);
	assert_non_null(strstr(err.message, "/absent: cannot be read"));
	write_secret("hush\0hush", 9);
	assert_int_equal(secret_read("file:key", folder, &text, &err), PEP_INVALID);
	assert_null(strstr(err.message, "hush"));
	memset(large, 'x', sizeof(large));
	write_secret(large, sizeof(large));
	assert_int_equal(secret_read("file:key", folder, &text, &err), PEP_LIMIT);
	assert_null(text);
}

static void a_file_that_others_may_read_or_change_is_refused(void **state)
{
	static const mode_t bad[] = {0644, 0604, 0602, 0601, 0620, 0610};
	char path[64];
	char *text = NULL;

	(void)state;
	write_secret("hush", 4);
	(void)snprintf(path, sizeof(path), "%s/key", folder);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(path, bad[i]), 0);
		assert_int_equal(secret_read("file:key", folder, &text, &err), PEP_INVALID);
		assert_non_null(strstr(err.message, "chmod 600"));
		assert_null(strstr(err.message, "hush"));
		assert_null(text);
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_secret("file:key", "hush");
	assert_int_equal(chmod(path, 0600), 0);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/key", folder);
	return unlink(path) || rmdir(folder) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_without_its_last_line_end),
		cmocka_unit_test(a_variable_is_read),
		cmocka_unit_test(unfit_files_are_refused_without_showing_them),
		cmocka_unit_test(a_file_that_others_may_read_or_change_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
