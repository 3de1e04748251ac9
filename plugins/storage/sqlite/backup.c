/* SPDX-License-Identifier: Apache-2.0 */
#include "backup.h"

#include "connection.h"
#include "inspect.h"
#include "place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE_KIB 2048
#define STEP_PAGES 1024 /* between two looks at host->stopping() */

/* The store to read from. A server that has it goes on; else nobody starts one until source_close(). */
struct source {
	struct place place; /* its path is NULL if a server has the store */
	char *path;         /* absolute, without links; ours to free if a server has the store */
	sqlite3 *db;
};

pep_status backup_no_store(pep_status status, struct pep_error *err)
{
	if (status != PEP_INVALID)
		return status;
	if (err)
		err->status = PEP_UNAVAILABLE;
	return PEP_UNAVAILABLE;
}

static void source_close(struct source *source)
{
	(void)sqlite3_close(source->db);
	if (source->place.path)
		place_close(&source->place);
	else
		free(source->path);
}

static pep_status source_open(const char *store_path, struct source *ret_source, struct pep_error *err)
{
	struct source source = {0};
	pep_status status;

	/* place_open() would make an empty one. */
	if (access(store_path, F_OK) != 0)
		return pep_fail(err, PEP_NOT_FOUND, errno, "there is no store at %s: %s: correct storage.path", store_path,
				strerror(errno));
	status = place_open(store_path, &source.place, err);
	source.path = source.place.path;
	if (status == PEP_CONFLICT) {
		source.path = realpath(store_path, NULL);
		status = source.path ? PEP_OK
				     : pep_fail(err, PEP_UNAVAILABLE, errno, "cannot open %s: %s", store_path, strerror(errno));
	}
	/* A connection of this process beside a server's only reads: it neither checkpoints nor repairs, see connection.h. Without a
	 * server the log and its index have to be made, so it must be able to write. */
	if (status == PEP_OK)
		status = backup_check_restored(source.path, err);
	if (status == PEP_OK)
		status = connection_open(source.path, source.place.path ? CONNECTION_WRITER : CONNECTION_READER, CACHE_KIB,
					 &source.db, err);
	/* What an unclean stop left is for the server's start to see. */
	if (status == PEP_OK && source.place.unclean)
		(void)sqlite3_db_config(source.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (status != PEP_OK) {
		source_close(&source);
		return backup_no_store(status, err);
	}
	*ret_source = source;
	return PEP_OK;
}

/* All of it in one read transaction: the copy is one state of the store, and the writer need not wait. */
static pep_status copy_pages(const struct pep_host *host, const struct source *source, sqlite3 *target, const char *path,
			     struct pep_error *err)
{
	sqlite3_backup *backup = sqlite3_backup_init(target, "main", source->db, "main");
	bool stopping = false;
	int code = SQLITE_OK;

	if (!backup)
		return connection_fail(err, target, sqlite3_extended_errcode(target), "write", path);
	while (code == SQLITE_OK && !stopping) {
		code = sqlite3_backup_step(backup, STEP_PAGES);
		stopping = host->stopping && host->stopping(host);
	}
	if (code == SQLITE_DONE)
		stopping = false;
	code = sqlite3_backup_finish(backup);
	if (stopping)
		return pep_fail(err, PEP_CANCELLED, EINTR, "stopped while copying %s", source->path);
	return code == SQLITE_OK ? PEP_OK : connection_fail(err, target, code, "write", path);
}

/* One file that needs no log beside it, and is looked at as a whole. */
static pep_status finish_file(sqlite3 *target, const struct source *source, const char *path, int64_t source_count,
			      struct pep_storage_copy *ret_copy, struct pep_error *err)
{
	char fault[INSPECT_FAULT_SIZE];
	int64_t count = 0;
	pep_status status = connection_run(target, path, "write", "PRAGMA journal_mode = DELETE", err);

	if (status != PEP_OK)
		return status;
	if (!inspect_store(target, &count, fault))
		return pep_fail(
			err, PEP_INTERNAL, SQLITE_CORRUPT,
			"no backup was made of %s: the store is damaged (%s): stop the server, keep a copy of it, and restore the "
			"last backup",
			source->path, fault);
	if (count != source_count)
		return pep_fail(err, PEP_INTERNAL, 0, "no backup was made of %s: %lld records became %lld: please report this",
				source->path, (long long)source_count, (long long)count);
	ret_copy->record_count = count;
	return PEP_OK;
}

static pep_status copy_to(const struct pep_host *host, const struct source *source, sqlite3 *target, const char *path,
			  struct pep_storage_copy *ret_copy, struct pep_error *err)
{
	int64_t count = 0;
	pep_status status = connection_run(source->db, source->path, "read", "BEGIN", err);

	if (status == PEP_OK)
		status = connection_number(source->db, source->path, "SELECT count(*) FROM identity", &count, err);
	if (status == PEP_OK)
		status = copy_pages(host, source, target, path, err);
	/* The log may be moved again from here on. */
	(void)sqlite3_exec(source->db, "ROLLBACK", NULL, NULL, NULL);
	return status == PEP_OK ? finish_file(target, source, path, count, ret_copy, err) : status;
}

pep_status backup_write(const struct pep_host *host, const char *store_path, const char *path, struct pep_storage_copy *ret_copy,
			struct pep_error *err)
{
	struct source source = {0};
	sqlite3 *target;
	pep_status status = source_open(store_path, &source, err);

	if (status != PEP_OK)
		return status;
	status = connection_open(path, CONNECTION_WRITER, CACHE_KIB, &target, err);
	if (status == PEP_OK) {
		status = copy_to(host, &source, target, path, ret_copy, err);
		(void)sqlite3_close(target);
	}
	source_close(&source);
	return status;
}
