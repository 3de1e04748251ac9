/* SPDX-License-Identifier: Apache-2.0
 *
 * What is the mock injector's own: its script, its options, its identities, and the gateways' file.
 */
#include "injector_driver.h"
#include "mock_world.h"
#include "plugins/injector/mock/script.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPT_SEED, OPT_DELAY_MS, OPT_FAIL_EVERY, OPT_GATEWAYS, OPT_COUNT };

/* An instance with these options; `values` lives as long as it. */
static void open_mock(struct injector_driver *driver, struct injector_facts *facts, const union pep_value *values)
{
	*facts = (struct injector_facts){
		.file = PEP_TEST_PLUGIN_DIR "/mock.so",
		.values = values,
		.target = {.struct_size = sizeof(struct pep_target), .port = 7777, .ip = "2001:db8::1"},
	};
	injector_driver_open(driver, facts);
}

static void script_is_read(void **state)
{
	(void)state;
	assert_int_equal(script_read("MOCK-REFUSE").act, SCRIPT_REFUSE);
	assert_int_equal(script_read("MOCK-UNREACHABLE-1").act, SCRIPT_UNREACHABLE);
	assert_int_equal(script_read("MOCK-TIMEOUT-1").act, SCRIPT_TIMEOUT);
	assert_int_equal(script_read("MOCK-FAIL-1").act, SCRIPT_FAIL);
	assert_int_equal(script_read("MOCK-INDOUBT-1").act, SCRIPT_IN_DOUBT);
	assert_int_equal(script_read("mock-refuse").act, SCRIPT_DELIVER);
	assert_int_equal(script_read("X-MOCK-REFUSE").act, SCRIPT_DELIVER);
	assert_int_equal(script_read("").act, SCRIPT_DELIVER);
	assert_int_equal(script_read("GW").delay_ms, -1);
	assert_int_equal(script_read("MOCK-SLOW-250").delay_ms, 250);
	assert_int_equal(script_read("MOCK-SLOW-0-X").delay_ms, 0);
	assert_int_equal(script_read("MOCK-SLOW-9").act, SCRIPT_DELIVER);
	assert_int_equal(script_read("MOCK-SLOW-").delay_ms, -1);
	assert_int_equal(script_read("MOCK-SLOW-x").delay_ms, -1);
	assert_int_equal(script_read("MOCK-SLOW-99999999999999999999999999").delay_ms, 86400000);
}

/* Computed by another program: SHA-256 of "seed\0GW-1" and of "seed\0GW-1\0" "2". */
static void identities_can_be_foretold(void **state)
{
	static const union pep_value values[OPT_COUNT] = {[OPT_SEED] = {.text = "seed"}, [OPT_GATEWAYS] = {.text = ""}};
	static const union pep_value other_values[OPT_COUNT] = {[OPT_SEED] = {.text = "other"}, [OPT_GATEWAYS] = {.text = NULL}};
	struct injector_attempt first = {.number = 1};
	struct injector_attempt second = {.number = 2};
	struct injector_attempt other = {.number = 1};
	struct injector_facts facts;
	struct injector_driver driver;

	(void)state;
	open_mock(&driver, &facts, values);
	injector_driver_run(&driver, "GW-1", &first);
	injector_driver_run(&driver, "GW-1", &second);
	injector_driver_close(&driver);
	open_mock(&driver, &facts, other_values);
	injector_driver_run(&driver, "GW-1", &other);
	injector_driver_close(&driver);
	assert_string_equal(first.result.enrollment_id,
			    "A-49:72:48:33:5D:10:68:05:00:D3:8A:70:39:EF:EF:A1:A0:95:91:05:D8:60:00:1E:32:C4:CE:8D:D6:07:CE:47");
	assert_string_equal(second.result.enrollment_id,
			    "A-F7:E2:97:10:86:45:76:79:13:1E:BD:3C:14:19:1B:F6:38:13:22:64:43:77:A6:37:D6:80:1E:8D:6C:37:1B:F5");
	assert_string_not_equal(other.result.enrollment_id, first.result.enrollment_id);
}

static void every_third_is_refused(void **state)
{
	static const union pep_value values[OPT_COUNT] = {[OPT_SEED] = {.text = "seed"}, [OPT_FAIL_EVERY] = {.number = 3}};
	struct injector_facts facts;
	struct injector_driver driver;

	(void)state;
	open_mock(&driver, &facts, values);
	for (unsigned i = 1; i <= 9; i++) {
		struct injector_attempt scripted = {0};
		struct injector_attempt plain = {0};

		injector_driver_run(&driver, "MOCK-FAIL", &scripted);
		injector_driver_run(&driver, "GW-1", &plain);
		assert_int_equal(scripted.status, PEP_INTERNAL);
		assert_int_equal(plain.result.outcome, i % 3 ? PEP_DELIVERED : PEP_REFUSED);
	}
	injector_driver_close(&driver);
}

static void delay_is_kept(void **state)
{
	static const union pep_value values[OPT_COUNT] = {[OPT_SEED] = {.text = "seed"}, [OPT_DELAY_MS] = {.number = 40}};
	struct injector_attempt plain = {0};
	struct injector_attempt limited = {.timeout_ms = 20};
	struct injector_facts facts;
	struct injector_driver driver;

	(void)state;
	open_mock(&driver, &facts, values);
	injector_driver_run(&driver, "GW-1", &plain);
	injector_driver_run(&driver, "GW-1", &limited);
	injector_driver_close(&driver);
	assert_int_equal(plain.status, PEP_OK);
	assert_true(plain.took_ms >= 39);
	assert_int_equal(limited.status, PEP_TIMEOUT);
	assert_int_equal(limited.result.outcome, PEP_NOT_SENT);
}

/* Which lines an attempt leaves, at every moment at which it can end. */
static void gateways_note_what_they_hold(void **state)
{
	static const struct {
		const char *serial;
		struct injector_attempt attempt;
		size_t lines;
		bool holds;
	} steps[] = {
		{"GW 1 x", {.refuse_contacted = PEP_CONFLICT}, 0, false},
		{"GW 1 x", {.cancel_at = 1}, 0, false},
		{"GW 1 x", {.refuse_issued = PEP_CONFLICT}, 1, false},
		{"GW 1 x", {.cancel_at = 3}, 1, false},
		{"MOCK-REFUSE 1", {0}, 1, false},
		{"MOCK-TIMEOUT 1", {0}, 1, false},
		{"MOCK-FAIL 1", {0}, 1, false},
		{"MOCK-UNREACHABLE 1", {0}, 0, false},
		{"MOCK-INDOUBT 1", {0}, 2, true},
		{"GW 1 x", {0}, 2, true},
		{"GW 1 x", {.number = 2, .refuse_issued = PEP_CONFLICT}, 1, false}, /* what it held is erased */
		{"GW 1 x", {.number = 3}, 2, true},
	};
	const union pep_value values[OPT_COUNT] = {[OPT_SEED] = {.text = "seed"}, [OPT_GATEWAYS] = {.text = mock_world_init()}};
	struct injector_facts facts;
	struct injector_driver driver;
	size_t lines = 0;

	(void)state;
	open_mock(&driver, &facts, values);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct injector_attempt attempt = steps[i].attempt;
		struct injector_view view;

		injector_driver_run(&driver, steps[i].serial, &attempt);
		lines += steps[i].lines;
		mock_world_look(steps[i].serial, &view);
		if (mock_world_count() != lines || (*view.enrollment_id != '\0') != steps[i].holds)
			fail_msg("step %zu: %zu lines, not %zu; holds '%s'", i, mock_world_count(), lines, view.enrollment_id);
		if (steps[i].holds)
			assert_string_equal(view.enrollment_id, attempt.issued_id);
	}
	injector_driver_close(&driver);
	mock_world_fini();
}

static void unwritable_file_is_said(void **state)
{
	static const union pep_value nowhere[OPT_COUNT] = {
		[OPT_SEED] = {.text = "seed"}, [OPT_GATEWAYS] = {.text = "/nowhere/at/all"}};
	static const union pep_value full[OPT_COUNT] = {[OPT_SEED] = {.text = "seed"}, [OPT_GATEWAYS] = {.text = "/dev/full"}};
	static const union pep_value none[OPT_COUNT] = {[OPT_SEED] = {.text = "seed"}};
	struct injector_attempt attempt = {0};
	struct injector_facts facts;
	struct injector_driver driver;
	struct pep_error err = {0};
	void *injector = NULL;

	(void)state;
	open_mock(&driver, &facts, none);
	assert_int_equal(driver.ops->open(&driver.host, nowhere, &injector, &err), PEP_INVALID);
	assert_null(injector);
	assert_non_null(strstr(err.message, "/nowhere/at/all"));
	assert_int_equal(driver.ops->open(&driver.host, full, &injector, &err), PEP_OK);
	driver.ops->close(driver.injector);
	driver.injector = injector;
	injector_driver_run(&driver, "GW-1", &attempt);
	injector_driver_close(&driver);
	assert_int_equal(attempt.status, PEP_INTERNAL);
	assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
	assert_int_equal(attempt.issued, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(script_is_read),
		cmocka_unit_test(identities_can_be_foretold),
		cmocka_unit_test(every_third_is_refused),
		cmocka_unit_test(delay_is_kept),
		cmocka_unit_test(gateways_note_what_they_hold),
		cmocka_unit_test(unwritable_file_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
