/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/private_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

static const char *fault(uid_t owner, mode_t mode)
{
	const struct stat about = {.st_uid = owner, .st_mode = S_IFREG | mode};

	return private_file_fault(&about);
}

static void the_owner_may_be_this_user_or_root(void **state)
{
	(void)state;
	assert_null(fault(geteuid(), 0600));
	assert_null(fault(geteuid(), 0400));
	assert_null(fault(0, 0400));
	assert_non_null(strstr(fault(geteuid() + 1, 0600), "another user"));
	assert_non_null(strstr(fault(geteuid() + 1, 0400), "another user"));
}

static void nobody_else_has_a_right(void **state)
{
	(void)state;
	for (mode_t others = 1; others <= 07; others++) {
		assert_non_null(strstr(fault(geteuid(), 0600 | others), "every user"));
		assert_non_null(strstr(fault(0, 0400 | others), "every user"));
	}
	for (mode_t group = 1; group <= 07; group++)
		if (group != 4) {
			assert_non_null(strstr(fault(geteuid(), 0600 | group << 3), "group can change"));
			assert_non_null(strstr(fault(0, 0400 | group << 3), "group can change"));
		}
}

/* systemd shows a credential with an access list as 0440 of root. */
static void the_group_may_read_what_is_roots(void **state)
{
	(void)state;
	assert_null(fault(0, 0440));
	assert_null(fault(0, 0640));
	if (geteuid() != 0)
		assert_non_null(strstr(fault(geteuid(), 0640), "group can read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_may_be_this_user_or_root),
		cmocka_unit_test(nobody_else_has_a_right),
		cmocka_unit_test(the_group_may_read_what_is_roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
