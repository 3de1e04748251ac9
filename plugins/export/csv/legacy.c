/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

static void legacy_write(struct csv_line *line, const struct pep_identity *id, bool is_guarded)
{
	const char *const columns[] = {
		id->enrollment_id, id->serial,           id->gateway_services_address,
		id->api_address,   id->hardware_version, id->radio_config,
		id->led_config,    id->category,
	};

	(void)is_guarded; /* the bytes are those of the original */
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		quote_text(line, columns[i]);
		quote_bytes(line, ",", 1);
	}
	if (id->state == PEP_DEPLOYED)
		quote_bytes(line, "true,", 5);
	else
		quote_bytes(line, "false,", 6);
	quote_number(line, id->created_ms);
	quote_bytes(line, "\n", 1);
}

const struct csv_profile csv_legacy = {
	.name = "legacy",
	.header = "\"enrollmentID\",\"serialNumber\",\"gatewayServicesAddress\",\"apiAddress\",\"hardwareVersion\","
		  "\"radioConfig\",\"ledConfig\",\"category\",\"deployed\",\"createdAt\"\n",
	.write = legacy_write,
};
