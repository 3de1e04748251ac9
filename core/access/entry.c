/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/entry.h"

#include "core/access/scope.h"
#include "core/base/json.h"
#include "core/config/network.h"

#include <string.h>
#include <time.h>

#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"
static const char *const kinds[] = {[ENTRY_STATION] = "station", [ENTRY_PERSON] = "person"};

bool entry_is_name(const char *name)
{
	size_t size = strlen(name);

	return size >= 1 && size < ENTRY_NAME_ROOM &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-") == size &&
	       strcmp(name, "local") != 0 && strcmp(name, "anonymous") != 0 && strcmp(name, "server") != 0;
}

bool entry_is_digest(const char *digest)
{
	return strlen(digest) == DIGEST_ROOM - 1 && strspn(digest, "0123456789abcdef") == DIGEST_ROOM - 1;
}

bool entry_write_time(int64_t ms, char ret_text[ENTRY_TIME_ROOM])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts;

	return gmtime_r(&seconds, &parts) && strftime(ret_text, ENTRY_TIME_ROOM, TIME_FORMAT, &parts) == ENTRY_TIME_ROOM - 1;
}

bool entry_read_time(const char *text, int64_t *ret_ms)
{
	struct tm parts = {0};
	const char *end = strptime(text, TIME_FORMAT, &parts);
	char again[ENTRY_TIME_ROOM];
	int64_t ms;

	if (!end || *end)
		return false;
	ms = (int64_t)timegm(&parts) * 1000;
	/* strptime() takes more than it writes: 30 February, short years. */
	if (ms <= 0 || !entry_write_time(ms, again) || strcmp(again, text) != 0)
		return false;
	*ret_ms = ms;
	return true;
}

static bool copy_text(json_t *value, char *text, size_t room)
{
	size_t size = json_is_string(value) ? json_string_length(value) : room;

	if (size >= room)
		return false;
	memcpy(text, json_string_value(value), size + 1);
	return true;
}

static bool read_kind(json_t *value, enum entry_kind *ret_kind)
{
	for (int i = ENTRY_STATION; i <= ENTRY_PERSON; i++) {
		if (json_is_string(value) && strcmp(json_string_value(value), kinds[i]) == 0) {
			*ret_kind = (enum entry_kind)i;
			return true;
		}
	}
	return false;
}

static bool read_scopes(json_t *list, unsigned *ret_scopes)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		unsigned bit = json_is_string(item) ? scope_read(json_string_value(item), json_string_length(item)) : 0;

		if (!bit)
			return false;
		*ret_scopes |= bit;
	}
	return *ret_scopes;
}

static bool read_networks(struct arena *arena, json_t *list, struct access_entry *entry)
{
	const char *why;
	json_t *item;
	size_t i;

	if (!json_array_size(list)) /* also of what is no list; nowhere is not anywhere */
		return false;
	entry->networks = arena_alloc(arena, json_array_size(list) * sizeof(*entry->networks));
	if (!entry->networks)
		return false;
	json_array_foreach(list, i, item) if (!json_is_string(item) ||
					      !network_read(json_string_value(item), &entry->networks[entry->network_count++],
							    &why)) return false;
	return true;
}

static bool read_time(json_t *value, int64_t *ret_ms)
{
	return json_is_string(value) && entry_read_time(json_string_value(value), ret_ms);
}

static bool read_member(struct arena *arena, const char *key, json_t *value, struct access_entry *entry)
{
	if (strcmp(key, "id") == 0)
		return copy_text(value, entry->id, sizeof(entry->id)) && entry_is_name(entry->id);
	if (strcmp(key, "name") == 0)
		return copy_text(value, entry->name, sizeof(entry->name)) && entry_is_name(entry->name);
	if (strcmp(key, "kind") == 0)
		return read_kind(value, &entry->kind);
	if (strcmp(key, "scopes") == 0)
		return read_scopes(value, &entry->scopes);
	if (strcmp(key, "networks") == 0)
		return read_networks(arena, value, entry);
	if (strcmp(key, "created") == 0)
		return read_time(value, &entry->created_ms);
	if (strcmp(key, "expires") == 0)
		return read_time(value, &entry->expires_ms);
	entry->is_certificate = strcmp(key, "certificate_sha256") == 0;
	return (entry->is_certificate || strcmp(key, "token_sha256") == 0) && !entry->digest[0] &&
	       copy_text(value, entry->digest, sizeof(entry->digest)) && entry_is_digest(entry->digest);
}

static pep_status read_object(struct arena *arena, json_t *object, struct access_entry *ret_entry, struct pep_error *err)
{
	struct access_entry entry = {.kind = ENTRY_STATION};
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return pep_fail(err, PEP_INVALID, 0, "is no JSON object");
	json_object_foreach(object, key, value) if (!read_member(arena, key, value, &entry)) return pep_fail(
		err, PEP_INVALID, 0, "\"%.40s\" is not known, or has a wrong value", key);
	if (!entry.id[0] || !entry.name[0] || !json_object_get(object, "kind") || !entry.digest[0] || !entry.scopes ||
	    !entry.created_ms)
		return pep_fail(err, PEP_INVALID, 0,
				"id, name, kind, token_sha256 or certificate_sha256, scopes and created must all be there");
	*ret_entry = entry;
	return PEP_OK;
}

pep_status entry_read(struct arena *arena, const char *line, size_t size, struct access_entry *ret_entry, struct pep_error *err)
{
	json_t *object = NULL;
	pep_status status = json_parse_text(line, size, &object, err);

	if (status != PEP_OK)
		return status;
	status = read_object(arena, object, ret_entry, err);
	json_decref(object);
	return status;
}

static void write_member(struct buffer *buffer, const char *key, const char *value)
{
	buffer_format(buffer, ",\"%s\":", key);
	buffer_json_text(buffer, value);
}

static void write_lists(struct buffer *buffer, const struct access_entry *entry)
{
	bool is_first = true;
	char text[64];

	buffer_text(buffer, ",\"scopes\":[");
	for (size_t i = 0; i < SCOPE_COUNT; i++) {
		if (!(entry->scopes & scope_bit(i)))
			continue;
		buffer_format(buffer, "%s\"%s\"", is_first ? "" : ",", scope_name(i));
		is_first = false;
	}
	buffer_byte(buffer, ']');
	for (size_t i = 0; i < entry->network_count; i++) {
		network_write(&entry->networks[i], text);
		buffer_format(buffer, "%s\"%s\"", i ? "," : ",\"networks\":[", text);
	}
	if (entry->network_count)
		buffer_byte(buffer, ']');
}

void entry_write(struct buffer *buffer, const struct access_entry *entry)
{
	char time[ENTRY_TIME_ROOM];

	buffer_text(buffer, "{\"id\":");
	buffer_json_text(buffer, entry->id);
	write_member(buffer, "name", entry->name);
	write_member(buffer, "kind", kinds[entry->kind]);
	write_member(buffer, entry->is_certificate ? "certificate_sha256" : "token_sha256", entry->digest);
	write_lists(buffer, entry);
	if (entry_write_time(entry->created_ms, time))
		write_member(buffer, "created", time);
	if (entry->expires_ms && entry_write_time(entry->expires_ms, time))
		write_member(buffer, "expires", time);
	buffer_text(buffer, "}\n");
}
