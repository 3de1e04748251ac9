/* SPDX-License-Identifier: Apache-2.0
 *
 * frozen_1_1.h - what ABI 1.1 appended to 1.0, copied. It never changes: what was compiled against it must load for ever.
 */
#ifndef TESTS_ABI_FROZEN_1_1_H
#define TESTS_ABI_FROZEN_1_1_H

#include "frozen_1_0.h"

struct v1_1_storage_copy {
	uint32_t struct_size, reserved;
	int64_t record_count;
	char kept[1008];
};
struct v1_1_storage_ops {
	struct v1_storage_ops v1;
	int32_t (*note_read)(void *store, const char *name, char *text, int64_t *ret_revision, struct v1_error *err);
	int32_t (*note_write)(void *store, const char *name, int64_t revision, const char *text, struct v1_error *err);
	int32_t (*backup)(const struct v1_host *host, const union v1_value *values, const char *path,
			  struct v1_1_storage_copy *ret_copy, struct v1_error *err);
	int32_t (*restore)(const struct v1_host *host, const union v1_value *values, const char *path,
			   struct v1_1_storage_copy *ret_copy, struct v1_error *err);
};
struct v1_1_exporter_ops {
	struct v1_exporter_ops v1;
	const char *const *profiles;
	int32_t (*begin_profile)(void *exporter, const char *profile, struct v1_sink *sink, void **ret_run, struct v1_error *err);
	int32_t (*check)(void *run, const struct v1_identity *id, struct v1_error *err);
	int32_t (*rest)(void *run, struct v1_sink *sink, bool *ret_more, struct v1_error *err);
	void (*describe)(void *exporter, const char **ret_media_type, const char **ret_suffix);
	int32_t (*deliver)(void *exporter, const struct v1_identity *id, int64_t *ret_wait_ms, struct v1_error *err);
};

enum { V1_1_INVALID = 1 };

#endif
