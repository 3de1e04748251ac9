/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin.c - the mongo storage plugin: a MongoDB database, also that of the original tool, for any number of servers.
 */
#include "index.h"
#include "note.h"
#include "prepare.h"
#include "scan.h"
#include "write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SERIAL_SIZE_MAX 64

enum { OPTION_URI, OPTION_PASSWORD, OPTION_CONNECTIONS, OPTION_TIMEOUT };
static const struct pep_option options[] = {
	[OPTION_URI] = {"uri", NULL, "mongodb://USER@HOST:PORT/DATABASE, with the driver's options, without a password", 1, 2000,
			PEP_STRING},
	[OPTION_PASSWORD] = {"password", "", "of the user in uri, as file:PATH or ${NAME}", 0, 1000, PEP_SECRET},
	[OPTION_CONNECTIONS] = {"connections", "32", "connections to each server of the database, at most", 1, 1000, PEP_INT},
	[OPTION_TIMEOUT] = {"timeout", "5s", "longest wait for a free connection, for a read, and for a majority to have a write",
			    100, 60000, PEP_MILLISECONDS},
	{0},
};

static pep_status mongo_open(const struct pep_host *host, const union pep_value *values, void **ret_store, struct pep_error *err)
{
	struct address_setup setup = {.uri = values[OPTION_URI].text,
				      .password = values[OPTION_PASSWORD].text,
				      .connections = values[OPTION_CONNECTIONS].number,
				      .timeout_ms = values[OPTION_TIMEOUT].number};
	struct link *link = calloc(1, sizeof(*link));
	pep_status status;

	if (!link)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot open the database: out of memory");
	status = link_open(link, host, &setup, err);
	if (status != PEP_OK) {
		free(link);
		return status;
	}
	status = prepare_run(link, err);
	if (status != PEP_OK) {
		link_close(link);
		free(link);
		return status;
	}
	*ret_store = link;
	return PEP_OK;
}

static void mongo_close(void *opaque)
{
	struct link *link = opaque;

	link_close(link);
	free(link);
}

static pep_status mongo_now(void *opaque, int64_t *ret_ms, struct pep_error *err)
{
	struct link *link = opaque;
	struct link_use use;
	pep_status status = link_take(link, &use, err);

	if (status != PEP_OK)
		return status;
	status = link_ask(link, use.client, ret_ms, err);
	link_give(link, &use);
	return status;
}

/* The indexes, too: without them the database would take a second record of a gateway. */
static pep_status mongo_ping(void *opaque, struct pep_error *err)
{
	struct link *link = opaque;
	struct link_use use;
	int64_t now_ms;
	pep_status status = link_take(link, &use, err);

	if (status != PEP_OK)
		return status;
	status = link_ask(link, use.client, &now_ms, err);
	if (status == PEP_OK)
		status = index_check(link, &use, err);
	link_give(link, &use);
	return status;
}

static pep_status write_record(struct link *link,
			       pep_status (*write)(struct link *, const struct pep_identity *, struct pep_error *),
			       const struct pep_identity *id, struct pep_error *err)
{
	struct pep_identity own = {0};
	size_t size;

	memcpy(&own, id, id->struct_size < sizeof(own) ? id->struct_size : sizeof(own));
	size = own.serial ? strnlen(own.serial, SERIAL_SIZE_MAX + 1) : 0;
	if (size < 1 || size > SERIAL_SIZE_MAX)
		return pep_fail(err, PEP_INVALID, 0, "cannot store a record: its serial has to have 1 to %d bytes",
				SERIAL_SIZE_MAX);
	return write(link, &own, err);
}

static pep_status mongo_insert(void *opaque, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(opaque, write_insert, id, err);
}

static pep_status mongo_update(void *opaque, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(opaque, write_update, id, err);
}

static pep_status mongo_scan_open(void *opaque, const struct pep_scan_query *query, void **ret_scan, struct pep_error *err)
{
	struct scan *scan;
	pep_status status = scan_open(opaque, query, &scan, err);

	if (status == PEP_OK)
		*ret_scan = scan;
	return status;
}

static pep_status mongo_scan_next(void *opaque, const struct pep_identity **ret_id, struct pep_error *err)
{
	return scan_next(opaque, ret_id, err);
}

static void mongo_scan_close(void *opaque)
{
	scan_close(opaque);
}

static pep_status mongo_count(void *opaque, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err)
{
	return scan_count(opaque, query, ret_count, err);
}

static pep_status mongo_note_read(void *opaque, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	return note_read(opaque, name, text, ret_revision, err);
}

static pep_status mongo_note_write(void *opaque, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	return note_write(opaque, name, revision, text, err);
}

static const struct pep_storage_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.flags = PEP_STORAGE_SHARED | PEP_STORAGE_DURABLE,
	.open = mongo_open,
	.close = mongo_close,
	.ping = mongo_ping,
	.insert = mongo_insert,
	.update = mongo_update,
	.scan_open = mongo_scan_open,
	.scan_next = mongo_scan_next,
	.scan_close = mongo_scan_close,
	.now = mongo_now,
	.count = mongo_count,
	.note_read = mongo_note_read,
	.note_write = mongo_note_write,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_STORAGE,
	.option_size = sizeof(struct pep_option),
	.name = "mongo",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
