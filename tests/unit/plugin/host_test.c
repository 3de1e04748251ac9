/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/host.h"

#include "core/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

/* What the host writes to standard error during a call. */
static void logged(struct host *host, int32_t level, const char *line, char *ret_text, size_t room)
{
	char path[] = "/tmp/pep-host-XXXXXX";
	int file = mkstemp(path), saved = dup(STDERR_FILENO);
	ssize_t size;

	assert_true(file >= 0 && saved >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	host->api.log(&host->api, level, line);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	size = pread(file, ret_text, room - 1, 0);
	assert_true(size >= 0);
	ret_text[size] = '\0';
	assert_int_equal(close(file), 0);
	assert_int_equal(close(saved), 0);
}

static void lines_carry_the_instance(void **state)
{
	struct host host;
	char text[8192];

	(void)state;
	host_init(&host, "labels", NULL);
	logged(&host, LOG_INFO, "database is open", text, sizeof(text));
	assert_non_null(strstr(text, "level=info msg=\"database is open\" plugin=labels\n"));
	logged(&host, LOG_DEBUG, "not at this level", text, sizeof(text));
	assert_string_equal(text, "");
	logged(&host, LOG_INFO, NULL, text, sizeof(text));
	assert_string_equal(text, "");
}

static void levels_out_of_range_are_brought_in(void **state)
{
	struct host host;
	char text[8192];

	(void)state;
	host_init(&host, "labels", NULL);
	logged(&host, -5, "low", text, sizeof(text));
	assert_non_null(strstr(text, "level=error msg=low"));
	logged(&host, 1000, "high", text, sizeof(text));
	assert_string_equal(text, "");
}

static void a_line_cannot_forge_another(void **state)
{
	struct host host;
	char text[8192];

	(void)state;
	host_init(&host, "labels", NULL);
	logged(&host, LOG_ERR, "one\nlevel=info msg=two", text, sizeof(text));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void long_lines_are_cut_between_characters(void **state)
{
	struct host host;
	char line[5000], text[8192];

	(void)state;
	line[0] = 'x';
	for (size_t i = 1; i + 2 < sizeof(line); i += 2)
		memcpy(line + i, "\xc3\xa4", 2);
	line[sizeof(line) - 1] = '\0';
	host_init(&host, "labels", NULL);
	logged(&host, LOG_ERR, line, text, sizeof(text));
	assert_non_null(strstr(text, "plugin=labels\n"));
	assert_null(strstr(text, "not UTF-8"));
	assert_true(strlen(text) > 2000 && strlen(text) < 2300);
}

static void stopping_is_what_the_server_says(void **state)
{
	struct host host;
	atomic_bool stopping = false;

	(void)state;
	host_init(&host, "x", &stopping);
	assert_false(host.api.stopping(&host.api));
	atomic_store(&stopping, true);
	assert_true(host.api.stopping(&host.api));
	host_init(&host, "x", NULL);
	assert_false(host.api.stopping(&host.api));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_carry_the_instance),         cmocka_unit_test(levels_out_of_range_are_brought_in),
		cmocka_unit_test(a_line_cannot_forge_another),      cmocka_unit_test(long_lines_are_cut_between_characters),
		cmocka_unit_test(stopping_is_what_the_server_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
