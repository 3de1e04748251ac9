/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct fault parsed(const char *text, size_t number)
{
	struct fault fault = {0};

	assert_true(fault_add(text, number, &fault));
	return fault;
}

static void every_fault(void **state)
{
	(void)state;
	assert_int_equal(parsed("refuse", 1).refuse_status, 1);
	assert_int_equal(parsed("refuse", 1).refuse_message, 1);
	assert_int_equal(parsed("refuse:37", 1).refuse_status, 37);
	assert_int_equal(parsed("refuse:20:2", 1).refuse_message, 2);
	assert_int_equal(parsed("slow:1500", 1).slow_ms, 1500);
	assert_true(parsed("drop:0", 1).drop);
	assert_int_equal(parsed("drop:17:3", 1).drop_size, 17);
	assert_int_equal(parsed("drop:17:3", 1).drop_message, 3);
	assert_int_equal(parsed("no-answer", 1).silent_message, 1);
	assert_int_equal(parsed("no-answer:2", 1).silent_message, 2);
	assert_true(parsed("wrong-cn", 1).wrong_name);
	assert_true(parsed("double", 1).twice);
	assert_true(parsed("disabled", 1).disabled);
}

static void devices(void **state)
{
	(void)state;
	assert_true(parsed("3=double", 3).twice);
	assert_false(parsed("3=double", 2).twice);
	assert_true(parsed("2-4=double", 2).twice);
	assert_true(parsed("2-4=double", 4).twice);
	assert_false(parsed("2-4=double", 1).twice);
	assert_false(parsed("2-4=double", 5).twice);
	assert_true(parsed("*10=double", 20).twice);
	assert_false(parsed("*10=double", 21).twice);
}

static void they_add_up(void **state)
{
	struct fault fault = {0};

	(void)state;
	assert_true(fault_add("slow:5", 1, &fault));
	assert_true(fault_add("refuse:3", 1, &fault));
	assert_int_equal(fault.slow_ms, 5);
	assert_int_equal(fault.refuse_status, 3);
}

static void what_is_not_a_fault(void **state)
{
	static const char *const texts[] = {
		"",
		"=",
		"refuse:",
		"refuse:0",
		"refuse:38",
		"refuse:1:0",
		"refuse:1:1:1",
		"slow",
		"slow:",
		"slow:-1",
		"slow:1:1",
		"drop",
		"drop:x",
		"drop:70000",
		"no-answer:0",
		"no-answer:1:1",
		"double:1",
		"wrong-cn:",
		"0=double",
		"=double",
		"3-2=double",
		"-2=double",
		"1-=double",
		"*0=double",
		"*=double",
		"a=double",
		"explode",
		"1=",
		"Double",
		"refuse:1111111111111111111111111111111111111111111111111111111111111111111",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fault fault = {.slow_ms = 7};
		const struct fault before = fault;

		if (fault_add(texts[i], 1, &fault))
			fail_msg("%s", texts[i]);
		assert_memory_equal(&fault, &before, sizeof(fault));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault),
		cmocka_unit_test(devices),
		cmocka_unit_test(they_add_up),
		cmocka_unit_test(what_is_not_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
