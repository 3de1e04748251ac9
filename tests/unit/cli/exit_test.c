/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exit.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UNREACHABLE_TEXT "Make sure you are running fcc-example on the gateway with ip=10.0.0.5 at port=7000."

/* The table of exit codes, row by row. */
static const struct {
	long http_status;
	const char *pep_error, *body;
	int exit_code;
	bool retryable;
	const char *code;
} rows[] = {
	{400, "bad_argument", "", 2, false, "bad_argument"},
	{400, NULL, "", 2, false, "bad_request"},
	{401, NULL, "", 5, false, "not_authenticated"},
	{401, "not_authenticated", "", 5, false, "not_authenticated"},
	{403, "not_allowed", "", 5, false, "not_allowed"},
	{403, "endpoint_not_allowed", "", 7, false, "endpoint_not_allowed"},
	{403, "not_expected", "", 7, false, "not_expected"},
	{403, "quota", "", 7, false, "quota"},
	{403, NULL, "", 7, false, "refused"},
	{404, "not_found", "Not found!", 13, false, "not_found"},
	{404, NULL, "Not found!", 13, false, "not_found"},
	{405, "method_not_allowed", "", 1, false, "method_not_allowed"},
	{409, "exists", "", 6, false, "exists"},
	{409, NULL, "Identity with this serial number exists already!", 6, false, "exists"},
	{409, "in_progress", "", 1, true, "in_progress"},
	{409, "endpoint_busy", "", 1, true, "endpoint_busy"},
	{409, "something_new", "", 1, false, "something_new"},
	{413, "too_large", "", 1, false, "too_large"},
	{422, "idempotency_mismatch", "", 1, false, "idempotency_mismatch"},
	{429, "too_many_requests", "", 7, true, "too_many_requests"},
	{429, NULL, "", 7, true, "too_many_requests"},
	{500, "gateway_unreachable", UNREACHABLE_TEXT, 8, true, "gateway_unreachable"},
	{500, "gateway_refused", UNREACHABLE_TEXT, 9, false, "gateway_refused"},
	{500, "injector_timeout", UNREACHABLE_TEXT, 10, true, "injector_timeout"},
	{500, "injector_failed", UNREACHABLE_TEXT, 11, true, "injector_failed"},
	{500, "in_doubt", UNREACHABLE_TEXT, 11, true, "in_doubt"},
	{500, "internal", "", 11, true, "internal"},
	{500, NULL, UNREACHABLE_TEXT, 8, true, "gateway_unreachable"},
	{500, NULL, "{\"name\":\"MongoNetworkError\"}", 11, true, "internal"},
	{500, NULL, "", 11, true, "internal"},
	{502, NULL, "<html>", 11, true, "internal"},
	{503, "storage_unavailable", "", 11, true, "storage_unavailable"},
	{503, "recorded_locally", "", 11, true, "recorded_locally"},
	{504, NULL, "", 10, true, "gateway_timeout"},
	{301, NULL, "", 11, false, "bad_reply"},
	{204, "odd", "", 11, false, "bad_reply"},
};

static void every_row_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct failure failure = {0};

		failure_from_reply(rows[i].http_status, rows[i].pep_error, rows[i].body, strlen(rows[i].body), &failure);
		if (failure.exit_code != rows[i].exit_code || failure.retryable != rows[i].retryable ||
		    strcmp(failure.code, rows[i].code) != 0 || failure.http_status != rows[i].http_status)
			fail_msg("HTTP %ld %s: exit code %d, %s, retryable %d", rows[i].http_status,
				 rows[i].pep_error ? rows[i].pep_error : "-", failure.exit_code, failure.code, failure.retryable);
	}
}

static void our_own_failures(void **state)
{
	struct failure failure = {0};

	(void)state;
	assert_int_equal(failure_set(&failure, EXIT_UNREACHABLE, "unreachable", "no server at %s", "x"), 4);
	assert_int_equal(failure.exit_code, 4);
	assert_true(failure.retryable);
	assert_string_equal(failure.code, "unreachable");
	assert_string_equal(failure.message, "no server at x");
	assert_int_equal(failure_set(&failure, EXIT_LOCAL_FILE, "local_file", "%01100d", 0), 12);
	assert_false(failure.retryable);
	assert_int_equal(strlen(failure.message), sizeof(failure.message) - 1);
	assert_int_equal(failure_set(&failure, EXIT_INTERRUPTED, "interrupted", "x"), 130);
	assert_true(failure.retryable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table),
		cmocka_unit_test(our_own_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
