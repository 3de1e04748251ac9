/* SPDX-License-Identifier: Apache-2.0 */
#include "golden_records.h"

#define ID_END ":00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE"

/* Everything set. */
static const struct pep_identity full = {
	.struct_size = sizeof(full),
	.state = PEP_DEPLOYED,
	.revision = 4,
	.created_ms = 1795436385803,
	.deployed_ms = 1795436386000,
	.attempt = 2,
	.contacted = 2,
	.before = PEP_FAILED,
	.generation = 1,
	.serial = "GW-0001",
	.dispatch_id = "6b04308d60353b596f8b3e89",
	.enrollment_id = "A-01" ID_END,
	.hardware_version = "izuma-edge-gateway",
	.radio_config = "00",
	.led_config = "01",
	.category = "production",
	.api_address = "https://api.example",
	.gateway_services_address = "https://gateways.example",
	.verification_key = "never-to-be-exported",
	.ou = "organisation",
	.device_id = "0123456789",
	.ethernet_mac = "0,17,34,51,68,255",
	.sixb_mac = "0,1,2,3,4,5,6,7",
	.nonce = "00112233445566778899aabbccddeeff",
	.owner = "factory-1/1",
	.idempotency_key = "key-1",
	.request_digest = "0011",
	.station = "192.0.2.7",
	.request_id = "r-1",
	.history = "[{\"attempt\":1}]",
};

/* What the original's readers get wrong first: quotes, commas, line ends, UTF-8. */
static const struct pep_identity quoting = {
	.struct_size = sizeof(quoting),
	.state = PEP_DEPLOYED,
	.created_ms = 1795436385804,
	.serial = "q\"uo,te",
	.dispatch_id = "6b04308ee32a7971321ed5a1",
	.enrollment_id = "A-02" ID_END,
	.hardware_version = "h w\nx",
	.radio_config = "\"\"",
	.led_config = "",
	.category = "Gr\xc3\xb6\xc3\x9f"
		    "e \xf0\x9f\x98\x80",
	.api_address = "back\\slash\ttab",
	.ethernet_mac = "no list",
	.sixb_mac = "0,1,2,3,4,5,6,256",
};

/* Only what a record always has. */
static const struct pep_identity bare = {
	.struct_size = sizeof(bare), .state = PEP_CLAIMED, .created_ms = 0, .serial = "BARE", .before = PEP_FAILED};

static const struct pep_identity in_doubt = {
	.struct_size = sizeof(in_doubt),
	.state = PEP_IN_DOUBT,
	.created_ms = 9007199254740993,
	.serial = "DOUBT",
	.enrollment_id = "A-03" ID_END,
	.category = "production",
	.ethernet_mac = "01,2,3,4,5,6",
	.sixb_mac = "1,2,3,4,5,6,7,",
};

static const struct pep_identity retired = {
	.struct_size = sizeof(retired),
	.state = PEP_RETIRED,
	.created_ms = 1795436385805,
	.serial = "RETIRED",
	.dispatch_id = "6b04308f0000000000000000",
	.enrollment_id = "A-04" ID_END,
	.category = "production",
	.gateway_services_address = "https://gateways.example",
};

const struct pep_identity *const golden_records[GOLDEN_RECORD_COUNT] = {&full, &quoting, &bare, &in_doubt, &retired};
