/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the fcu injector, with the fake tool.
 */
#include "injector_suite.h"
#include "mock_world.h"
#include "tests/unit/fcu/home.h"

int main(void)
{
	static const struct injector_case cases[] = {
		{"GW", PEP_DELIVERED, PEP_OK, true, false},
		{"FCU-TWICE", PEP_DELIVERED, PEP_OK, true, false},
		{"FCU-STDERR", PEP_DELIVERED, PEP_OK, true, false},
		{"FCU-FLOOD", PEP_DELIVERED, PEP_OK, true, false},
		{"FCU-FORK", PEP_DELIVERED, PEP_OK, true, false},
		{"FCU-SLOW-30", PEP_DELIVERED, PEP_OK, true, false},
		{"FCU-FAIL", PEP_DOUBTFUL, PEP_INTERNAL, true, false},
		{"FCU-IDFAIL", PEP_DOUBTFUL, PEP_INTERNAL, true, false},
		{"FCU-NONSENSE", PEP_DOUBTFUL, PEP_INTERNAL, true, false},
		{"FCU-NOID", PEP_DOUBTFUL, PEP_INTERNAL, true, false},
		{"FCU-TWO", PEP_DOUBTFUL, PEP_INTERNAL, true, false},
		{"FCU-SHORT", PEP_DOUBTFUL, PEP_INTERNAL, true, false},
		{"FCU-CRASH", PEP_DOUBTFUL, PEP_INTERNAL, true, false},
	};
	struct injector_facts facts = {
		.file = PEP_TEST_PLUGIN_DIR "/fcu.so",
		.target = {.struct_size = sizeof(struct pep_target), .port = 7777, .ip = "192.0.2.1"},
		.cases = cases,
		.case_count = sizeof(cases) / sizeof(cases[0]),
		.slow_serial = "FCU-HANG",
		.look = mock_world_look,
	};
	struct home home;
	int failed;

	home_init(&home, mock_world_init());
	home.values[OPT_KILL_AFTER].number = 0; /* the suite measures the time limit itself */
	facts.values = home.values;
	failed = injector_suite_run(&facts);
	home_fini(&home);
	mock_world_fini();
	return failed;
}
