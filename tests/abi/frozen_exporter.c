/* SPDX-License-Identifier: Apache-2.0 */
#include "frozen_1_0.h"

#include <string.h>

static int32_t exporter_record(void *run, struct v1_sink *sink, const struct v1_identity *id, struct v1_error *err)
{
	(void)run;
	(void)err;
	return sink->write(sink, id->serial, strlen(id->serial));
}

static const struct v1_exporter_ops ops = {
	.struct_size = sizeof(ops), .threads = 1, .media_type = "text/plain", .suffix = "txt", .record = exporter_record};
static const struct v1_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = 1,
	.kind = V1_EXPORTER,
	.option_size = sizeof(struct v1_option),
	.name = "frozen_exporter",
	.version = "1.0.0",
	.ops = &ops,
};

__attribute__((visibility("default"))) const struct v1_plugin *pep_plugin_probe(uint16_t host_major);
const struct v1_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == 1 ? &plugin : NULL;
}
