/* SPDX-License-Identifier: Apache-2.0 */
#include "frozen_1_1.h"

#include <string.h>

static const char *const profiles[] = {"one", "two", NULL};

static int32_t exporter_begin(void *exporter, const char *profile, struct v1_sink *sink, void **ret_run, struct v1_error *err)
{
	const char *name = profile ? profile : "none";

	(void)exporter;
	(void)err;
	*ret_run = (void *)profiles;
	return sink->write(sink, name, strlen(name));
}

static int32_t exporter_check(void *run, const struct v1_identity *id, struct v1_error *err)
{
	(void)run;
	if (id->enrollment_id)
		return V1_OK;
	err->status = V1_1_INVALID;
	memcpy(err->message, "no identity", sizeof("no identity"));
	return V1_1_INVALID;
}

static int32_t exporter_record(void *run, struct v1_sink *sink, const struct v1_identity *id, struct v1_error *err)
{
	(void)run;
	(void)err;
	return sink->write(sink, id->serial, strlen(id->serial));
}

/* Once more for each record. */
static int32_t exporter_rest(void *run, struct v1_sink *sink, bool *ret_more, struct v1_error *err)
{
	(void)run;
	(void)err;
	*ret_more = false;
	return sink->write(sink, ".", 1);
}

static void exporter_describe(void *exporter, const char **ret_media_type, const char **ret_suffix)
{
	(void)exporter;
	*ret_media_type = "text/html";
	*ret_suffix = "html";
}

static int32_t exporter_deliver(void *exporter, const struct v1_identity *id, int64_t *ret_wait_ms, struct v1_error *err)
{
	(void)exporter;
	(void)err;
	*ret_wait_ms = (int64_t)strlen(id->serial);
	return V1_OK;
}

static const struct v1_1_exporter_ops ops = {
	.v1 = {.struct_size = sizeof(ops), .threads = 1, .media_type = "text/plain", .suffix = "txt", .record = exporter_record},
	.profiles = profiles,
	.begin_profile = exporter_begin,
	.check = exporter_check,
	.rest = exporter_rest,
	.describe = exporter_describe,
	.deliver = exporter_deliver,
};
static const struct v1_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = 1,
	.abi_minor = 1,
	.kind = V1_EXPORTER,
	.option_size = sizeof(struct v1_option),
	.name = "frozen_exporter_1_1",
	.version = "1.1.0",
	.ops = &ops,
};

__attribute__((visibility("default"))) const struct v1_plugin *pep_plugin_probe(uint16_t host_major);
const struct v1_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == 1 ? &plugin : NULL;
}
