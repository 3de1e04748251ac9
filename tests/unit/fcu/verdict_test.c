/* SPDX-License-Identifier: Apache-2.0
 *
 * verdict_test.c - only one way to end is a success; nothing that ran is said not to have been sent.
 */
#include "plugins/injector/fcu/hint.h"
#include "plugins/injector/fcu/verdict.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID "A-00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

struct sample {
	enum result_end end;
	int number;
	unsigned identities;
	bool malformed;
	uint32_t outcome;
	pep_status status;
	const char *says;
};
static const struct sample samples[] = {
	{RESULT_EXITED, 0, 1, false, PEP_DELIVERED, PEP_OK, "has its certificate"},
	{RESULT_EXITED, 0, 0, false, PEP_DOUBTFUL, PEP_INTERNAL, "printed no enrollment identity"},
	{RESULT_EXITED, 0, 2, false, PEP_DOUBTFUL, PEP_INTERNAL, "different"},
	{RESULT_EXITED, 0, 1, true, PEP_DOUBTFUL, PEP_INTERNAL, "is no enrollment identity"},
	{RESULT_EXITED, 0, 0, true, PEP_DOUBTFUL, PEP_INTERNAL, "is no enrollment identity"},
	{RESULT_EXITED, 1, 0, false, PEP_DOUBTFUL, PEP_INTERNAL, "exit code 1, its last line: KeyError: 'x?'; "},
	{RESULT_EXITED, 3, 1, false, PEP_DOUBTFUL, PEP_INTERNAL, "exit code 3"},
	{RESULT_SIGNALLED, 11, 0, false, PEP_DOUBTFUL, PEP_INTERNAL, "signal 11"},
	{RESULT_SIGNALLED, 9, 1, false, PEP_DOUBTFUL, PEP_INTERNAL, "signal 9"},
	{RESULT_OVERDUE, 0, 1, false, PEP_DOUBTFUL, PEP_TIMEOUT, "time limit"},
	{RESULT_OVERDUE, 15, 0, false, PEP_DOUBTFUL, PEP_TIMEOUT, "time limit"},
	{RESULT_CANCELLED, 0, 1, false, PEP_DOUBTFUL, PEP_CANCELLED, "server asked"},
	{RESULT_NOT_STARTED, ENOENT, 0, false, PEP_NOT_SENT, PEP_INTERNAL, "No such file"},
	{RESULT_NOT_STARTED, ETIME, 0, false, PEP_NOT_SENT, PEP_TIMEOUT, "its time was over"},
	{RESULT_NOT_STARTED, ECANCELED, 0, false, PEP_NOT_SENT, PEP_CANCELLED, "server asked"},
};

static void every_end_has_its_verdict(void **state)
{
	static const char output[] = "Traceback\nKeyError: 'x\x01'\n\n";

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *sample = &samples[i];
		struct result result = {.serial = "GW-1",
					.end = sample->end,
					.number = sample->number,
					.found = {.identities = sample->identities, .malformed = sample->malformed, .identity = ""},
					.output = output,
					.output_size = sizeof(output) - 1};
		struct pep_injection injection = {.struct_size = sizeof(injection)};
		struct pep_error err = {0};
		bool is_known = sample->identities == 1;

		if (sample->identities)
			memcpy(result.found.identity, ID, sizeof(ID));
		assert_int_equal(verdict_of_result(&result, &injection, &err), sample->status);
		assert_int_equal(injection.outcome, sample->outcome);
		assert_string_equal(injection.enrollment_id, is_known ? ID : "");
		if (!strstr(injection.detail, sample->says) || !strstr(injection.detail, "GW-1"))
			fail_msg("sample %zu: %s", i, injection.detail);
		assert_int_equal(err.status, sample->status);
		assert_string_equal(err.message, sample->status == PEP_OK ? "" : injection.detail);
	}
}

static void known_failures_come_with_advice(void **state)
{
	static const struct {
		const char *output, *says;
	} samples_of_output[] = {
		{"ConnectionRefusedError: [Errno 111] Connection refused\n", "look at ip and port"},
		{"OSError: [Errno 113] No route to host\n", "cable"},
		{"socket.timeout: timed out\n", "did not answer"},
		{"ModuleNotFoundError: No module named 'cbor2'\n", "requirements"},
		{"error 200: Invalid configuration file fcu.yml. File should be in Yml format.\n", "not YAML"},
		{"Failed to load CA private key file /x file may be corrupted\n", "CA's key"},
		{"CA certificate file /x not found. Please run setup\n", "CA's certificate"},
		{"Device protocol 0.0.2 does not match tool protocol 0.0.1.\n", "different releases"},
		{"No route to host, again\nMemoryError\n", "memory_mb"}, /* the last one counts */
		{"MemoryError\nNo route to host, again\n", "cable"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples_of_output) / sizeof(samples_of_output[0]); i++) {
		const char *output = samples_of_output[i].output;
		struct result result = {
			.serial = "S", .end = RESULT_EXITED, .number = 1, .output = output, .output_size = strlen(output)};
		struct pep_injection injection = {.struct_size = sizeof(injection)};
		struct pep_error err = {0};

		/* Advice, and no other verdict. */
		assert_int_equal(verdict_of_result(&result, &injection, &err), PEP_INTERNAL);
		assert_int_equal(injection.outcome, PEP_DOUBTFUL);
		if (!strstr(injection.detail, samples_of_output[i].says))
			fail_msg("%s", injection.detail);
		assert_non_null(strstr(injection.detail, "try again"));
	}
	assert_null(hint_of_output("KeyError", 8));
	assert_null(hint_of_output("MemoryError", 10)); /* no byte behind the end is looked at */
}

static void the_last_line_is_cut(void **state)
{
	char output[1000];
	struct result result = {.serial = "S", .end = RESULT_EXITED, .number = 1, .output = output, .output_size = sizeof(output)};
	struct pep_injection injection = {.struct_size = sizeof(injection)};
	struct pep_error err = {0};

	(void)state;
	memset(output, 'x', sizeof(output));
	assert_int_equal(verdict_of_result(&result, &injection, &err), PEP_INTERNAL);
	assert_true(strlen(injection.detail) < 300);
	assert_non_null(strstr(injection.detail, "try again"));
	result.output_size = 0;
	assert_int_equal(verdict_of_result(&result, &injection, &err), PEP_INTERNAL);
	assert_null(strstr(injection.detail, "last line"));
}

static void without_a_result_it_depends_on_the_mark(void **state)
{
	struct pep_injection injection = {.struct_size = sizeof(injection)};
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(verdict_of_no_result("S", true, &injection, &err), PEP_INTERNAL);
	assert_int_equal(injection.outcome, PEP_DOUBTFUL);
	assert_int_equal(verdict_of_no_result("S", false, &injection, &err), PEP_INTERNAL);
	assert_int_equal(injection.outcome, PEP_NOT_SENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_end_has_its_verdict),
		cmocka_unit_test(known_failures_come_with_advice),
		cmocka_unit_test(the_last_line_is_cut),
		cmocka_unit_test(without_a_result_it_depends_on_the_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
