/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/provision_event.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/service/audit.h"

#include <string.h>

/* Left out if there is none. A plugin's message may be cut inside a character: what no JSON may hold becomes '?'. */
static void set_text(json_t *event, const char *key, const char *text)
{
	char clean[sizeof(((struct pep_error *)NULL)->message)];

	if (!text || !text[0])
		return;
	if (!text_is_utf8(text, strlen(text))) {
		(void)snprintf(clean, sizeof(clean), "%s", text);
		for (char *byte = clean; *byte; byte++)
			if ((unsigned char)*byte > '~')
				*byte = '?';
		text = clean;
	}
	(void)json_object_set_new(event, key, json_string(text));
}

static const char *known_id(const struct provision_result *result)
{
	bool has_record = result->outcome == PROVISION_DEPLOYED || result->outcome == PROVISION_REPLAYED;

	return has_record ? result->identity->enrollment_id : result->enrollment_id;
}

void provision_event_record(const struct api_context *api, const struct http_request *request,
			    const struct provision_request *provision, const struct provision_result *result, const char *outcome,
			    const char *code)
{
	json_t *event =
		json_pack("{s:s, s:s, s:s}", "event", "provision", "actor", request->actor, "serial", provision->fields.serial);

	if (event) {
		set_text(event, "station", provision->fields.station);
		set_text(event, "outcome", outcome);
		set_text(event, "code", code);
		set_text(event, "detail", result->outcome == PROVISION_DEPLOYED ? NULL : result->error.message);
		(void)json_object_set_new(event, "ms", json_integer(clock_boot_ms() - request->start_boot_ms));
		(void)json_object_set_new(event, "attempt", json_integer(result->attempt));
		set_text(event, "enrollment_id", known_id(result));
		set_text(event, "request_id", request->id);
	}
	audit_record(api->audit, event);
}
