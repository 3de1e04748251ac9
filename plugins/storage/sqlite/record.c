/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <string.h>

enum column_kind { COLUMN_INT64, COLUMN_UINT32, COLUMN_TEXT };

#define MEMBER(kind_, name_)                                                              \
	{                                                                                 \
		.kind = (kind_), .offset = (uint16_t)offsetof(struct pep_identity, name_) \
	}
/* In the order of RECORD_COLUMNS. */
static const struct column {
	uint16_t kind, offset;
} columns[] = {
	MEMBER(COLUMN_TEXT, serial),
	MEMBER(COLUMN_INT64, revision),
	MEMBER(COLUMN_UINT32, state),
	MEMBER(COLUMN_INT64, created_ms),
	MEMBER(COLUMN_INT64, deployed_ms),
	MEMBER(COLUMN_INT64, lease_until_ms),
	MEMBER(COLUMN_UINT32, attempt),
	MEMBER(COLUMN_UINT32, contacted),
	MEMBER(COLUMN_UINT32, before),
	MEMBER(COLUMN_UINT32, generation),
	MEMBER(COLUMN_TEXT, dispatch_id),
	MEMBER(COLUMN_TEXT, enrollment_id),
	MEMBER(COLUMN_TEXT, hardware_version),
	MEMBER(COLUMN_TEXT, radio_config),
	MEMBER(COLUMN_TEXT, led_config),
	MEMBER(COLUMN_TEXT, category),
	MEMBER(COLUMN_TEXT, api_address),
	MEMBER(COLUMN_TEXT, gateway_services_address),
	MEMBER(COLUMN_TEXT, verification_key),
	MEMBER(COLUMN_TEXT, ou),
	MEMBER(COLUMN_TEXT, device_id),
	MEMBER(COLUMN_TEXT, ethernet_mac),
	MEMBER(COLUMN_TEXT, sixb_mac),
	MEMBER(COLUMN_TEXT, nonce),
	MEMBER(COLUMN_TEXT, owner),
	MEMBER(COLUMN_TEXT, idempotency_key),
	MEMBER(COLUMN_TEXT, request_digest),
	MEMBER(COLUMN_TEXT, station),
	MEMBER(COLUMN_TEXT, request_id),
	MEMBER(COLUMN_TEXT, reason),
	MEMBER(COLUMN_TEXT, history),
};
#define COLUMN_COUNT ((int)(sizeof(columns) / sizeof(columns[0])))

/* In the order of RECORD_BRIEF_COLUMNS. */
static const struct column brief_columns[] = {
	MEMBER(COLUMN_TEXT, serial),
	MEMBER(COLUMN_UINT32, state),
	MEMBER(COLUMN_INT64, created_ms),
	MEMBER(COLUMN_INT64, deployed_ms),
	MEMBER(COLUMN_UINT32, attempt),
	MEMBER(COLUMN_UINT32, generation),
	MEMBER(COLUMN_TEXT, dispatch_id),
	MEMBER(COLUMN_TEXT, enrollment_id),
	MEMBER(COLUMN_TEXT, hardware_version),
	MEMBER(COLUMN_TEXT, radio_config),
	MEMBER(COLUMN_TEXT, led_config),
	MEMBER(COLUMN_TEXT, category),
	MEMBER(COLUMN_TEXT, api_address),
	MEMBER(COLUMN_TEXT, gateway_services_address),
	MEMBER(COLUMN_TEXT, ou),
	MEMBER(COLUMN_TEXT, device_id),
	MEMBER(COLUMN_TEXT, ethernet_mac),
	MEMBER(COLUMN_TEXT, sixb_mac),
	MEMBER(COLUMN_TEXT, station),
	MEMBER(COLUMN_TEXT, reason),
};
#define BRIEF_COLUMN_COUNT ((int)(sizeof(brief_columns) / sizeof(brief_columns[0])))

const char record_insert_sql[] =
	"INSERT INTO identity (" RECORD_COLUMNS ") VALUES (?1, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
	"?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)";

#define UPDATE_COMMON                                                                                                   \
	"UPDATE identity SET revision = ?2 + 1, state = ?3, created_ms = ?4, lease_until_ms = ?6, attempt = ?7, "       \
	"contacted = ?8, before = ?9, generation = ?10, hardware_version = ?13, radio_config = ?14, led_config = ?15, " \
	"category = ?16, api_address = ?17, gateway_services_address = ?18, verification_key = ?19, ou = ?20, "         \
	"device_id = ?21, ethernet_mac = ?22, sixb_mac = ?23, nonce = ?24, owner = ?25, request_digest = ?27, "         \
	"station = ?28, request_id = ?29, reason = ?30, history = ?31"
#define WHERE_REVISION " WHERE serial = ?1 AND revision = ?2"
#define DISPATCH_STAYS " AND dispatch_id IS ?11 AND deployed_ms = ?5"
#define ENROLLMENT_STAYS " AND enrollment_id IS ?12"
#define KEY_STAYS " AND idempotency_key IS ?26"

const char *const record_update_sql[RECORD_UPDATE_COUNT] = {
	[RECORD_UPDATE_STEP] = UPDATE_COMMON WHERE_REVISION DISPATCH_STAYS ENROLLMENT_STAYS KEY_STAYS,
	[RECORD_UPDATE_ISSUE] = UPDATE_COMMON ", enrollment_id = ?12" WHERE_REVISION DISPATCH_STAYS KEY_STAYS,
	[RECORD_UPDATE_DISPATCH] = UPDATE_COMMON ", dispatch_id = ?11, deployed_ms = ?5" WHERE_REVISION ENROLLMENT_STAYS KEY_STAYS,
	[RECORD_UPDATE_ALL] =
		UPDATE_COMMON ", dispatch_id = ?11, deployed_ms = ?5, enrollment_id = ?12, idempotency_key = ?26" WHERE_REVISION,
};

enum record_update record_likely_update(const struct pep_identity *id)
{
	if (id->state == PEP_ISSUED)
		return RECORD_UPDATE_ISSUE;
	return id->state == PEP_DEPLOYED ? RECORD_UPDATE_DISPATCH : RECORD_UPDATE_STEP;
}

int record_bind(sqlite3_stmt *statement, const struct pep_identity *id)
{
	int code = SQLITE_OK;

	/* An INSERT has no ?2, but it has parameters up to ?31, so the number 2 is there all the same. */
	for (int i = 0; i < COLUMN_COUNT && code == SQLITE_OK; i++) {
		const char *member = (const char *)id + columns[i].offset;

		if (columns[i].kind == COLUMN_TEXT)
			code = sqlite3_bind_text(statement, i + 1, *(const char *const *)(const void *)member, -1, SQLITE_STATIC);
		else if (columns[i].kind == COLUMN_UINT32)
			code = sqlite3_bind_int64(statement, i + 1, *(const uint32_t *)(const void *)member);
		else
			code = sqlite3_bind_int64(statement, i + 1, *(const int64_t *)(const void *)member);
	}
	return code;
}

/* A text and its NUL at `*used` in the block, if there is room; *used grows in any case. */
static void read_text(sqlite3_value *value, char *member, char *block, size_t room, size_t *used)
{
	/* As a blob: no conversion. NULL, or an empty text: NULL with 0 bytes. */
	const void *text = sqlite3_value_blob(value);
	size_t size;

	if (!text && sqlite3_value_type(value) == SQLITE_NULL)
		return;
	size = (size_t)sqlite3_value_bytes(value);
	if (*used + size + 1 <= room) {
		char *copy = block + *used;

		if (text)
			memcpy(copy, text, size);
		copy[size] = '\0';
		*(const char **)(void *)member = copy;
	}
	*used += size + 1;
}

size_t record_read(sqlite3_stmt *statement, bool brief, void *block, size_t room)
{
	const struct column *column = brief ? brief_columns : columns;
	int count = brief ? BRIEF_COLUMN_COUNT : COLUMN_COUNT;
	struct pep_identity id = {.struct_size = sizeof(id)};
	size_t used = sizeof(id);

	for (int i = 0; i < count; i++, column++) {
		char *member = (char *)&id + column->offset;
		/* Unprotected, which is all right as nobody else uses the connection; saves two thirds of the locking. */
		sqlite3_value *value = sqlite3_column_value(statement, i);

		if (column->kind == COLUMN_INT64)
			*(int64_t *)(void *)member = sqlite3_value_int64(value);
		else if (column->kind == COLUMN_UINT32)
			*(uint32_t *)(void *)member = (uint32_t)sqlite3_value_int64(value);
		else
			read_text(value, member, block, room, &used);
	}
	if (sizeof(id) <= room)
		memcpy(block, &id, sizeof(id));
	return (used + _Alignof(struct pep_identity) - 1) & ~(_Alignof(struct pep_identity) - 1);
}
