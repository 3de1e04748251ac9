/* SPDX-License-Identifier: Apache-2.0 */
#include "note.h"

#include "record.h"

#include <pep/storage.h>
#include <string.h>

/* Row 0 of a binary answer, where a text is its bytes. */
static pep_status take_row(const PGresult *result, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	int size = PQgetlength(result, 0, 1);

	if (size < 0 || (unsigned)size > PEP_NOTE_SIZE)
		return pep_fail(err, PEP_INTERNAL, 0, "cannot read note %s: it is longer than any note: somebody else wrote it",
				name);
	memcpy(text, PQgetvalue(result, 0, 1), (size_t)size);
	text[size] = '\0';
	*ret_revision = record_number(result, 0, 0);
	return PEP_OK;
}

pep_status note_read(struct pool *pool, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	const struct session_call call = {.number = QUERY_NOTE_READ, .values = &name};
	PGresult *result;
	pep_status status = pool_run(pool, POOL_READ, &call, &result, err);

	if (status != PEP_OK)
		return status;
	if (PQntuples(result) > 0) {
		status = take_row(result, name, text, ret_revision, err);
	} else {
		text[0] = '\0';
		*ret_revision = 0;
	}
	PQclear(result);
	return status;
}

/* One statement, as insert() and update(): what an error says of a record it says of a note. */
pep_status note_write(struct pool *pool, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	uint64_t number = record_wire(revision);
	const char *const values[] = {name, text, (const char *)&number};
	const int sizes[] = {0, 0, sizeof(number)}, formats[] = {0, 0, 1};
	const struct session_call call = {revision ? QUERY_NOTE_UPDATE : QUERY_NOTE_INSERT, values, sizes, formats};
	PGresult *result;
	pep_status status;

	if (strnlen(text, PEP_NOTE_SIZE + 1) > PEP_NOTE_SIZE)
		return pep_fail(err, PEP_LIMIT, 0, "cannot store note %s: it has over %u bytes", name, PEP_NOTE_SIZE);
	status = pool_run(pool, POOL_WRITE, &call, &result, err);
	if (status != PEP_OK)
		return status;
	if (strcmp(PQcmdTuples(result), "1") != 0)
		status = pep_fail(err, PEP_CONFLICT, 0, "cannot store note %s: there is no revision %lld of it", name,
				  (long long)revision);
	PQclear(result);
	return status;
}
