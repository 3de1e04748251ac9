/* SPDX-License-Identifier: Apache-2.0
 *
 * frozen_1_0.h - the plugin contract as released in ABI 1.0, copied. It never changes: what was compiled against it must load for ever.
 */
#ifndef TESTS_ABI_FROZEN_1_0_H
#define TESTS_ABI_FROZEN_1_0_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct v1_error {
	int32_t status, native;
	char message[504];
};
struct v1_host {
	uint32_t struct_size;
	void *ctx;
	void (*log)(const struct v1_host *host, int32_t syslog_level, const char *line);
	bool (*stopping)(const struct v1_host *host);
};
struct v1_option {
	const char *key, *fallback, *help;
	int64_t min, max;
	int32_t type;
};
union v1_value {
	const char *text;
	int64_t number;
	bool flag;
};
struct v1_plugin {
	uint32_t struct_size;
	uint16_t abi_major, abi_minor;
	int32_t kind;
	uint32_t option_size;
	const char *name, *version;
	const struct v1_option *options;
	const void *ops;
};
struct v1_identity {
	uint32_t struct_size, state;
	int64_t revision, created_ms, deployed_ms, lease_until_ms;
	uint32_t attempt, contacted, before, generation;
	const char *serial, *dispatch_id, *enrollment_id;
	const char *hardware_version, *radio_config, *led_config, *category, *api_address, *gateway_services_address;
	const char *verification_key, *ou, *device_id, *ethernet_mac, *sixb_mac, *nonce, *owner, *idempotency_key, *request_digest;
	const char *station, *request_id, *reason, *history;
};
struct v1_scan_query {
	uint32_t struct_size, limit, state, descending;
	const char *serial, *after;
	int64_t deployed_from_ms, deployed_to_ms, lease_before_ms;
};
struct v1_storage_ops {
	uint32_t struct_size, threads;
	uint64_t flags;
	int32_t (*open)(const struct v1_host *host, const union v1_value *values, void **ret_store, struct v1_error *err);
	void (*close)(void *store);
	int32_t (*ping)(void *store, struct v1_error *err);
	int32_t (*insert)(void *store, const struct v1_identity *id, struct v1_error *err);
	int32_t (*update)(void *store, const struct v1_identity *id, struct v1_error *err);
	int32_t (*scan_open)(void *store, const struct v1_scan_query *query, void **ret_scan, struct v1_error *err);
	int32_t (*scan_next)(void *scan, const struct v1_identity **ret_id, struct v1_error *err);
	void (*scan_close)(void *scan);
	int32_t (*now)(void *store, int64_t *ret_ms, struct v1_error *err);
	int32_t (*count)(void *store, const struct v1_scan_query *query, int64_t *ret_count, struct v1_error *err);
};
struct v1_target {
	uint32_t struct_size;
	uint16_t port;
	const char *ip;
};
struct v1_witness {
	uint32_t struct_size;
	void *ctx;
	int32_t (*contacted)(struct v1_witness *witness, struct v1_error *err);
	int32_t (*issued)(struct v1_witness *witness, const char *enrollment_id, struct v1_error *err);
	bool (*cancelled)(struct v1_witness *witness);
};
struct v1_injection {
	uint32_t struct_size, outcome;
	char enrollment_id[128], detail[512];
};
struct v1_injector_ops {
	uint32_t struct_size, threads;
	uint64_t flags;
	int32_t (*open)(const struct v1_host *host, const union v1_value *values, void **ret_injector, struct v1_error *err);
	void (*close)(void *injector);
	int32_t (*self_test)(void *injector, struct v1_error *err);
	int32_t (*inject)(void *injector, const struct v1_target *target, const struct v1_identity *id, int64_t timeout_ms,
			  struct v1_witness *witness, struct v1_injection *ret, struct v1_error *err);
	int32_t (*adopt)(void *injector, const struct v1_identity *id, int64_t timeout_ms, struct v1_injection *ret,
			 struct v1_error *err);
	void (*forget)(void *injector, const struct v1_identity *id);
};
struct v1_sink {
	uint32_t struct_size;
	void *ctx;
	int32_t (*write)(struct v1_sink *sink, const void *data, size_t size);
};
struct v1_exporter_ops {
	uint32_t struct_size, threads;
	const char *media_type, *suffix;
	int32_t (*record)(void *run, struct v1_sink *sink, const struct v1_identity *id, struct v1_error *err);
	int32_t (*open)(const struct v1_host *host, const union v1_value *values, void **ret_exporter, struct v1_error *err);
	void (*close)(void *exporter);
	int32_t (*begin)(void *exporter, struct v1_sink *sink, void **ret_run, struct v1_error *err);
	int32_t (*end)(void *run, struct v1_sink *sink, struct v1_error *err);
	void (*drop)(void *run);
};

enum { V1_STORAGE = 1, V1_INJECTOR, V1_EXPORTER };
enum { V1_OK = 0, V1_CONFLICT = 3 };
enum { V1_STRING = 1 };
enum { V1_DELIVERED = 1 };

#endif
