/* SPDX-License-Identifier: Apache-2.0
 *
 * The facts of the fcc injector in both key modes, with gateways that are played in this process.
 */
#include "injector_suite.h"
#include "plugins/injector/fcc/certificate.h"
#include "tests/unit/fcc/factory.h"
#include "tests/unit/fcc/gateways.h"

#include <stdlib.h>
#include <sys/resource.h>

static void look(const char *serial, struct injector_view *ret_view)
{
	struct gateway gateway;

	gateways_look(serial, &gateway);
	*ret_view = (struct injector_view){.touched = gateway.touched};
	if (gateway.certificate_size &&
	    !certificate_enrollment_id((struct blob){.data = gateway.certificate, .size = gateway.certificate_size},
				       ret_view->enrollment_id))
		abort();
}

/* The gateway makes its key: two messages, so `contacted` comes before `issued`. */
static const struct injector_case by_device[] = {
	{"GW", PEP_DELIVERED, PEP_OK, true, true},
	{"WARN", PEP_DELIVERED, PEP_OK, true, true},
	{"EARLY", PEP_REFUSED, PEP_CONFLICT, true, false},
	{"REFUSE", PEP_REFUSED, PEP_CONFLICT, true, true},
	{"FIRST-DROP", PEP_NOT_SENT, PEP_UNAVAILABLE, true, false},
	{"FORGED", PEP_NOT_SENT, PEP_INTERNAL, true, false},
	{"DROP", PEP_DOUBTFUL, PEP_UNKNOWN, true, true},
	{"JUNK", PEP_DOUBTFUL, PEP_UNKNOWN, true, true},
};

/* The key is made here: the certificate is ready before the connection, so `issued` says both. */
static const struct injector_case by_tool[] = {
	{"GW", PEP_DELIVERED, PEP_OK, false, true},         {"WARN", PEP_DELIVERED, PEP_OK, false, true},
	{"REFUSE", PEP_REFUSED, PEP_CONFLICT, false, true}, {"DROP", PEP_DOUBTFUL, PEP_UNKNOWN, false, true},
	{"NINE", PEP_DOUBTFUL, PEP_UNKNOWN, false, true},
};

static int run(const char *key_mode, uint16_t port, struct injector_facts facts)
{
	union pep_value values[OPT_COUNT];

	factory_options(values);
	values[OPT_KEY_MODE].text = key_mode;
	values[OPT_CONNECT_TIMEOUT].number = 20000;
	facts.file = PEP_TEST_PLUGIN_DIR "/fcc.so";
	facts.values = values;
	facts.target = (struct pep_target){.struct_size = sizeof(struct pep_target), .port = port, .ip = "127.0.0.1"};
	facts.look = look;
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

/* Every mode has gateways of its own: the suite's serial numbers are the same. */
int main(void)
{
	struct busy_port busy;
	int failed;

	allow_core_dumps();
	(void)factory_init();
	busy_port_init(&busy);
	failed = run("by_device", gateways_init(),
		     (struct injector_facts){
			     .cases = by_device, .case_count = sizeof(by_device) / sizeof(by_device[0]), .slow_serial = "SLOW"});
	gateways_fini();
	/* All waits of its gateways come after the certificate, and then nobody leaves; before it there is the connection. */
	failed += run("by_tool", gateways_init(),
		      (struct injector_facts){.cases = by_tool,
					      .case_count = sizeof(by_tool) / sizeof(by_tool[0]),
					      .slow_serial = "GW",
					      .slow_port = busy.port});
	gateways_fini();
	busy_port_fini(&busy);
	failed += has_core_dumps();
	factory_fini();
	return failed;
}
