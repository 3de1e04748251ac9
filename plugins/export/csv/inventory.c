/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that a record tells, in the quoting of RFC 4180. docs/exports/inventory.md describes each column; the last one is the
 * version of this table, so that a reader knows what it has.
 */
#include "profile.h"

#include <string.h>

#define VERSION "1"

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[PEP_CLAIMED] = "claimed", [PEP_CONTACTED] = "contacted", [PEP_ISSUED] = "issued",   [PEP_DEPLOYED] = "deployed",
		[PEP_FAILED] = "failed",   [PEP_IN_DOUBT] = "in_doubt",   [PEP_RETIRED] = "retired",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}

static void write_text(struct csv_line *line, const char *text, bool is_guarded)
{
	if (is_guarded)
		quote_guarded(line, text);
	else
		quote_where_needed(line, text);
	quote_bytes(line, ",", 1);
}

static void write_moment(struct csv_line *line, int64_t ms)
{
	if (ms)
		quote_moment(line, ms);
	quote_bytes(line, ",", 1);
}

static void write_number(struct csv_line *line, int64_t number)
{
	quote_number(line, number);
	quote_bytes(line, ",", 1);
}

static void inventory_write(struct csv_line *line, const struct pep_identity *id, bool is_guarded)
{
	const char *const before[] = {id->enrollment_id, id->serial, state_name(id->state), id->dispatch_id};
	const char *const after[] = {
		id->hardware_version,
		id->radio_config,
		id->led_config,
		id->category,
		id->api_address,
		id->gateway_services_address,
		id->ou,
		id->device_id,
		id->ethernet_mac,
		id->sixb_mac,
		id->station,
		id->reason,
	};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		write_text(line, before[i], is_guarded);
	write_moment(line, id->created_ms);
	write_moment(line, id->deployed_ms);
	write_number(line, id->generation);
	write_number(line, id->attempt);
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		write_text(line, after[i], is_guarded);
	quote_bytes(line, VERSION "\r\n", sizeof(VERSION) + 1);
}

const struct csv_profile csv_inventory = {
	.name = "inventory",
	.header =
		"enrollment_identity,serial_number,state,dispatch_id,created_at,deployed_at,generation,attempts,hardware_version,"
		"radio_config,led_config,category,api_address,gateway_services_address,ou,device_id,ethernet_mac,sixb_mac,station,"
		"reason,inventory_version\r\n",
	.write = inventory_write,
};
