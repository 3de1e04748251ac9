/* SPDX-License-Identifier: Apache-2.0
 *
 * The jsonl exporter: one object a line, nothing around them, so that files can be joined and read from any line on.
 */
#include "object.h"

#include <pep/exporter.h>

#include <stdlib.h>

/* Room for a line, so that a record is one write. */
static pep_status jsonl_begin(void *exporter, struct pep_sink *sink, void **ret_run, struct pep_error *err)
{
	char *line = malloc(PEP_SINK_ROOM);

	(void)exporter;
	(void)sink;
	if (!line)
		return pep_fail(err, PEP_NO_MEMORY, 0, "jsonl: no memory for a line");
	*ret_run = line;
	return PEP_OK;
}

static pep_status jsonl_record(void *line, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	struct json_object object = {.next = line, .end = (char *)line + PEP_SINK_ROOM};

	object_write(&object, id);
	member_bytes(&object, "\n", 1);
	if (object.full)
		return pep_fail(err, PEP_LIMIT, 0, "jsonl: the object of serial %.64s is over %u bytes; look at its record",
				id->serial, PEP_SINK_ROOM);
	return sink->write(sink, line, (size_t)(object.next - (char *)line));
}

static void jsonl_drop(void *line)
{
	free(line);
}

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.media_type = "application/x-ndjson",
	.suffix = "jsonl",
	.record = jsonl_record,
	.begin = jsonl_begin,
	.drop = jsonl_drop,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = "jsonl",
	.version = "1.0.0",
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
