/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include "connection.h"
#include "note.h"
#include "schema.h"

#include <errno.h>
#include <string.h>

static int remember_log_frames(void *link, sqlite3 *db, const char *schema, int frame_count)
{
	(void)db;
	(void)schema;
	((struct batch_link *)link)->log_frames = frame_count;
	return SQLITE_OK;
}

pep_status batch_link_open(struct batch_link *link, const char *path, int64_t cache_kib, bool first_time, bool check,
			   struct pep_error *err)
{
	pep_status status = connection_open(path, CONNECTION_WRITER, cache_kib, &link->db, err);

	link->path = path;
	if (status == PEP_OK && first_time)
		status = schema_open(link->db, path, check, err);
	if (status == PEP_OK)
		status = connection_prepare(link->db, path, record_insert_sql, &link->insert, err);
	for (int i = 0; status == PEP_OK && i < RECORD_UPDATE_COUNT; i++)
		status = connection_prepare(link->db, path, record_update_sql[i], &link->updates[i], err);
	if (status == PEP_OK)
		status = connection_prepare(link->db, path, "BEGIN IMMEDIATE", &link->begin, err);
	if (status == PEP_OK)
		status = connection_prepare(link->db, path, "COMMIT", &link->commit, err);
	if (status != PEP_OK) {
		batch_link_close(link);
		return status;
	}
	(void)sqlite3_wal_hook(link->db, remember_log_frames, link);
	return PEP_OK;
}

void batch_link_close(struct batch_link *link)
{
	(void)sqlite3_finalize(link->insert);
	for (int i = 0; i < RECORD_UPDATE_COUNT; i++)
		(void)sqlite3_finalize(link->updates[i]);
	(void)sqlite3_finalize(link->begin);
	(void)sqlite3_finalize(link->commit);
	(void)sqlite3_close(link->db);
	*link = (struct batch_link){.path = link->path};
}

/* Ends the transaction. An error other than a full disk or a busy file leaves it open what this connection holds in memory and
 * what the disk holds (a second fsync may succeed although the first lost data), so we start from the file again. */
static pep_status give_up(struct batch_link *link, int code, pep_status status, struct pep_error *err)
{
	struct pep_error cause = {0};
	bool ended;

	(void)connection_fail(&cause, link->db, code, "write to", link->path);
	if (err) {
		*err = cause;
		err->status = status;
	}
	ended = sqlite3_get_autocommit(link->db) != 0 || sqlite3_exec(link->db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;
	if (!ended || ((code & 0xff) != SQLITE_FULL && (code & 0xff) != SQLITE_BUSY))
		batch_link_close(link);
	return status;
}

pep_status batch_begin(struct batch_link *link, struct pep_error *err)
{
	int code = sqlite3_step(link->begin);

	(void)sqlite3_reset(link->begin);
	return code == SQLITE_DONE ? PEP_OK : give_up(link, code, PEP_UNAVAILABLE, err);
}

/* SQLite names the column: "UNIQUE constraint failed: identity.dispatch_id". */
static pep_status conflict(struct batch_link *link, const struct write *write, int code)
{
	const char *text = sqlite3_errmsg(link->db);
	const char *column = strrchr(text, '.');

	if ((code & 0xff) == SQLITE_TOOBIG)
		return pep_fail(write->err, PEP_LIMIT, code, "cannot store %s: the record is too large", write->id->serial);
	if (code != SQLITE_CONSTRAINT_UNIQUE)
		return pep_fail(write->err, PEP_INTERNAL, code, "cannot store %s: %s: please report this", write->id->serial, text);
	if (column && strcmp(column, ".serial") == 0)
		return pep_fail(write->err, PEP_CONFLICT, code, "cannot insert %s: it is there already", write->id->serial);
	return pep_fail(write->err, PEP_CONFLICT, code, "cannot store %s: another record has this %s", write->id->serial,
			column ? column + 1 : "value");
}

/* Writes the first page as it is. */
static pep_status apply_probe(struct batch_link *link, struct pep_error *err)
{
	char sql[48];
	int code;

	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", SCHEMA_VERSION);
	code = sqlite3_exec(link->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? PEP_OK : give_up(link, code, PEP_UNAVAILABLE, err);
}

/* One statement, which changes one row or none. Sets write->status; returns SQLite's code, SQLITE_OK for a refusal, too. */
static int change_row(struct batch_link *link, sqlite3_stmt *statement, struct write *write)
{
	int code = record_bind(statement, write->id);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	/* The message is gone after the reset. */
	if ((code & 0xff) == SQLITE_CONSTRAINT || (code & 0xff) == SQLITE_TOOBIG) {
		write->status = conflict(link, write, code);
		code = SQLITE_DONE;
	} else if (code == SQLITE_DONE && sqlite3_changes(link->db) == 0) {
		write->status = pep_fail(write->err, PEP_CONFLICT, 0, "cannot update %s: there is no revision %lld of it",
					 write->id->serial, (long long)write->id->revision);
	} else {
		write->status = PEP_OK;
	}
	(void)sqlite3_reset(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

pep_status batch_apply(struct batch_link *link, struct write *write, struct pep_error *err)
{
	int code;

	if (write->kind == WRITE_PROBE) {
		write->status = PEP_OK;
		return apply_probe(link, err);
	}
	if (write->kind == WRITE_NOTE) {
		code = note_apply(link->db, write->note, &write->status, write->err);
		return code == SQLITE_OK ? PEP_OK : give_up(link, code, PEP_UNAVAILABLE, err);
	}
	code = change_row(link, write->kind == WRITE_INSERT ? link->insert : link->updates[record_likely_update(write->id)], write);
	/* Nothing changed: more is new than was likely, or there is no such revision. */
	if (code == SQLITE_OK && write->kind == WRITE_UPDATE && sqlite3_changes(link->db) == 0 && write->status == PEP_CONFLICT)
		code = change_row(link, link->updates[RECORD_UPDATE_ALL], write);
	return code == SQLITE_OK ? PEP_OK : give_up(link, code, PEP_UNAVAILABLE, err);
}

/* A commit writes its last frame, syncs, and enters the frames into the index of the log. What failed before that frame was whole
 * cannot come back; what failed in the index, for want of memory, does after a crash. `cause`: errno. */
static bool is_certain(int code, int cause)
{
	if ((code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_BUSY)
		return true;
	/* A quota or a limit of file size: refused before anything was written. */
	return code == SQLITE_IOERR_WRITE && (cause == EDQUOT || cause == EFBIG || cause == ENOSPC);
}

pep_status batch_commit(struct batch_link *link, struct pep_error *err)
{
	int code, cause;

	errno = 0; /* sqlite3_system_errno() does not tell for a commit */
	code = sqlite3_step(link->commit);
	cause = errno;
	(void)sqlite3_reset(link->commit);
	if (code == SQLITE_DONE)
		return PEP_OK;
	return give_up(link, code, is_certain(code, cause) ? PEP_UNAVAILABLE : PEP_UNKNOWN, err);
}

pep_status batch_checkpoint(struct batch_link *link, bool patient, struct pep_error *err)
{
	int log_frames = 0, moved_frames = 0;
	int code = sqlite3_wal_checkpoint_v2(link->db, NULL, patient ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
					     &log_frames, &moved_frames);

	if (code == SQLITE_OK && moved_frames == log_frames)
		link->log_frames = 0;
	if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY)
		return PEP_OK;
	return give_up(link, code, PEP_UNAVAILABLE, err);
}
