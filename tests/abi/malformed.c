/* SPDX-License-Identifier: Apache-2.0 */

/* A plugin in good order, but for what CMakeLists.txt defines otherwise: one macro for each way to be wrong. */
#include "frozen_1_0.h"

#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(struct v1_plugin)
#endif
#ifndef ABI_MAJOR
#define ABI_MAJOR 1
#endif
#ifndef ABI_MINOR
#define ABI_MINOR 0
#endif
#ifndef KIND
#define KIND V1_EXPORTER
#endif
#ifndef NAME
#define NAME FILE_NAME
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef OPS
#define OPS &ops
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(struct v1_exporter_ops)
#endif
#ifndef THREADS
#define THREADS 0
#endif
#ifndef MEDIA_TYPE
#define MEDIA_TYPE "text/plain"
#endif
#ifndef RECORD
#define RECORD record
#endif
#ifndef OPTION_SIZE
#define OPTION_SIZE sizeof(struct v1_option)
#endif
#ifndef OPTION_KEY
#define OPTION_KEY "x"
#endif
#ifndef OPTION_TYPE
#define OPTION_TYPE V1_STRING
#endif
#ifndef ANSWER
#define ANSWER &plugin.known
#endif
#ifndef SYMBOL
#define SYMBOL pep_plugin_probe
#endif

/* Structs of a later release, with members that nobody here has heard of. */
struct later_ops {
	struct v1_exporter_ops known;
	void (*unheard_of)(void);
};
struct later_plugin {
	struct v1_plugin known;
	uint64_t unheard_of;
};

/* As its name says. */
int32_t nobody_defines_this(void *run, struct v1_sink *sink, const struct v1_identity *id, struct v1_error *err);

__attribute__((unused)) static int32_t record(void *run, struct v1_sink *sink, const struct v1_identity *id, struct v1_error *err)
{
	(void)run;
	(void)sink;
	(void)id;
	(void)err;
	return V1_OK;
}

__attribute__((unused)) static const struct later_ops ops = {
	.known = {.struct_size = OPS_SIZE, .threads = THREADS, .media_type = MEDIA_TYPE, .suffix = "txt", .record = RECORD},
};
static const struct v1_option options[] = {{.key = OPTION_KEY, .fallback = "", .type = OPTION_TYPE}, {.key = NULL}};
__attribute__((unused)) static const struct later_plugin plugin = {
	.known = {.struct_size = PLUGIN_SIZE,
		  .abi_major = ABI_MAJOR,
		  .abi_minor = ABI_MINOR,
		  .kind = KIND,
		  .option_size = OPTION_SIZE,
		  .name = NAME,
		  .version = VERSION,
		  .options = options,
		  .ops = OPS},
};

__attribute__((visibility("default"))) const struct v1_plugin *SYMBOL(uint16_t host_major);
const struct v1_plugin *SYMBOL(uint16_t host_major)
{
	(void)host_major;
	return ANSWER;
}
