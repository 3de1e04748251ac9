/* SPDX-License-Identifier: Apache-2.0
 *
 * json_test.c - what is read is whole, or it is said why not. Every allocation fails once.
 */
#include "core/base/json.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The linker sends every malloc() of this program here; it has to be static data. */
static unsigned countdown;

void *__real_malloc(size_t size); /* NOLINT(bugprone-reserved-identifier): the linker's names */
void *__wrap_malloc(size_t size); /* NOLINT(bugprone-reserved-identifier) */

void *__wrap_malloc(size_t size) /* NOLINT(bugprone-reserved-identifier) */
{
	return countdown && !--countdown ? NULL : __real_malloc(size);
}

static void good_and_bad(void **state)
{
	static const char *const bad[] = {"",     " ",    "{",    "{\"a\":1,\"a\":1}", "\"\\u0000\"",
					  "{} x", "\xff", "[1,]", "[\"\\\xd8\xbd\"]",  "[\"a\nb\"]"};
	struct pep_error err = {0};
	json_t *json = NULL;

	(void)state;
	assert_int_equal(json_parse_text("{\"a\":[1]} trailing", 9, &json, &err), PEP_OK);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(json, "a"), 0)), 1);
	json_decref(json);
	json = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.message[0] = '\0';
		assert_int_equal(json_parse_text(bad[i], strlen(bad[i]), &json, &err), PEP_INVALID);
		assert_null(json);
		assert_non_null(strstr(err.message, "(line "));
		assert_true(text_is_printable(err.message, strlen(err.message)));
	}
}

static void no_byte_is_lost_without_memory(void **state)
{
	static const char text[] = "{\"a name that makes its buffer grow\":\"a value that makes its buffer grow, and grow again\"}";
	unsigned failed = 0;

	(void)state;
	for (unsigned nth = 1;; nth++) {
		struct pep_error err = {0};
		json_t *json = NULL;
		pep_status status;
		unsigned left;

		countdown = nth;
		status = json_parse_text(text, sizeof(text) - 1, &json, &err);
		left = countdown;
		countdown = 0;
		if (left) { /* it was not reached */
			assert_int_equal(status, PEP_OK);
			assert_string_equal(json_string_value(json_object_get(json, "a name that makes its buffer grow")),
					    "a value that makes its buffer grow, and grow again");
			json_decref(json);
			break;
		}
		assert_int_equal(status, PEP_NO_MEMORY);
		assert_null(json);
		failed++;
	}
	assert_true(failed > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_and_bad),
		cmocka_unit_test(no_byte_is_lost_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
