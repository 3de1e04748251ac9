/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <endian.h>
#include <string.h>

enum column_kind { COLUMN_INT64, COLUMN_UINT32, COLUMN_TEXT };

#define MEMBER(kind_, name_, brief_)                                                                                            \
	{                                                                                                                       \
		.name = #name_, .offset = (uint16_t)offsetof(struct pep_identity, name_), .kind = (kind_), .is_brief = (brief_) \
	}
static const struct column {
	const char *name;
	uint16_t offset;
	uint8_t kind;
	bool is_brief;
} columns[RECORD_COLUMN_COUNT] = {
	MEMBER(COLUMN_TEXT, serial, true),
	MEMBER(COLUMN_UINT32, state, true),
	MEMBER(COLUMN_INT64, created_ms, true),
	MEMBER(COLUMN_INT64, deployed_ms, true),
	MEMBER(COLUMN_INT64, lease_until_ms, false),
	MEMBER(COLUMN_UINT32, attempt, true),
	MEMBER(COLUMN_UINT32, contacted, false),
	MEMBER(COLUMN_UINT32, before, false),
	MEMBER(COLUMN_UINT32, generation, true),
	MEMBER(COLUMN_TEXT, dispatch_id, true),
	MEMBER(COLUMN_TEXT, enrollment_id, true),
	MEMBER(COLUMN_TEXT, hardware_version, true),
	MEMBER(COLUMN_TEXT, radio_config, true),
	MEMBER(COLUMN_TEXT, led_config, true),
	MEMBER(COLUMN_TEXT, category, true),
	MEMBER(COLUMN_TEXT, api_address, true),
	MEMBER(COLUMN_TEXT, gateway_services_address, true),
	MEMBER(COLUMN_TEXT, verification_key, false),
	MEMBER(COLUMN_TEXT, ou, true),
	MEMBER(COLUMN_TEXT, device_id, true),
	MEMBER(COLUMN_TEXT, ethernet_mac, true),
	MEMBER(COLUMN_TEXT, sixb_mac, true),
	MEMBER(COLUMN_TEXT, nonce, false),
	MEMBER(COLUMN_TEXT, owner, false),
	MEMBER(COLUMN_TEXT, idempotency_key, false),
	MEMBER(COLUMN_TEXT, request_digest, false),
	MEMBER(COLUMN_TEXT, station, true),
	MEMBER(COLUMN_TEXT, request_id, false),
	MEMBER(COLUMN_TEXT, reason, true),
	MEMBER(COLUMN_TEXT, history, false),
	MEMBER(COLUMN_INT64, revision, false),
};

const char *record_column(size_t i, bool brief)
{
	for (size_t column = 0; column < RECORD_COLUMN_COUNT; column++)
		if (!brief || columns[column].is_brief)
			if (i-- == 0)
				return columns[column].name;
	return NULL;
}

uint64_t record_wire(int64_t number)
{
	return htobe64((uint64_t)number);
}

void record_bind(const struct pep_identity *id, struct record_row *ret_row)
{
	for (size_t i = 0; i < RECORD_COLUMN_COUNT; i++) {
		const void *member = (const char *)id + columns[i].offset;
		bool is_text = columns[i].kind == COLUMN_TEXT;

		if (columns[i].kind == COLUMN_INT64)
			ret_row->numbers[i] = record_wire(*(const int64_t *)member);
		else if (columns[i].kind == COLUMN_UINT32)
			ret_row->numbers[i] = record_wire(*(const uint32_t *)member);
		/* A text goes as text: libpq looks for its end. */
		ret_row->values[i] = is_text ? *(const char *const *)member : (const char *)&ret_row->numbers[i];
		ret_row->sizes[i] = is_text ? 0 : (int)sizeof(ret_row->numbers[i]);
		ret_row->formats[i] = is_text ? 0 : 1;
	}
}

int64_t record_number(const PGresult *result, int row, int field)
{
	uint64_t number = 0;

	if (PQgetlength(result, row, field) == (int)sizeof(number))
		memcpy(&number, PQgetvalue(result, row, field), sizeof(number));
	return (int64_t)be64toh(number);
}

void record_read(const PGresult *result, int row, bool brief, struct pep_identity *ret_id)
{
	int field = 0;

	*ret_id = (struct pep_identity){.struct_size = sizeof(*ret_id)};
	for (size_t i = 0; i < RECORD_COLUMN_COUNT; i++) {
		void *member = (char *)ret_id + columns[i].offset;

		if (brief && !columns[i].is_brief)
			continue;
		if (columns[i].kind == COLUMN_INT64)
			*(int64_t *)member = record_number(result, row, field);
		else if (columns[i].kind == COLUMN_UINT32)
			*(uint32_t *)member = (uint32_t)record_number(result, row, field);
		else if (!PQgetisnull(result, row, field))
			*(const char **)member = PQgetvalue(result, row, field);
		field++;
	}
}
