/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* By name, so that a member that is not among the copied texts is found. */
static const char **text_members(struct pep_identity *id, size_t at)
{
	const char **members[] = {
		&id->serial,
		&id->dispatch_id,
		&id->enrollment_id,
		&id->hardware_version,
		&id->radio_config,
		&id->led_config,
		&id->category,
		&id->api_address,
		&id->gateway_services_address,
		&id->verification_key,
		&id->ou,
		&id->device_id,
		&id->ethernet_mac,
		&id->sixb_mac,
		&id->nonce,
		&id->owner,
		&id->idempotency_key,
		&id->request_digest,
		&id->station,
		&id->request_id,
		&id->reason,
		&id->history,
	};

	return at < sizeof(members) / sizeof(members[0]) ? members[at] : NULL;
}
enum { TEXT_COUNT = 22 };

static void every_text_is_copied(void **state)
{
	struct arena arena = {0};
	char texts[TEXT_COUNT][16];
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_DEPLOYED, .revision = 9, .attempt = 3, .generation = 2};
	struct pep_identity *copy;

	(void)state;
	assert_null(text_members(&id, TEXT_COUNT));
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "text %zu", i);
		*text_members(&id, i) = texts[i];
	}
	copy = identity_copy(&arena, &id);
	assert_non_null(copy);
	assert_memory_equal(copy, &id, offsetof(struct pep_identity, serial));
	memset(texts, 'x', sizeof(texts)); /* what was copied from may go */
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		char expected[16];

		(void)snprintf(expected, sizeof(expected), "text %zu", i);
		assert_ptr_not_equal(*text_members(copy, i), texts[i]);
		assert_string_equal(*text_members(copy, i), expected);
	}
	arena_fini(&arena);
}

static void absent_stays_absent_and_empty_stays_empty(void **state)
{
	struct arena arena = {0};
	struct pep_identity id = {.struct_size = sizeof(id), .serial = "S", .ou = ""};
	const struct pep_identity *copy = identity_copy(&arena, &id);

	(void)state;
	assert_string_equal(copy->ou, "");
	assert_null(copy->history);
	assert_null(copy->enrollment_id);
	arena_fini(&arena);
}

static void names_of_states(void **state)
{
	static const char *const names[] = {"none", "claimed", "contacted", "issued", "deployed", "failed", "in_doubt", "retired"};

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		assert_string_equal(identity_state_name(i), names[i]);
		assert_int_equal(identity_state_from_name(names[i]), i); /* "none" is no state */
	}
	assert_string_equal(identity_state_name(8), "none");
	assert_string_equal(identity_state_name(UINT32_MAX), "none");
	assert_int_equal(identity_state_from_name("Deployed"), 0);
	assert_int_equal(identity_state_from_name(""), 0);
	assert_int_equal(identity_state_from_name(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_is_copied),
		cmocka_unit_test(absent_stays_absent_and_empty_stays_empty),
		cmocka_unit_test(names_of_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
