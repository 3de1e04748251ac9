/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "cmocka/cmocka.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "elf_cases.h"
#include "tests/conformance/exporter_suite.h"
#include "tests/conformance/injector_suite.h"
#include "tests/conformance/plugin_table.h"
#include "tests/conformance/storage_cases.h"
#include "tests/conformance/storage_suite.h"

#include <arpa/inet.h>

static void loads_in_the_server(void *ctx)
{
	struct pep_error err = {0};

	if (subject_load(ctx, &err) != PEP_OK)
		suite_fail("%s", err.message);
}

/* Each kind's suite asks the rest of it. */
static void describes_itself(void *ctx)
{
	struct subject *subject = ctx;

	(void)plugin_table_load(subject->file, subject->library->plugin.kind);
}

static void options_can_be_read(void *ctx)
{
	struct option_values *values;
	struct pep_error err = {0};

	if (subject_values(ctx, 0, &values, &err) != PEP_OK)
		suite_fail("%s", err.message);
	options_free(values);
}

static const struct suite_case load_cases[] = {
	{"loads_in_the_server", "the server's own loader takes it: ABI, sizes, name, required functions, options",
	 loads_in_the_server},
	{NULL, NULL, NULL},
};
static const struct suite_case table_cases[] = {
	{"describes_itself", "the probe answers for its own ABI only, always the same; names, options and helps can be read",
	 describes_itself},
	{NULL, NULL, NULL},
};
static const struct suite_case option_cases[] = {
	{"options_can_be_read", "--set KEY=VALUE answers all options that have no default", options_can_be_read},
	{NULL, NULL, NULL},
};

static void run_profile(const struct pep_exporter_ops *ops, const union pep_value *values, const char *profile,
			const struct suites_wish *wish, struct suite_result *result)
{
	struct exporter_facts facts = {.ops = ops, .values = values, .profile = profile, .expected_file = wish->expected_file};
	char group[48] = "";

	if (profile)
		(void)snprintf(group, sizeof(group), "%s: ", profile);
	if (!ops->record) {
		suite_run(group, exporter_cases, &facts, "table_is_complete", result);
		result->skipped++;
		(void)puts("skipped files: it has no record(): it tells somebody of each identity, and writes none");
		return;
	}
	suite_run(group, exporter_cases, &facts, wish->only, result);
	suite_run(group, exporter_hard_cases, &facts, wish->only, result);
}

static void run_exporter(struct subject *subject, const struct suites_wish *wish, struct suite_result *result)
{
	const struct pep_exporter_ops *ops = &subject->library->ops.exporter;
	struct option_values *values;
	struct pep_error err = {0};

	if (subject_values(subject, 0, &values, &err) != PEP_OK)
		return; /* options_can_be_read has failed */
	if (wish->profile || !ops->profiles) {
		run_profile(ops, options_values(values), wish->profile, wish, result);
	} else {
		run_profile(ops, options_values(values), NULL, wish, result);
		for (size_t i = 0; ops->profiles[i]; i++) {
			struct suites_wish each = *wish;

			each.expected_file = NULL; /* that of the exporter's own choice */
			run_profile(ops, options_values(values), ops->profiles[i], &each, result);
		}
	}
	options_free(values);
}

#define STORES_MAX 64u /* of one case */

/* The values of a store live as long as the case, which is a process. */
struct stores {
	const struct subject *subject;
	struct option_values *values[STORES_MAX];
	unsigned count;
};

static const union pep_value *store_values(void *ctx, unsigned number)
{
	struct stores *stores = ctx;
	struct option_values **values = &stores->values[stores->count++];
	struct pep_error err = {0};

	suite_expect(stores->count <= STORES_MAX, "over %u stores were opened", STORES_MAX);
	number += (unsigned)getpid() * 1000u; /* no other case's */
	if (subject_values(stores->subject, number, values, &err) != PEP_OK)
		suite_fail("%s", err.message);
	return options_values(*values);
}

static void run_storage(struct subject *subject, const struct suites_wish *wish, struct suite_result *result)
{
	struct stores stores = {.subject = subject};
	const struct storage_facts facts = {
		.file = subject->file, .flags = subject->library->ops.storage.flags, .values = store_values, .ctx = &stores};

	cmocka_only(wish->only);
	*cmocka_counts() = *result;
	(void)storage_suite_run(&facts);
	*result = *cmocka_counts();
}

/* "192.0.2.7:7777", "[::1]:7777" */
static bool read_gateway(const char *text, char room[64], struct pep_target *ret_target)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;
	unsigned char address[16];
	int64_t port;

	if (size == 0 || size >= 64 || !text_to_number(colon + 1, 1, 65535, &port))
		return false;
	if (*text == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	}
	memcpy(room, text, size);
	room[size] = '\0';
	if (inet_pton(AF_INET, room, address) != 1 && inet_pton(AF_INET6, room, address) != 1)
		return false;
	*ret_target = (struct pep_target){.struct_size = sizeof(*ret_target), .port = (uint16_t)port, .ip = room};
	return true;
}

static void refuse_gateway(void *ctx)
{
	suite_fail("--gateway %s: write ADDRESS:PORT, such as 127.0.0.1:7777", (const char *)ctx);
}

static void run_injector(struct subject *subject, const struct suites_wish *wish, struct suite_result *result)
{
	const struct suite_case wrong[] = {{"gateway", "an address and a port", refuse_gateway}, {NULL, NULL, NULL}};
	bool is_opaque = subject->library->ops.injector.flags & PEP_INJECTOR_OPAQUE;
	const struct injector_case delivers = {wish->serial ? wish->serial : "GW", PEP_DELIVERED, PEP_OK, true, !is_opaque};
	struct injector_facts facts = {.file = subject->file, .cases = &delivers, .case_count = 1};
	struct option_values *values;
	struct pep_error err = {0};
	char address[64];

	if (!wish->gateway) {
		result->skipped++;
		(void)puts("skipped injections: --gateway ADDRESS:PORT names one that may be injected into again and again");
		return;
	}
	if (!read_gateway(wish->gateway, address, &facts.target)) {
		suite_run("", wrong, (void *)wish->gateway, NULL, result); /* a case's ctx is not const */
		return;
	}
	if (subject_values(subject, 0, &values, &err) != PEP_OK)
		return; /* options_can_be_read has failed */
	facts.values = options_values(values);
	cmocka_only(wish->only);
	*cmocka_counts() = *result;
	(void)injector_suite_run(&facts);
	*result = *cmocka_counts();
	options_free(values);
}

static void run_kind(struct subject *subject, const struct suites_wish *wish, struct suite_result *result)
{
	unsigned failed = result->failed;

	suite_run("", option_cases, subject, NULL, result);
	if (result->failed > failed)
		return;
	switch (subject->library->plugin.kind) {
	case PEP_STORAGE:
		run_storage(subject, wish, result);
		break;
	case PEP_INJECTOR:
		run_injector(subject, wish, result);
		break;
	default:
		run_exporter(subject, wish, result);
	}
}

void suites_run(const char *path, struct subject *subject, const struct suites_wish *wish, struct suite_result *ret_result)
{
	struct suite_result result = {0};
	struct pep_error err = {0};
	unsigned failed;

	suite_run("file: ", elf_cases, (void *)path, wish->only, &result); /* a case's ctx is not const */
	/* Apart first: only what has lived through that is loaded here. */
	failed = result.failed;
	suite_run("", load_cases, subject, NULL, &result);
	if (result.failed == failed && subject_load(subject, &err) == PEP_OK) {
		suite_run("", table_cases, subject, wish->only, &result);
		if (!wish->is_static)
			run_kind(subject, wish, &result);
	}
	(void)printf("%s: %u passed, %u failed, %u skipped\n", subject->name, result.passed, result.failed, result.skipped);
	*ret_result = result;
}
