/* SPDX-License-Identifier: Apache-2.0 */

/* A plugin that does harm before the server can refuse it: one macro for each way. */
#include "frozen_1_0.h"

#include <stdlib.h>
#include <unistd.h>

enum { CRASH = 1, ABORT, EXIT, HANG, PROBE_CRASH, WILD_ANSWER, WILD_NAME, WILD_OPS, WILD_OPTIONS };

/* An address that is never mapped. */
#define WILD ((void *)(uintptr_t)16)

/* Through a variable that the compiler cannot see through. */
static void *volatile nowhere = WILD;

__attribute__((constructor)) static void when_loaded(void)
{
	if (HARM == CRASH)
		*(int *)nowhere = 1;
	if (HARM == ABORT)
		abort();
	if (HARM == EXIT)
		exit(0);
	while (HARM == HANG)
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
static const struct v1_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = 1,
	.kind = V1_EXPORTER,
	.option_size = sizeof(struct v1_option),
	.name = HARM == WILD_NAME ? WILD : FILE_NAME,
	.version = "1.0.0",
	.options = HARM == WILD_OPTIONS ? WILD : NULL,
	.ops = HARM == WILD_OPS ? WILD : (const void *)&ops,
};

__attribute__((visibility("default"))) const struct v1_plugin *pep_plugin_probe(uint16_t host_major);
const struct v1_plugin *pep_plugin_probe(uint16_t host_major)
{
	(void)host_major;
	if (HARM == PROBE_CRASH)
		*(int *)nowhere = 1;
	return HARM == WILD_ANSWER ? nowhere : &plugin;
}
