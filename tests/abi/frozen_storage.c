/* SPDX-License-Identifier: Apache-2.0 */
#include "frozen_1_0.h"

/* A store of ABI 1.0 that knows one record, the one whose serial its option names. */
struct store {
	struct v1_identity record;
	bool is_read;
};
static struct store only; /* one instance is all that the test opens */

static int32_t store_open(const struct v1_host *host, const union v1_value *values, void **ret_store, struct v1_error *err)
{
	(void)err;
	only = (struct store){
		.record = {
			.struct_size = sizeof(only.record), .state = 4, .revision = 1, .serial = values[0].text, .history = "[]"}};
	host->log(host, 7, "frozen storage is open");
	*ret_store = &only;
	return V1_OK;
}

static void store_close(void *store)
{
	((struct store *)store)->is_read = true;
}

static int32_t store_ping(void *store, struct v1_error *err)
{
	(void)store;
	(void)err;
	return V1_OK;
}

static int32_t store_write(void *store, const struct v1_identity *id, struct v1_error *err)
{
	(void)store;
	(void)id;
	err->status = V1_CONFLICT;
	return V1_CONFLICT;
}

static int32_t store_scan_open(void *store, const struct v1_scan_query *query, void **ret_scan, struct v1_error *err)
{
	(void)query;
	(void)err;
	((struct store *)store)->is_read = false;
	*ret_scan = store;
	return V1_OK;
}

static int32_t store_scan_next(void *scan, const struct v1_identity **ret_id, struct v1_error *err)
{
	struct store *store = scan;

	(void)err;
	*ret_id = store->is_read ? NULL : &store->record;
	store->is_read = true;
	return V1_OK;
}

static void store_scan_close(void *scan)
{
	(void)scan;
}

static const struct v1_option options[] = {{.key = "serial", .fallback = "FROZEN-1", .type = V1_STRING}, {.key = NULL}};
static const struct v1_storage_ops ops = {
	.struct_size = sizeof(ops),
	.open = store_open,
	.close = store_close,
	.ping = store_ping,
	.insert = store_write,
	.update = store_write,
	.scan_open = store_scan_open,
	.scan_next = store_scan_next,
	.scan_close = store_scan_close,
};
static const struct v1_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = 1,
	.kind = V1_STORAGE,
	.option_size = sizeof(struct v1_option),
	.name = "frozen_storage",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

__attribute__((visibility("default"))) const struct v1_plugin *pep_plugin_probe(uint16_t host_major);
const struct v1_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == 1 ? &plugin : NULL;
}
