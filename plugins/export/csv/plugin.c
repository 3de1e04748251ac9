/* SPDX-License-Identifier: Apache-2.0
 *
 * The csv exporter: the columns and the quoting that readers of the original tool's file know.
 */
#include "quote.h"

#include <pep/exporter.h>

#include <stdlib.h>

static const char header[] = "\"enrollmentID\",\"serialNumber\",\"gatewayServicesAddress\",\"apiAddress\",\"hardwareVersion\","
			     "\"radioConfig\",\"ledConfig\",\"category\",\"deployed\",\"createdAt\"\n";

/* One file. A line is put together here, so that a record is one write. */
struct run {
	char line[PEP_SINK_ROOM];
};

static pep_status csv_begin(void *exporter, struct pep_sink *sink, void **ret_run, struct pep_error *err)
{
	struct run *run = malloc(sizeof(*run));
	pep_status status;

	(void)exporter;
	if (!run)
		return pep_fail(err, PEP_NO_MEMORY, 0, "csv: no memory for a line");
	status = sink->write(sink, header, sizeof(header) - 1);
	if (status != PEP_OK) {
		free(run);
		return status;
	}
	*ret_run = run;
	return PEP_OK;
}

static pep_status csv_record(void *run_, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	const char *const columns[] = {
		id->enrollment_id, id->serial,           id->gateway_services_address,
		id->api_address,   id->hardware_version, id->radio_config,
		id->led_config,    id->category,
	};
	struct run *run = run_;
	struct csv_line line = {.next = run->line, .end = run->line + sizeof(run->line)};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		quote_text(&line, columns[i]);
		quote_bytes(&line, ",", 1);
	}
	if (id->state == PEP_DEPLOYED)
		quote_bytes(&line, "true,", 5);
	else
		quote_bytes(&line, "false,", 6);
	quote_number(&line, id->created_ms);
	quote_bytes(&line, "\n", 1);
	if (line.full)
		return pep_fail(err, PEP_LIMIT, 0, "csv: the line of serial %.64s is over %u bytes; look at its record", id->serial,
				PEP_SINK_ROOM);
	return sink->write(sink, run->line, (size_t)(line.next - run->line));
}

static void csv_drop(void *run)
{
	free(run);
}

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.media_type = "text/csv; charset=utf-8",
	.suffix = "csv",
	.record = csv_record,
	.begin = csv_begin,
	.drop = csv_drop,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = "csv",
	.version = "1.0.0",
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
