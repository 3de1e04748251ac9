/* SPDX-License-Identifier: Apache-2.0 */
#include "note.h"

#include <pep/storage.h>
#include <string.h>

/* The row on which the statement stands. */
static pep_status take_row(sqlite3_stmt *statement, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	const void *found = sqlite3_column_text(statement, 1);
	int size = sqlite3_column_bytes(statement, 1);

	if (!found || size < 0 || (unsigned)size > PEP_NOTE_SIZE)
		return pep_fail(err, found ? PEP_INTERNAL : PEP_NO_MEMORY, 0, "cannot read note %s: %s", name,
				found ? "it is longer than any note: somebody else wrote it" : "out of memory");
	memcpy(text, found, (size_t)size);
	text[size] = '\0';
	*ret_revision = sqlite3_column_int64(statement, 0);
	return PEP_OK;
}

pep_status note_read(struct reader_pool *readers, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	sqlite3_stmt *statement;
	struct reader *reader;
	int code;
	pep_status status = reader_take(readers, false, &reader, err);

	if (status != PEP_OK)
		return status;
	status = reader_statement(reader, QUERY_NOTE, &statement, err);
	if (status != PEP_OK) {
		reader_give(readers, reader, true);
		return status;
	}
	code = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		status = take_row(statement, name, text, ret_revision, err);
	} else if (code == SQLITE_DONE) {
		text[0] = '\0';
		*ret_revision = 0;
	} else {
		status = reader_fail(reader, code, err);
	}
	(void)sqlite3_reset(statement);
	reader_give(readers, reader, code != SQLITE_ROW && code != SQLITE_DONE);
	return status;
}

/* Prepared each time: a note is written now and then, and that costs less than keeping two more statements for ever. */
int note_apply(sqlite3 *db, const struct note *note, pep_status *ret_status, struct pep_error *err)
{
	const char *sql = note->revision ? "UPDATE note SET text = ?2, revision = revision + 1 WHERE name = ?1 AND revision = ?3"
					 : "INSERT INTO note (name, text, revision) VALUES (?1, ?2, ?3 + 1) ON CONFLICT DO NOTHING";
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_bind_text(statement, 1, note->name, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(statement, 2, note->text, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 3, note->revision);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_DONE)
		*ret_status = sqlite3_changes(db) == 1
				      ? PEP_OK
				      : pep_fail(err, PEP_CONFLICT, 0, "cannot write note %s: there is no revision %lld of it",
						 note->name, (long long)note->revision);
	(void)sqlite3_finalize(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}
