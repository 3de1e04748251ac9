/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the mock injector.
 */
#include "injector_suite.h"
#include "mock_world.h"

int main(void)
{
	static const struct injector_case cases[] = {
		{"GW", PEP_DELIVERED, PEP_OK, true, true},
		{"MOCK-REFUSE", PEP_REFUSED, PEP_CONFLICT, true, false},
		{"MOCK-UNREACHABLE", PEP_NOT_SENT, PEP_UNAVAILABLE, false, false},
		{"MOCK-TIMEOUT", PEP_NOT_SENT, PEP_TIMEOUT, true, false},
		{"MOCK-FAIL", PEP_NOT_SENT, PEP_INTERNAL, true, false},
		{"MOCK-INDOUBT", PEP_DOUBTFUL, PEP_TIMEOUT, true, true},
		{"MOCK-SLOW-30", PEP_DELIVERED, PEP_OK, true, true},
	};
	const union pep_value values[] = {{.text = "seed"},
					  {.number = 0},
					  {.number = 0},
					  {.text = mock_world_init()}}; /* seed, delay, fail_every, gateways */
	const struct injector_facts facts = {
		.file = PEP_TEST_PLUGIN_DIR "/mock.so",
		.values = values,
		.target = {.struct_size = sizeof(struct pep_target), .port = 7777, .ip = "192.0.2.1"},
		.cases = cases,
		.case_count = sizeof(cases) / sizeof(cases[0]),
		.slow_serial = "MOCK-SLOW-20000",
		.foretold = true,
		.look = mock_world_look,
	};
	int failed = injector_suite_run(&facts);

	mock_world_fini();
	return failed;
}
