/* SPDX-License-Identifier: Apache-2.0 */

/* A plugin that does harm before the server can refuse it: one macro for each way. */
#include "frozen_1_0.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CRASH = 1, ABORT, EXIT, HANG, PROBE_CRASH, WILD_ANSWER, WILD_NAME, WILD_OPS, WILD_OPTIONS };

/* The compiler must not know. */
static const volatile int harm = HARM;

/* An address that nobody may read. */
static void *nowhere(void)
{
	return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

__attribute__((constructor)) static void when_loaded(void)
{
	if (harm == CRASH)
		*(int *)nowhere() = 1;
	if (harm == ABORT)
		abort();
	if (harm == EXIT)
		exit(0);
	while (harm == HANG)
		(void)pause();
}

static int32_t record(void *run, struct v1_sink *sink, const struct v1_identity *id, struct v1_error *err)
{
	(void)run;
	(void)sink;
	(void)id;
	(void)err;
	return V1_OK;
}

static const struct v1_exporter_ops ops = {
	.struct_size = sizeof(ops), .media_type = "text/plain", .suffix = "txt", .record = record};
static struct v1_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = 1,
	.kind = V1_EXPORTER,
	.option_size = sizeof(struct v1_option),
	.name = FILE_NAME,
	.version = "1.0.0",
	.ops = &ops,
};

__attribute__((visibility("default"))) const struct v1_plugin *pep_plugin_probe(uint16_t host_major);
const struct v1_plugin *pep_plugin_probe(uint16_t host_major)
{
	(void)host_major;
	if (harm == PROBE_CRASH)
		*(int *)nowhere() = 1;
	if (harm == WILD_NAME)
		plugin.name = nowhere();
	if (harm == WILD_OPS)
		plugin.ops = nowhere();
	if (harm == WILD_OPTIONS)
		plugin.options = nowhere();
	return harm == WILD_ANSWER ? nowhere() : &plugin;
}
