/* SPDX-License-Identifier: Apache-2.0
 *
 * The json exporter: one array, one object a line, with the members that GET /v3/enrollment-ids gives.
 */
#include "member.h"

#include <pep/exporter.h>

#include <stdlib.h>

/* One file. An object is put together here, so that a record is one write. */
struct run {
	bool any; /* a record has been written */
	char object[PEP_SINK_ROOM];
};

static pep_status json_begin(void *exporter, struct pep_sink *sink, void **ret_run, struct pep_error *err)
{
	struct run *run = malloc(sizeof(*run));
	pep_status status;

	(void)exporter;
	if (!run)
		return pep_fail(err, PEP_NO_MEMORY, 0, "json: no memory for an object");
	run->any = false;
	status = sink->write(sink, "[", 1);
	if (status != PEP_OK) {
		free(run);
		return status;
	}
	*ret_run = run;
	return PEP_OK;
}

/* The state of what is not deployed; a member that a list, which has deployed identities only, never shows. */
static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[PEP_CLAIMED] = "claimed", [PEP_CONTACTED] = "contacted", [PEP_ISSUED] = "issued",
		[PEP_FAILED] = "failed",   [PEP_IN_DOUBT] = "in_doubt",   [PEP_RETIRED] = "retired",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}

static void write_members(struct json_object *object, const struct pep_identity *id)
{
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
}

static pep_status json_record(void *run_, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	struct run *run = run_;
	struct json_object object = {.next = run->object, .end = run->object + sizeof(run->object)};

	if (run->any)
		member_bytes(&object, ",", 1);
	member_bytes(&object, "\n{", 2);
	write_members(&object, id);
	member_bytes(&object, "}", 1);
	if (object.full)
		return pep_fail(err, PEP_LIMIT, 0, "json: the object of serial %.64s is over %u bytes; look at its record",
				id->serial, PEP_SINK_ROOM);
	run->any = true;
	return sink->write(sink, run->object, (size_t)(object.next - run->object));
}

static pep_status json_end(void *run_, struct pep_sink *sink, struct pep_error *err)
{
	const struct run *run = run_;

	(void)err;
	return run->any ? sink->write(sink, "\n]\n", 3) : sink->write(sink, "]\n", 2);
}

static void json_drop(void *run)
{
	free(run);
}

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.media_type = "application/json",
	.suffix = "json",
	.record = json_record,
	.begin = json_begin,
	.end = json_end,
	.drop = json_drop,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = "json",
	.version = "1.0.0",
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
