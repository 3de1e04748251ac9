/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/record_json.h"

#include "core/base/cleanup.h"
#include "core/base/identity.h"
#include "core/base/json.h"

#include <string.h>

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static bool set_text(json_t *json, const char *key, const char *text)
{
	return !text || json_object_set_new(json, key, json_string(text)) == 0;
}

static bool set_number(json_t *json, const char *key, int64_t number)
{
	return !number || json_object_set_new(json, key, json_integer(number)) == 0;
}

/* "1,2,3" as a list of numbers. */
static bool set_numbers(json_t *json, const char *key, const char *numbers)
{
	char text[128];
	json_t *list = NULL;
	struct pep_error ignored = {0};
	int size;

	if (!numbers)
		return true;
	size = snprintf(text, sizeof(text), "[%s]", numbers);
	if (size < 0 || size >= (int)sizeof(text) || json_parse_text(text, (size_t)size, &list, &ignored) != PEP_OK)
		return set_text(json, key, numbers);
	return json_object_set_new(json, key, list) == 0;
}

/* Of the history, in the names of everything else here. */
static bool set_history(json_t *json, const char *history)
{
	static const char *const names[][2] = {
		{"attempt", "attempt"}, {"generation", "generation"},  {"ended", "ended"},  {"enrollmentID", "enrollment_id"},
		{"_id", "dispatch_id"}, {"deployedAt", "deployed_ms"}, {"reason", "reason"}};
	AUTO(drop_json) json_t *array = NULL;
	struct pep_error ignored = {0};
	json_t *list = json_array();

	if (history)
		(void)json_parse_text(history, strlen(history), &array, &ignored);
	for (size_t i = 0; i < json_array_size(array); i++) {
		json_t *entry = json_object();

		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			json_t *value = json_object_get(json_array_get(array, i), names[j][0]);

			if (value && json_object_set(entry, names[j][1], value) != 0)
				return json_decref(entry), json_decref(list), false;
		}
		if (json_array_append_new(list, entry) != 0)
			return json_decref(list), false;
	}
	return json_object_set_new(json, "history", list) == 0;
}

static bool set_request(json_t *json, const struct pep_identity *id)
{
	return set_text(json, "hardware_version", id->hardware_version) && set_text(json, "radio_config", id->radio_config) &&
	       set_text(json, "led_config", id->led_config) && set_text(json, "category", id->category) &&
	       set_text(json, "api_address", id->api_address) &&
	       set_text(json, "gateway_services_address", id->gateway_services_address) && set_text(json, "ou", id->ou) &&
	       set_text(json, "device_id", id->device_id) && set_numbers(json, "ethernet_mac", id->ethernet_mac) &&
	       set_numbers(json, "sixb_mac", id->sixb_mac) && set_text(json, "station", id->station) &&
	       set_text(json, "request_id", id->request_id) && set_text(json, "owner", id->owner);
}

json_t *record_json(const struct pep_identity *id)
{
	json_t *json = json_object();

	if (set_text(json, "serial", id->serial) && set_text(json, "state", identity_state_name(id->state)) &&
	    (!id->before || set_text(json, "before", identity_state_name(id->before))) && set_text(json, "reason", id->reason) &&
	    set_number(json, "attempt", id->attempt) && set_number(json, "contacted", id->contacted) &&
	    set_number(json, "generation", id->generation) && set_text(json, "enrollment_id", id->enrollment_id) &&
	    set_text(json, "dispatch_id", id->dispatch_id) && set_number(json, "created_ms", id->created_ms) &&
	    set_number(json, "deployed_ms", id->deployed_ms) && set_number(json, "lease_until_ms", id->lease_until_ms) &&
	    set_request(json, id) && set_history(json, id->history))
		return json;
	json_decref(json);
	return NULL;
}
