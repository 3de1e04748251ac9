/* SPDX-License-Identifier: Apache-2.0
 *
 * labels.c - one line per gateway for the label printer: serial, tab, hardware.
 */
#include <pep/exporter.h>

#include <stdio.h>
#include <string.h>

static pep_status labels_record(void *run, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	char line[512];
	int size = snprintf(line, sizeof(line), "%s\t%s\n", id->serial, id->hardware_version ? id->hardware_version : "");

	(void)run;
	if (strpbrk(id->serial, "\t\r\n") || (id->hardware_version && strpbrk(id->hardware_version, "\t\r\n")))
		return pep_fail(err, PEP_INVALID, 0, "labels: serial %.64s has a tab or a line end", id->serial);
	if (size < 0 || (size_t)size >= sizeof(line))
		return pep_fail(err, PEP_LIMIT, 0, "labels: the line of serial %.64s is over %zu bytes", id->serial,
				sizeof(line) - 1);
	return sink->write(sink, line, (size_t)size);
}

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.media_type = "text/tab-separated-values",
	.suffix = "tsv",
	.record = labels_record,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = "labels",
	.version = "1.0.0",
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
