/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/progress.h"

#include "core/base/json.h"

#include <pep/storage.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1
#define ID_LENGTH (PROGRESS_ID_SIZE - 1)

void progress_fini(struct progress *progress)
{
	told_fini(&progress->told);
	*progress = (struct progress){0};
}

static void write_letter(const struct dead_letter *letter, struct buffer *text)
{
	buffer_text(text, "{\"serial\":");
	buffer_json_text(text, letter->serial);
	buffer_format(text, ",\"id\":\"%s\",\"since_ms\":", letter->dispatch_id);
	buffer_number(text, letter->since_ms);
	buffer_text(text, ",\"reason\":");
	buffer_json_text(text, letter->reason);
	buffer_byte(text, '}');
}

void progress_write(const struct progress *progress, struct buffer *text)
{
	const struct told *told = &progress->told;
	size_t room, count;

	buffer_format(text, "{\"format\":%d,\"cursor\":\"%s\",\"holder\":", FORMAT, progress->cursor);
	buffer_json_text(text, progress->holder);
	buffer_text(text, ",\"until_ms\":");
	buffer_number(text, progress->until_ms);
	buffer_text(text, ",\"dead\":[");
	for (size_t i = 0; i < progress->dead_count; i++) {
		if (i)
			buffer_byte(text, ',');
		write_letter(&progress->dead[i], text);
	}
	buffer_text(text, "],\"told\":\"");
	room = text->size < PEP_NOTE_SIZE - 2 ? (PEP_NOTE_SIZE - 2 - text->size) / ID_LENGTH : 0;
	count = told->count < room ? told->count : room;
	for (size_t i = told->count - count; i < told->count; i++)
		buffer_append(text, told->ids[i], ID_LENGTH);
	buffer_text(text, "\"}");
}

/* A text that fits, NUL included. */
static bool copy_text(char *to, size_t size, const char *from)
{
	size_t length = from ? strlen(from) : size;

	if (length >= size)
		return false;
	memcpy(to, from, length + 1);
	return true;
}

static bool copy_id(char to[PROGRESS_ID_SIZE], const char *from)
{
	return from && strspn(from, "0123456789abcdef") == ID_LENGTH && copy_text(to, PROGRESS_ID_SIZE, from);
}

static bool read_dead(json_t *list, struct progress *progress)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count > PROGRESS_DEAD_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct dead_letter *letter = &progress->dead[i];
		const char *serial = NULL, *id = NULL, *reason = NULL;
		json_int_t since_ms = 0;

		if (json_unpack(json_array_get(list, i), "{s:s, s:s, s:I, s:s}", "serial", &serial, "id", &id, "since_ms",
				&since_ms, "reason", &reason) != 0 ||
		    !copy_text(letter->serial, sizeof(letter->serial), serial) || !copy_id(letter->dispatch_id, id) ||
		    !copy_text(letter->reason, sizeof(letter->reason), reason))
			return false;
		letter->since_ms = since_ms;
	}
	progress->dead_count = count;
	return true;
}

/* The ids stand one behind the other. */
static bool read_told(const char *ids, struct told *told)
{
	size_t size = strlen(ids);

	if (size % ID_LENGTH != 0 || strspn(ids, "0123456789abcdef") != size)
		return false;
	for (; *ids; ids += ID_LENGTH) {
		char id[PROGRESS_ID_SIZE] = "";

		memcpy(id, ids, ID_LENGTH);
		if (!told_add(told, id))
			return false;
	}
	return true;
}

static bool read_members(json_t *json, struct progress *progress)
{
	const char *cursor = NULL, *holder = NULL, *told = NULL;
	json_int_t until_ms = 0;
	json_t *dead = NULL;
	int format = 0;

	if (json_unpack(json, "{s:i, s:s, s:s, s:I, s:o, s:s}", "format", &format, "cursor", &cursor, "holder", &holder, "until_ms",
			&until_ms, "dead", &dead, "told", &told) != 0)
		return false;
	progress->until_ms = until_ms;
	return format == FORMAT && copy_id(progress->cursor, cursor) &&
	       copy_text(progress->holder, sizeof(progress->holder), holder) && read_dead(dead, progress) &&
	       read_told(told, &progress->told);
}

pep_status progress_read(const char *text, struct progress *progress, struct pep_error *err)
{
	struct progress *read = calloc(1, sizeof(*read)); /* too large for a stack that a plugin shares */
	struct pep_error why = {0};
	json_t *json = NULL;
	pep_status status;

	if (!read)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = json_parse_text(text, strlen(text), &json, &why);
	if (status != PEP_OK)
		status = pep_fail(err, status, 0, "it is no JSON: %.200s", why.message);
	else if (!read_members(json, read))
		status = pep_fail(err, PEP_INVALID, 0, "it is damaged, or a newer server wrote it");
	json_decref(json);
	if (status == PEP_OK) {
		progress_fini(progress);
		*progress = *read;
	} else {
		progress_fini(read);
	}
	free(read);
	return status;
}
