/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/identity_json.h"

#include <string.h>

/* A member that is absent is left out. */
static void text_member(struct buffer *buffer, const char *start, size_t size, const char *text)
{
	if (!text)
		return;
	buffer_append(buffer, start, size);
	buffer_json_text(buffer, text);
}
#define TEXT_MEMBER(buffer, key, text) text_member((buffer), "\"" key "\":", sizeof("\"" key "\":") - 1, (text))
#define NEXT_MEMBER(buffer, key, text) text_member((buffer), ",\"" key "\":", sizeof(",\"" key "\":") - 1, (text))

static void list_member(struct buffer *buffer, const char *key, const char *numbers)
{
	if (numbers)
		buffer_format(buffer, ",\"%s\":[%s]", key, numbers);
}

void identity_json(struct buffer *buffer, const struct pep_identity *id, bool with_dispatch_id)
{
	buffer_byte(buffer, '{');
	if (with_dispatch_id) {
		TEXT_MEMBER(buffer, "_id", id->dispatch_id);
		buffer_byte(buffer, ',');
	}
	TEXT_MEMBER(buffer, "serialNumber", id->serial);
	NEXT_MEMBER(buffer, "hardwareVersion", id->hardware_version);
	NEXT_MEMBER(buffer, "radioConfig", id->radio_config);
	NEXT_MEMBER(buffer, "ledConfig", id->led_config);
	NEXT_MEMBER(buffer, "category", id->category);
	NEXT_MEMBER(buffer, "gatewayServicesAddress", id->gateway_services_address);
	NEXT_MEMBER(buffer, "apiAddress", id->api_address);
	NEXT_MEMBER(buffer, "OU", id->ou);
	NEXT_MEMBER(buffer, "deviceID", id->device_id);
	list_member(buffer, "ethernetMAC", id->ethernet_mac);
	list_member(buffer, "sixBMAC", id->sixb_mac);
	buffer_text(buffer, ",\"deployed\":true");
	NEXT_MEMBER(buffer, "cloudAddress", id->gateway_services_address);
	buffer_text(buffer, ",\"createdAt\":");
	buffer_number(buffer, id->created_ms);
	NEXT_MEMBER(buffer, "enrollmentID", id->enrollment_id);
	buffer_byte(buffer, '}');
}

const char *identity_server(struct arena *arena, const struct pep_identity *id)
{
	const char *slash = id->owner ? strrchr(id->owner, '/') : NULL;

	return slash && slash != id->owner ? arena_format(arena, "%.*s", (int)(slash - id->owner), id->owner) : NULL;
}
