/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/csv.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEAD                                                                                                               \
	"\"enrollmentID\",\"serialNumber\",\"gatewayServicesAddress\",\"apiAddress\",\"hardwareVersion\",\"radioConfig\"," \
	"\"ledConfig\",\"category\",\"deployed\",\"createdAt\"\n"

static bool convert(const char *json, struct buffer *out)
{
	json_t *results = json_loads(json, JSON_ALLOW_NUL, NULL);
	bool converted;

	assert_non_null(results);
	converted = csv_from_results(results, out);
	json_decref(results);
	return converted;
}

static void assert_csv(const char *json, const char *csv)
{
	struct buffer out;

	buffer_init(&out, 65536);
	assert_true(convert(json, &out));
	buffer_byte(&out, '\0');
	assert_string_equal(out.data, csv);
	buffer_fini(&out);
}

static void no_record_is_the_head_alone(void **state)
{
	(void)state;
	assert_csv("[]", HEAD);
}

static void columns_have_their_order_and_may_be_absent(void **state)
{
	(void)state;
	assert_csv("[{\"createdAt\":1795436385803,\"deployed\":true,\"category\":null,\"other\":1,\"serialNumber\":\"S\"},{}]",
		   HEAD ",\"S\",,,,,,,true,1795436385803\n,,,,,,,,,\n");
}

static void texts_are_quoted_and_otherwise_as_they_are(void **state)
{
	(void)state;
	assert_csv("[{\"enrollmentID\":\"\",\"serialNumber\":\"q\\\"uo,te\",\"hardwareVersion\":\"a\\r\\n\\tb\","
		   "\"category\":\"Gr\\u00f6\\u00dfe\"}]",
		   HEAD "\"\",\"q\"\"uo,te\",,,\"a\r\n\tb\",,,\"Größe\",,\n");
}

static void numbers_and_truth_are_bare(void **state)
{
	(void)state;
	assert_csv("[{\"enrollmentID\":false,\"serialNumber\":-7,\"apiAddress\":0.1,\"createdAt\":9223372036854775807}]",
		   HEAD "false,-7,,0.1,,,,,,9223372036854775807\n");
}

static void a_nul_in_a_text_stays(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 65536);
	assert_true(convert("[{\"createdAt\":\"a\\u0000b\"}]", &out));
	assert_memory_equal(out.data + out.size - 6, "\"a\0b\"\n", 6);
	buffer_fini(&out);
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const bad[] = {"[1]", "[[]]", "[{\"category\":[]}]", "[{\"createdAt\":{}}]", "[{},null]"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buffer out;

		buffer_init(&out, 65536);
		assert_false(convert(bad[i], &out));
		buffer_fini(&out);
	}
}

static void a_full_buffer_is_told(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, sizeof(HEAD) + 3);
	assert_false(convert("[{}]", &out));
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_record_is_the_head_alone),
		cmocka_unit_test(columns_have_their_order_and_may_be_absent),
		cmocka_unit_test(texts_are_quoted_and_otherwise_as_they_are),
		cmocka_unit_test(numbers_and_truth_are_bare),
		cmocka_unit_test(a_nul_in_a_text_stays),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(a_full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
