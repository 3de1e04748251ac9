/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the fcc injector in both key modes, with simulated gateways.
 */
#include "fcc_world.h"
#include "tests/unit/fcc/factory.h"

#include <stdlib.h>
#include <sys/resource.h>

/* The gateway makes its key: two messages, so `contacted` comes before `issued`. */
static const struct injector_case by_device[] = {
	{"gw", PEP_DELIVERED, PEP_OK, true, true},
	{"slow:20 gw", PEP_DELIVERED, PEP_OK, true, true},
	{"refuse:4:1 gw", PEP_REFUSED, PEP_CONFLICT, true, false},
	{"refuse:14:2 gw", PEP_REFUSED, PEP_CONFLICT, true, true},
	{"wrong-cn gw", PEP_NOT_SENT, PEP_INTERNAL, true, false},
	{"disabled gw", PEP_REFUSED, PEP_CONFLICT, true, false},
	{"drop:0:1 gw", PEP_NOT_SENT, PEP_UNAVAILABLE, true, false},
	{"drop:40:1 gw", PEP_NOT_SENT, PEP_UNAVAILABLE, true, false},
	{"drop:0:2 gw", PEP_DOUBTFUL, PEP_UNKNOWN, true, true},
	{"drop:40:2 gw", PEP_DOUBTFUL, PEP_UNKNOWN, true, true},
};

/* The key is made here: the certificate is ready before the connection, so `issued` says both. */
static const struct injector_case by_tool[] = {
	{"gw", PEP_DELIVERED, PEP_OK, false, true},
	{"slow:20 gw", PEP_DELIVERED, PEP_OK, false, true},
	{"double gw", PEP_DELIVERED, PEP_OK, false, true},
	{"refuse:14 gw", PEP_REFUSED, PEP_CONFLICT, false, true},
	{"wrong-cn gw", PEP_REFUSED, PEP_CONFLICT, false, true},
	{"disabled gw", PEP_DOUBTFUL, PEP_UNKNOWN, false, true},
	{"drop:0 gw", PEP_DOUBTFUL, PEP_UNKNOWN, false, true},
	{"drop:40 gw", PEP_DOUBTFUL, PEP_UNKNOWN, false, true},
};

static int run(const char *key_mode, struct injector_facts facts)
{
	union pep_value values[OPT_COUNT];

	factory_options(values);
	values[OPT_KEY_MODE].text = key_mode;
	values[OPT_CONNECT_TIMEOUT].number = 20000;
	facts.file = PEP_TEST_PLUGIN_DIR "/fcc.so";
	facts.values = values;
	facts.target = (struct pep_target){.struct_size = sizeof(struct pep_target), .ip = "127.0.0.1"};
	facts.start = fcc_world_start;
	facts.look = fcc_world_look;
	return injector_suite_run(&facts);
}

/* As far as the system lets. */
static void allow_core_dumps(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		abort();
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_CORE, &limit) != 0)
		abort();
}

/* The keys of the authority and of gateways were in this process. */
static int has_core_dumps(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur > 1;
}

int main(void)
{
	int failed;

	allow_core_dumps();
	(void)factory_init();
	failed = run("by_device", (struct injector_facts){.cases = by_device,
							  .case_count = sizeof(by_device) / sizeof(by_device[0]),
							  .slow_serial = "slow:20000 gw"});
	/* All waits for its gateways' answers come after the certificate, and then nobody leaves; before it there is the connection. */
	failed += run("by_tool", (struct injector_facts){.cases = by_tool,
							 .case_count = sizeof(by_tool) / sizeof(by_tool[0]),
							 .slow_serial = "busy gw"});
	fcc_world_fini();
	failed += has_core_dumps();
	factory_fini();
	return failed;
}
