/* SPDX-License-Identifier: Apache-2.0
 *
 * The json exporter: one array, one object a line, with the members that GET /v3/enrollment-ids gives.
 */
#include "object.h"

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

static pep_status json_record(void *run_, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	struct run *run = run_;
	struct json_object object = {.next = run->object, .end = run->object + sizeof(run->object)};

	if (run->any)
		member_bytes(&object, ",", 1);
	member_bytes(&object, "\n", 1);
	object_write(&object, id);
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
