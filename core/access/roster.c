/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/roster.h"

#include "core/base/cleanup.h"
#include "core/config/file.h"

#include <nettle/memops.h>
#include <string.h>

#define FILE_LIMIT ((size_t)4 * 1024 * 1024)

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the file of tokens");
}

static void free_roster(struct roster **roster)
{
	roster_free(*roster);
}

/* Is this one like one in front of it? */
static bool is_repeated(const struct roster *roster, const struct access_entry *entry)
{
	for (const struct access_entry *other = roster->entries; other < entry; other++)
		if (strcmp(other->id, entry->id) == 0 || strcmp(other->digest, entry->digest) == 0)
			return true;
	return false;
}

static pep_status add_line(struct roster *roster, const char *line, size_t size, struct pep_error *err)
{
	struct access_entry *entry = roster_append(roster);
	pep_status status;

	if (!entry)
		return roster->count < ROSTER_COUNT_MAX
			       ? no_memory(err)
			       : pep_fail(err, PEP_LIMIT, 0, "there are more than %u tokens", ROSTER_COUNT_MAX);
	status = entry_read(&roster->arena, line, size, entry, err);
	if (status == PEP_OK && is_repeated(roster, entry))
		return pep_fail(err, PEP_INVALID, 0, "its id or SHA-256 is that of a line before");
	return status;
}

pep_status roster_parse(const char *path, const char *text, size_t size, struct roster **ret_roster, struct pep_error *err)
{
	AUTO(free_roster) struct roster *roster = calloc(1, sizeof(*roster));
	const char *end = text + size;
	unsigned line = 0;

	if (!roster)
		return no_memory(err);
	for (const char *next; text < end; text = next) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		struct pep_error why = {0};
		pep_status status;

		line++;
		next = stop ? stop + 1 : end;
		stop = stop ? stop : end;
		if (text == stop)
			continue;
		status = add_line(roster, text, (size_t)(stop - text), &why);
		if (status != PEP_OK)
			return pep_fail(err, status, why.native, "%s:%u: %s", path, line, why.message);
	}
	*ret_roster = TAKE(roster);
	return PEP_OK;
}

pep_status roster_read(const char *path, struct roster **ret_roster, struct pep_error *err)
{
	AUTO(free_ptr) char *text = NULL;
	struct pep_error why = {0};
	size_t size = 0;
	pep_status status = file_read_private(path, FILE_LIMIT, &text, &size, &why);

	if (status == PEP_NOT_FOUND)
		return pep_fail(err, status, why.native,
				"%s; it is the file of tokens (access.tokens), which pep-server token add makes", why.message);
	if (status != PEP_OK) {
		*err = why;
		return status;
	}
	return roster_parse(path, text, size, ret_roster, err);
}

void roster_free(struct roster *roster)
{
	if (!roster)
		return;
	arena_fini(&roster->arena);
	free(roster->entries);
	free(roster);
}

const struct access_entry *roster_find(const struct roster *roster, const char *digest, bool is_certificate)
{
	const struct access_entry *found = NULL;

	for (size_t i = 0; i < roster->count; i++) {
		const struct access_entry *entry = &roster->entries[i];

		if (memeql_sec(entry->digest, digest, DIGEST_ROOM) & (entry->is_certificate == is_certificate))
			found = entry;
	}
	return found;
}

struct access_entry *roster_append(struct roster *roster)
{
	struct access_entry *entries;

	if (roster->count == ROSTER_COUNT_MAX)
		return NULL;
	if ((roster->count & (roster->count - 1)) == 0) { /* full at each power of two */
		entries = reallocarray(roster->entries, roster->count ? 2 * roster->count : 1, sizeof(*entries));
		if (!entries)
			return NULL;
		roster->entries = entries;
	}
	roster->entries[roster->count] = (struct access_entry){.kind = ENTRY_STATION};
	return &roster->entries[roster->count++];
}

void roster_remove(struct roster *roster, size_t i)
{
	/* Not the last one over it: people know their lines by where they are. */
	for (roster->count--; i < roster->count; i++)
		roster->entries[i] = roster->entries[i + 1];
}
