/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

/* The state of what is not deployed; a member that a list, which has deployed identities only, never shows. */
static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[PEP_CLAIMED] = "claimed", [PEP_CONTACTED] = "contacted", [PEP_ISSUED] = "issued",
		[PEP_FAILED] = "failed",   [PEP_IN_DOUBT] = "in_doubt",   [PEP_RETIRED] = "retired",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}

void object_write(struct json_object *object, const struct pep_identity *id)
{
	member_bytes(object, "{", 1);
	member_text(object, "_id", id->dispatch_id);
	member_text(object, "serialNumber", id->serial);
	member_text(object, "hardwareVersion", id->hardware_version);
	member_text(object, "radioConfig", id->radio_config);
	member_text(object, "ledConfig", id->led_config);
	member_text(object, "category", id->category);
	member_text(object, "gatewayServicesAddress", id->gateway_services_address);
	member_text(object, "apiAddress", id->api_address);
	member_text(object, "OU", id->ou);
	member_text(object, "deviceID", id->device_id);
	member_bytes_list(object, "ethernetMAC", id->ethernet_mac);
	member_bytes_list(object, "sixBMAC", id->sixb_mac);
	member_bool(object, "deployed", id->state == PEP_DEPLOYED);
	member_text(object, "cloudAddress", id->gateway_services_address);
	member_number(object, "createdAt", id->created_ms);
	member_text(object, "enrollmentID", id->enrollment_id);
	member_text(object, "state", state_name(id->state));
	member_bytes(object, "}", 1);
}
