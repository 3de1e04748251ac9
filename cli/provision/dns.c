/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/dns.h"

#include <string.h>
#include <strings.h>

#define HEADER_SIZE 12
#define LABEL_MAX 63
#define RECORDS_MAX 256
#define CLASS_IN 1
#define IS_ANSWER 0x80

struct cursor {
	const unsigned char *message;
	size_t size, at;
	bool broken;
};

static unsigned take_byte(struct cursor *cursor)
{
	if (cursor->at >= cursor->size) {
		cursor->broken = true;
		return 0;
	}
	return cursor->message[cursor->at++];
}

static unsigned take_u16(struct cursor *cursor)
{
	unsigned high = take_byte(cursor);

	return high << 8 | take_byte(cursor);
}

static bool put_label(const unsigned char *label, size_t size, char *name, size_t *name_size)
{
	if (*name_size)
		name[(*name_size)++] = '.';
	for (size_t i = 0; i < size; i++) {
		/* A NUL would end the text early; nobody means one. */
		if (*name_size + 3 >= DNS_NAME_ROOM || !label[i])
			return false;
		if (label[i] == '.' || label[i] == '\\')
			name[(*name_size)++] = '\\';
		name[(*name_size)++] = (char)label[i];
	}
	return *name_size + 2 < DNS_NAME_ROOM;
}

/* RFC 1035 4.1.4. Every pointer must go back before where the last one led to, so that there is no circle. */
static void take_name(struct cursor *cursor, char ret_name[DNS_NAME_ROOM])
{
	size_t at = cursor->at, end = 0, bound = cursor->at, name_size = 0;

	for (;;) {
		unsigned size = at < cursor->size ? cursor->message[at] : 0xffu;

		if (size == 0) {
			cursor->at = end ? end : at + 1;
			ret_name[name_size] = '\0';
			return;
		}
		if ((size & 0xc0u) == 0xc0u && at + 1 < cursor->size) {
			size_t target = (size & 0x3fu) << 8 | cursor->message[at + 1];

			end = end ? end : at + 2;
			if (target >= bound)
				break;
			at = bound = target;
			continue;
		}
		if (size > LABEL_MAX || at + 1 + size > cursor->size ||
		    !put_label(cursor->message + at + 1, size, ret_name, &name_size))
			break;
		at += 1 + size;
	}
	cursor->broken = true;
	ret_name[0] = '\0';
}

static void take_txt(struct cursor *cursor, size_t end, char ret_txt[DNS_TXT_ROOM])
{
	size_t used = 0;

	while (cursor->at < end && !cursor->broken) {
		size_t size = take_byte(cursor);

		if (cursor->at + size > end) {
			cursor->broken = true;
			break;
		}
		/* What does not fit, is empty or has a NUL is no key of ours. */
		if (size && used + size + 2 <= DNS_TXT_ROOM && !memchr(cursor->message + cursor->at, '\0', size)) {
			memcpy(ret_txt + used, cursor->message + cursor->at, size);
			used += size;
			ret_txt[used++] = '\0';
		}
		cursor->at += size;
	}
	ret_txt[used] = '\0';
}

static void take_record(struct cursor *cursor, void (*take)(void *ctx, const struct dns_record *record), void *ctx)
{
	struct dns_record record = {.type = 0};
	unsigned class;
	size_t size, end;

	take_name(cursor, record.name);
	record.type = (uint16_t)take_u16(cursor);
	class = take_u16(cursor) & 0x7fffu; /* the highest bit is mDNS's cache flush */
	(void)take_u16(cursor);
	(void)take_u16(cursor);
	size = take_u16(cursor);
	end = cursor->at + size;
	if (cursor->broken || end > cursor->size) {
		cursor->broken = true;
		return;
	}
	if (record.type == DNS_SRV) {
		(void)take_u16(cursor);
		(void)take_u16(cursor);
		record.port = (uint16_t)take_u16(cursor);
	}
	if (record.type == DNS_SRV || record.type == DNS_PTR)
		take_name(cursor, record.target);
	else if (record.type == DNS_TXT)
		take_txt(cursor, end, record.txt);
	else if (record.type == DNS_A && size == 4)
		memcpy(record.address, cursor->message + cursor->at, 4);
	else
		record.type = 0;
	cursor->at = end;
	if (!cursor->broken && record.type && class == CLASS_IN)
		take(ctx, &record);
}

bool dns_read(const unsigned char *message, size_t size, uint16_t id, void (*take)(void *ctx, const struct dns_record *record),
	      void *ctx)
{
	struct cursor cursor = {.message = message, .size = size};
	char name[DNS_NAME_ROOM];
	unsigned questions, records;

	if (size < HEADER_SIZE || take_u16(&cursor) != id || !(take_u16(&cursor) >> 8 & IS_ANSWER))
		return false;
	questions = take_u16(&cursor);
	records = take_u16(&cursor);
	records += take_u16(&cursor);
	records += take_u16(&cursor);
	if (records > RECORDS_MAX)
		return false;
	for (; questions && !cursor.broken; questions--) {
		take_name(&cursor, name);
		(void)take_u16(&cursor);
		(void)take_u16(&cursor);
	}
	for (; records && !cursor.broken; records--)
		take_record(&cursor, take, ctx);
	return !cursor.broken;
}

static void put_u16(unsigned char *query, size_t *size, unsigned number)
{
	query[(*size)++] = (unsigned char)(number >> 8);
	query[(*size)++] = (unsigned char)number;
}

size_t dns_make_query(uint16_t id, const char *name, uint16_t type, unsigned char ret_query[DNS_QUERY_ROOM])
{
	size_t size = 0, length_at;

	if (strlen(name) >= DNS_NAME_ROOM)
		return 0;
	put_u16(ret_query, &size, id);
	put_u16(ret_query, &size, 0);
	put_u16(ret_query, &size, 1);
	while (size < HEADER_SIZE)
		put_u16(ret_query, &size, 0);
	while (*name) {
		length_at = size++;
		for (; *name && *name != '.'; name++) {
			name += *name == '\\' && name[1];
			ret_query[size++] = (unsigned char)*name;
		}
		if (size - length_at - 1 > LABEL_MAX || size == length_at + 1)
			return 0;
		ret_query[length_at] = (unsigned char)(size - length_at - 1);
		name += *name == '.';
	}
	ret_query[size++] = 0;
	put_u16(ret_query, &size, type);
	put_u16(ret_query, &size, CLASS_IN);
	return size;
}

const char *dns_txt_value(const char *txt, const char *key)
{
	size_t key_size = strlen(key);

	for (; *txt; txt += strlen(txt) + 1)
		if (strncasecmp(txt, key, key_size) == 0 && txt[key_size] == '=')
			return txt + key_size + 1;
	return NULL;
}
