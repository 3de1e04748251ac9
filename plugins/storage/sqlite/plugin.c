/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin.c - the sqlite storage plugin: one file on a local disk, for one server.
 */
#include "backup.h"
#include "note.h"
#include "place.h"
#include "reader.h"
#include "scan.h"
#include "writer.h"

#include <errno.h>
#include <pep/storage.h>
#include <stdlib.h>
#include <string.h>

#define SERIAL_SIZE_MAX 64

struct store {
	struct place place;
	struct writer *writer;
	struct reader_pool *readers;
};

enum { OPTION_PATH, OPTION_CACHE_KIB, OPTION_BATCH, OPTION_CHECK_MIB };
static const struct pep_option options[] = {
	[OPTION_PATH] = {"path", "pep.db", "the file that holds the records, on a local disk", 1, 4000, PEP_PATH},
	[OPTION_CACHE_KIB] = {"cache_kib", "2048", "page cache of each of up to 9 connections, in KiB", 64, 1048576, PEP_INT},
	[OPTION_BATCH] = {"batch", "64", "records that are written with one commit, at most", 1, 10000, PEP_INT},
	[OPTION_CHECK_MIB] = {"check_mib", "1048576",
			      "check each page of the file at start up to this size, in MiB; a larger one only after a crash", 0,
			      1048576, PEP_INT},
	{0},
};

static void sqlite_close(void *opaque)
{
	struct store *store = opaque;

	/* The thread uses the pool, and its connection has to be the last to close: that is the one that may checkpoint. */
	if (store->writer)
		writer_stop(store->writer);
	reader_pool_free(store->readers);
	writer_free(store->writer);
	place_close(&store->place);
	free(store);
}

static pep_status sqlite_open(const struct pep_host *host, const union pep_value *values, void **ret_store, struct pep_error *err)
{
	struct store *store = calloc(1, sizeof(*store));
	struct writer_setup setup = {
		.host = host, .cache_kib = values[OPTION_CACHE_KIB].number, .batch_max = (size_t)values[OPTION_BATCH].number};
	pep_status status;

	/* SQLite counts its memory under a mutex of the process, at each of a dozen allocations per record. Refused, and no harm, when
	 * somebody in this process uses SQLite already. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (!store)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot open %s: out of memory", values[OPTION_PATH].text);
	status = place_open(values[OPTION_PATH].text, &store->place, err);
	if (status != PEP_OK) {
		free(store);
		return status;
	}
	status = backup_check_restored(store->place.path, err);
	setup.place = &store->place;
	setup.check = store->place.unclean || store->place.size <= values[OPTION_CHECK_MIB].number * 1024 * 1024;
	if (status == PEP_OK)
		status = reader_pool_new(store->place.path, setup.cache_kib, &store->readers, err);
	setup.readers = store->readers;
	if (status == PEP_OK)
		status = writer_new(&setup, &store->writer, err);
	if (status == PEP_OK)
		status = reader_pool_warm(store->readers, err);
	if (status == PEP_OK)
		status = place_sync(&store->place, err);
	if (status != PEP_OK) {
		sqlite_close(store);
		return status;
	}
	*ret_store = store;
	return PEP_OK;
}

static pep_status sqlite_ping(void *opaque, struct pep_error *err)
{
	struct store *store = opaque;
	pep_status status = place_check_room(&store->place, err);

	/* After an error only a write can tell whether it is over. */
	if (status == PEP_OK && !writer_is_well(store->writer))
		status = writer_write(store->writer, WRITE_PROBE, NULL, err);
	if (status == PEP_OK)
		return PEP_OK;
	if (err)
		err->status = PEP_UNAVAILABLE;
	return PEP_UNAVAILABLE;
}

static pep_status write_record(struct store *store, enum write_kind kind, const struct pep_identity *id, struct pep_error *err)
{
	struct pep_identity own = {0};
	size_t size;

	memcpy(&own, id, id->struct_size < sizeof(own) ? id->struct_size : sizeof(own));
	size = own.serial ? strnlen(own.serial, SERIAL_SIZE_MAX + 1) : 0;
	if (size < 1 || size > SERIAL_SIZE_MAX)
		return pep_fail(err, PEP_INVALID, 0, "cannot store a record: its serial has to have 1 to %d bytes",
				SERIAL_SIZE_MAX);
	return writer_write(store->writer, kind, &own, err);
}

static pep_status sqlite_insert(void *opaque, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(opaque, WRITE_INSERT, id, err);
}

static pep_status sqlite_update(void *opaque, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(opaque, WRITE_UPDATE, id, err);
}

static pep_status sqlite_scan_open(void *opaque, const struct pep_scan_query *query, void **ret_scan, struct pep_error *err)
{
	struct store *store = opaque;
	struct scan *scan;
	pep_status status = scan_open(store->readers, query, &scan, err);

	if (status == PEP_OK)
		*ret_scan = scan;
	return status;
}

static pep_status sqlite_scan_next(void *opaque, const struct pep_identity **ret_id, struct pep_error *err)
{
	return scan_next(opaque, ret_id, err);
}

static void sqlite_scan_close(void *opaque)
{
	scan_close(opaque);
}

static pep_status sqlite_count(void *opaque, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err)
{
	struct store *store = opaque;

	return scan_count(store->readers, query, ret_count, err);
}

static pep_status sqlite_backup(const struct pep_host *host, const union pep_value *values, const char *path,
				struct pep_storage_copy *ret_copy, struct pep_error *err)
{
	return backup_write(host, values[OPTION_PATH].text, path, ret_copy, err);
}

static pep_status sqlite_restore(const struct pep_host *host, const union pep_value *values, const char *path,
				 struct pep_storage_copy *ret_copy, struct pep_error *err)
{
	return backup_restore(host, values[OPTION_PATH].text, path, ret_copy, err);
}

static pep_status sqlite_note_read(void *opaque, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	struct store *store = opaque;

	return note_read(store->readers, name, text, ret_revision, err);
}

static pep_status sqlite_note_write(void *opaque, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	struct store *store = opaque;
	const struct note note = {.name = name, .revision = revision, .text = text};

	if (strnlen(text, PEP_NOTE_SIZE + 1) > PEP_NOTE_SIZE)
		return pep_fail(err, PEP_LIMIT, 0, "cannot store note %s: it has over %u bytes", name, PEP_NOTE_SIZE);
	return writer_write_note(store->writer, &note, err);
}

static const struct pep_storage_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.flags = PEP_STORAGE_DURABLE | PEP_STORAGE_INLINE_READS,
	.open = sqlite_open,
	.close = sqlite_close,
	.ping = sqlite_ping,
	.insert = sqlite_insert,
	.update = sqlite_update,
	.scan_open = sqlite_scan_open,
	.scan_next = sqlite_scan_next,
	.scan_close = sqlite_scan_close,
	.count = sqlite_count,
	.backup = sqlite_backup,
	.restore = sqlite_restore,
	.note_read = sqlite_note_read,
	.note_write = sqlite_note_write,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_STORAGE,
	.option_size = sizeof(struct pep_option),
	.name = "sqlite",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
