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

const char record_insert_sql[] =
	"INSERT INTO identity (" RECORD_COLUMNS ") VALUES (?1, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
	"?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)";

#define UPDATE_REST                                                                                                         \
	"UPDATE identity SET revision = ?2 + 1, state = ?3, created_ms = ?4, deployed_ms = ?5, lease_until_ms = ?6, "       \
	"attempt = ?7, contacted = ?8, before = ?9, generation = ?10, dispatch_id = ?11, hardware_version = ?13, "          \
	"radio_config = ?14, led_config = ?15, category = ?16, api_address = ?17, gateway_services_address = ?18, "         \
	"verification_key = ?19, ou = ?20, device_id = ?21, ethernet_mac = ?22, sixb_mac = ?23, nonce = ?24, owner = ?25, " \
	"request_digest = ?27, station = ?28, request_id = ?29, reason = ?30, history = ?31"

const char record_update_sql[] = UPDATE_REST ", enrollment_id = ?12, idempotency_key = ?26 WHERE serial = ?1 AND revision = ?2";
const char record_update_rest_sql[] =
	UPDATE_REST " WHERE serial = ?1 AND revision = ?2 AND enrollment_id IS ?12 AND idempotency_key IS ?26";

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

size_t record_read(sqlite3_stmt *statement, void *block, size_t room)
{
	struct pep_identity id = {.struct_size = sizeof(id)};
	size_t used = sizeof(id);

	for (int i = 0; i < COLUMN_COUNT; i++) {
		char *member = (char *)&id + columns[i].offset;
		/* Unprotected, which is all right as nobody else uses the connection; saves two thirds of the locking. */
		sqlite3_value *value = sqlite3_column_value(statement, i);

		if (columns[i].kind == COLUMN_INT64) {
			*(int64_t *)(void *)member = sqlite3_value_int64(value);
		} else if (columns[i].kind == COLUMN_UINT32) {
			*(uint32_t *)(void *)member = (uint32_t)sqlite3_value_int64(value);
		} else if (sqlite3_value_type(value) != SQLITE_NULL) {
			/* As a blob: no conversion. For an empty text that is NULL with 0 bytes. */
			const void *text = sqlite3_value_blob(value);
			size_t size = (size_t)sqlite3_value_bytes(value);

			if (used + size + 1 <= room) {
				char *copy = (char *)block + used;

				if (size > 0)
					memcpy(copy, text, size);
				copy[size] = '\0';
				*(const char **)(void *)member = copy;
			}
			used += size + 1;
		}
	}
	if (sizeof(id) <= room)
		memcpy(block, &id, sizeof(id));
	return (used + _Alignof(struct pep_identity) - 1) & ~(_Alignof(struct pep_identity) - 1);
}
