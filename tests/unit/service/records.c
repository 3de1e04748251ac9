/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/service/records.h"

#include <string.h>

static void set_texts(struct pep_identity *id, const char *text, const char *key, const char *digest)
{
	id->hardware_version = text;
	id->radio_config = text;
	id->led_config = text;
	id->category = text;
	id->api_address = text;
	id->gateway_services_address = text;
	id->verification_key = text;
	id->ou = text;
	id->device_id = text;
	id->ethernet_mac = text;
	id->sixb_mac = text;
	id->station = text;
	id->request_id = text;
	id->idempotency_key = key;
	id->request_digest = digest;
}

struct pep_identity record_claimed_over(uint32_t before)
{
	struct pep_identity record = record_in(PEP_CLAIMED);

	record.before = before;
	if (before == PEP_DEPLOYED || before == PEP_RETIRED) {
		record.dispatch_id = "dispatch-2";
		record.deployed_ms = NOW - 500;
	}
	return record;
}

struct pep_identity record_in(uint32_t state)
{
	bool claimed = state == PEP_CLAIMED;
	struct pep_identity record = {
		.struct_size = sizeof(record),
		.state = state,
		.revision = 7,
		.created_ms = NOW - 1000,
		.attempt = 3,
		.contacted = claimed ? 2 : 3,
		.before = claimed ? PEP_FAILED : 0,
		.generation = 1,
		.serial = "serial-1",
		.nonce = "nonce-3",
		.owner = "server-a/start-1",
		.reason = "old: reason",
	};

	set_texts(&record, "old", "key-old", "digest-old");
	if (claimed)
		record.enrollment_id = "A-2";
	else if (state != PEP_CONTACTED)
		record.enrollment_id = "A-3";
	if (claimed || state == PEP_CONTACTED || state == PEP_ISSUED)
		record.lease_until_ms = NOW + 1;
	if (state == PEP_DEPLOYED || state == PEP_RETIRED) {
		record.dispatch_id = "dispatch-3";
		record.deployed_ms = NOW - 500;
	}
	return record;
}

struct pep_identity request_fields(void)
{
	struct pep_identity fields = {.struct_size = sizeof(fields), .serial = "serial-1"};

	set_texts(&fields, "new", "key-new", "digest-new");
	return fields;
}

struct machine_attempt holder(void)
{
	return (struct machine_attempt){.attempt = 3, .nonce = "nonce-3"};
}

struct machine_attempt earlier(void)
{
	return (struct machine_attempt){.attempt = 2, .nonce = "nonce-2"};
}

void assert_same_but_state(const struct pep_identity *a, const struct pep_identity *b)
{
	struct pep_identity copy = *a;

	copy.state = b->state;
	copy.before = b->before;
	copy.lease_until_ms = b->lease_until_ms;
	copy.reason = b->reason;
	assert_memory_equal(&copy, b, sizeof(copy));
}

struct pep_identity untouched(void)
{
	struct pep_identity next;

	memset(&next, 0x5a, sizeof(next));
	return next;
}

void assert_untouched(const struct pep_identity *next)
{
	struct pep_identity expected = untouched();

	assert_memory_equal(next, &expected, sizeof(expected));
}
