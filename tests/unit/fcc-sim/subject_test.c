/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/subject.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_subject(const char *text, const char *common_name, const char *der, size_t size)
{
	struct buffer out;

	buffer_init(&out, 100000);
	assert_true(subject_put(&out, span_text(text), common_name));
	assert_int_equal(out.size, size);
	assert_memory_equal(out.data, der, size);
	buffer_fini(&out);
}

static bool is_good(const char *text)
{
	struct buffer out;
	bool good;

	buffer_init(&out, 100000);
	good = subject_put(&out, span_text(text), NULL);
	buffer_fini(&out);
	return good;
}

#define CN_A                                           \
	"\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01" \
	"a"
#define COUNTRY                                        \
	"\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02" \
	"GB"
#define O_COMMA                                        \
	"\x31\x0d\x30\x0b\x06\x03\x55\x04\x0a\x0c\x04" \
	"A, B"

static void attributes_in_their_order(void **state)
{
	(void)state;
	assert_subject("CN=a", NULL, "\x30\x0c" CN_A, 14);
	assert_subject("C=GB,CN=a", NULL, "\x30\x19" COUNTRY CN_A, 27);
	assert_subject("CN=a,  C=GB", NULL, "\x30\x19" CN_A COUNTRY, 27);
	assert_subject("O=A\\, B,CN=a", NULL, "\x30\x1b" O_COMMA CN_A, 29);
	assert_subject("commonName=a,", NULL, "\x30\x0c" CN_A, 14);
}

static void the_last_value_wins_at_the_first_place(void **state)
{
	(void)state;
	assert_subject("CN=b,C=GB,CN=a", NULL, "\x30\x19" CN_A COUNTRY, 27);
}

static void another_common_name(void **state)
{
	(void)state;
	assert_subject("CN=b,C=GB", "a", "\x30\x19" CN_A COUNTRY, 27);
	assert_subject("C=GB", "a", "\x30\x0d" COUNTRY, 15);
}

static void no_equals_sign_is_no_subject(void **state)
{
	(void)state;
	assert_subject("", NULL, "\x30\x00", 2);
	assert_subject("gateway", NULL, "\x30\x00", 2);
}

static void what_cannot_be_read(void **state)
{
	char text[400];

	(void)state;
	assert_false(is_good("XX=1,CN=a"));
	assert_false(is_good("cn=a"));
	assert_false(is_good("=a"));
	assert_false(is_good("CN=a\\b"));
	assert_false(is_good("CN=a\\"));
	(void)snprintf(text, sizeof(text), "CN=%0255d", 0);
	assert_true(is_good(text));
	(void)snprintf(text, sizeof(text), "CN=%0256d", 0);
	assert_false(is_good(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_in_their_order), cmocka_unit_test(the_last_value_wins_at_the_first_place),
		cmocka_unit_test(another_common_name),       cmocka_unit_test(no_equals_sign_is_no_subject),
		cmocka_unit_test(what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
