/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin.c - a store that fails on demand: wraps another storage plugin, and makes the calls fail that its rules name. For tests.
 */
#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/identity.h"
#include "late.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct store {
	const struct pep_host *host;
	struct rules *rules;
	struct inner inner;
	struct late_writes late;
};

struct scan {
	struct store *store;
	void *inner;
	bool is_walk;
};

enum { OPTION_FILE, OPTION_OPTIONS, OPTION_RULES };
static const struct pep_option options[] = {
	[OPTION_FILE] = {"file", NULL, "the storage plugin to wrap", 1, 4000, PEP_PATH},
	[OPTION_OPTIONS] = {"options", "", "its options: KEY=VALUE;KEY=VALUE; relative paths are beside the rules", 0, 8000,
			    PEP_STRING},
	[OPTION_RULES] = {"rules", "rules", "the file that says which calls fail; see rules.h", 1, 4000, PEP_PATH},
	{0},
};

static void say(const struct store *store, const struct call *call, enum fault fault)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "faulty %s at %s state=%s serial=%s", rules_fault_name(fault),
		       rules_call_name(call->kind), identity_state_name(call->state), call->serial ? call->serial : "-");
	store->host->log(store->host, 6, line);
}

static void pause_ms(int64_t ms)
{
	const struct timespec span = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&span, NULL);
}

/* What is to become of a call. Those that only take their time have taken it when this returns, and pass. */
static pep_status judge(struct store *store, const struct call *call, struct verdict *ret_verdict, struct pep_error *err)
{
	pep_status status = rules_judge(store->rules, call, ret_verdict, err);

	if (status != PEP_OK || ret_verdict->fault == FAULT_PASS)
		return status;
	say(store, call, ret_verdict->fault);
	if (ret_verdict->fault == FAULT_SLOW)
		pause_ms(ret_verdict->ms);
	while (ret_verdict->fault == FAULT_HOLD && !rules_changed(store->rules, ret_verdict->version))
		pause_ms(2);
	if (ret_verdict->fault == FAULT_SLOW || ret_verdict->fault == FAULT_HOLD)
		ret_verdict->fault = FAULT_PASS;
	return PEP_OK;
}

/* A call that only reads: it works or it does not. */
static pep_status judge_read(struct store *store, enum call_kind kind, const char *serial, struct pep_error *err)
{
	const struct call call = {.kind = kind, .serial = serial};
	struct verdict verdict = {0};
	pep_status status = judge(store, &call, &verdict, err);

	if (status != PEP_OK || verdict.fault == FAULT_PASS)
		return status;
	return pep_fail(err, PEP_UNAVAILABLE, 0, "faulty: %s is made to fail", rules_call_name(kind));
}

/* The folder of a file, to be freed. */
static char *folder_of(const char *path)
{
	char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (slash)
		*slash = '\0';
	return folder;
}

static pep_status faulty_open(const struct pep_host *host, const union pep_value *values, void **ret_store, struct pep_error *err)
{
	const char *rules_path = values[OPTION_RULES].text;
	AUTO(free_ptr) struct store *store = calloc(1, sizeof(*store));
	AUTO(free_ptr) char *folder = folder_of(rules_path);
	pep_status status;

	if (!store || !folder)
		return pep_fail(err, PEP_NO_MEMORY, 0, "faulty: out of memory");
	store->host = host;
	store->rules = rules_new(rules_path);
	if (!store->rules)
		return pep_fail(err, PEP_NO_MEMORY, 0, "faulty: out of memory");
	status = inner_open(host, values[OPTION_FILE].text, values[OPTION_OPTIONS].text, folder, &store->inner, err);
	if (status != PEP_OK) {
		rules_free(store->rules);
		return status;
	}
	(void)pthread_mutex_init(&store->late.mutex, NULL);
	*ret_store = TAKE(store);
	return PEP_OK;
}

static void faulty_close(void *opaque)
{
	struct store *store = opaque;

	late_finish(&store->late);
	(void)pthread_mutex_destroy(&store->late.mutex);
	inner_close(&store->inner);
	rules_free(store->rules);
	free(store);
}

static pep_status faulty_ping(void *opaque, struct pep_error *err)
{
	struct store *store = opaque;
	pep_status status = judge_read(store, CALL_PING, NULL, err);

	return status == PEP_OK ? store->inner.ops.ping(store->inner.store, err) : status;
}

static pep_status write_record(struct store *store, enum call_kind kind, const struct pep_identity *id, struct pep_error *err)
{
	const struct pep_storage_ops *ops = &store->inner.ops;
	pep_status (*function)(void *, const struct pep_identity *, struct pep_error *) =
		kind == CALL_INSERT ? ops->insert : ops->update;
	const struct call call = {.kind = kind, .state = id->state, .serial = id->serial};
	struct verdict verdict = {0};
	pep_status status = judge(store, &call, &verdict, err);

	if (status != PEP_OK)
		return status;
	switch (verdict.fault) {
	case FAULT_UNAVAILABLE:
		return pep_fail(err, PEP_UNAVAILABLE, 0, "faulty: %s is made to fail", rules_call_name(kind));
	case FAULT_APPLIED:
		status = function(store->inner.store, id, err);
		/* Who was refused for certain is told so: a lost answer would say less, not something else. */
		if (status != PEP_OK)
			return status;
		break;
	case FAULT_LATE:
		if (!late_begin(&store->late, &store->inner, kind == CALL_INSERT, id, verdict.ms))
			return pep_fail(err, PEP_NO_MEMORY, 0, "faulty: out of memory");
		break;
	case FAULT_NOT_APPLIED:
		break;
	default:
		return function(store->inner.store, id, err);
	}
	return pep_fail(err, PEP_UNKNOWN, 0, "faulty: the answer to %s is lost", rules_call_name(kind));
}

static pep_status faulty_insert(void *opaque, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(opaque, CALL_INSERT, id, err);
}

static pep_status faulty_update(void *opaque, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(opaque, CALL_UPDATE, id, err);
}

static pep_status faulty_scan_open(void *opaque, const struct pep_scan_query *query, void **ret_scan, struct pep_error *err)
{
	struct store *store = opaque;
	const bool is_walk = query->struct_size < offsetof(struct pep_scan_query, after) || !query->serial;
	pep_status status = judge_read(store, is_walk ? CALL_WALK : CALL_GET, is_walk ? NULL : query->serial, err);
	struct scan *scan = NULL;

	if (status != PEP_OK)
		return status;
	scan = calloc(1, sizeof(*scan));
	if (!scan)
		return pep_fail(err, PEP_NO_MEMORY, 0, "faulty: out of memory");
	scan->store = store;
	scan->is_walk = is_walk;
	status = store->inner.ops.scan_open(store->inner.store, query, &scan->inner, err);
	if (status == PEP_OK)
		*ret_scan = scan;
	else
		free(scan);
	return status;
}

static pep_status faulty_scan_next(void *opaque, const struct pep_identity **ret_id, struct pep_error *err)
{
	struct scan *scan = opaque;
	pep_status status = scan->is_walk ? judge_read(scan->store, CALL_NEXT, NULL, err) : PEP_OK;

	return status == PEP_OK ? scan->store->inner.ops.scan_next(scan->inner, ret_id, err) : status;
}

static void faulty_scan_close(void *opaque)
{
	struct scan *scan = opaque;

	scan->store->inner.ops.scan_close(scan->inner);
	free(scan);
}

static pep_status faulty_now(void *opaque, int64_t *ret_ms, struct pep_error *err)
{
	struct store *store = opaque;
	pep_status status = judge_read(store, CALL_NOW, NULL, err);

	if (status != PEP_OK)
		return status;
	if (store->inner.ops.now)
		return store->inner.ops.now(store->inner.store, ret_ms, err);
	*ret_ms = clock_wall_ms();
	return PEP_OK;
}

static pep_status faulty_count(void *opaque, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err)
{
	struct store *store = opaque;
	pep_status status = judge_read(store, CALL_COUNT, NULL, err);

	if (status != PEP_OK)
		return status;
	if (!store->inner.ops.count)
		return pep_fail(err, PEP_UNSUPPORTED, 0, "faulty: the plugin that is wrapped cannot count");
	return store->inner.ops.count(store->inner.store, query, ret_count, err);
}

/* Not PEP_STORAGE_INLINE_READS: a read may be made to wait. */
static const struct pep_storage_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.flags = PEP_STORAGE_DURABLE,
	.open = faulty_open,
	.close = faulty_close,
	.ping = faulty_ping,
	.insert = faulty_insert,
	.update = faulty_update,
	.scan_open = faulty_scan_open,
	.scan_next = faulty_scan_next,
	.scan_close = faulty_scan_close,
	.now = faulty_now,
	.count = faulty_count,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_STORAGE,
	.option_size = sizeof(struct pep_option),
	.name = "faulty",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
