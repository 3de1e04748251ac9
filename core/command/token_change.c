/* SPDX-License-Identifier: Apache-2.0
 *
 * token_change.c - what adding, rotating and revoking a token make of those who are let in.
 */
#include "core/access/scope.h"
#include "core/command/command.h"
#include "core/command/token.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define OVERLAP_MS DAY_MS

static bool is_valid(const struct access_entry *entry, int64_t now_ms)
{
	return !entry->expires_ms || entry->expires_ms > now_ms;
}

static bool is_named(const struct access_entry *entry, const char *name)
{
	return strcmp(entry->name, name) == 0 || strcmp(entry->id, name) == 0;
}

/* How many under this name still open the door; `ret_last` is one of them. */
static unsigned count_valid(const struct roster *roster, const char *name, bool is_certificate, int64_t now_ms, size_t *ret_last)
{
	unsigned count = 0;

	for (size_t i = 0; i < roster->count; i++) {
		const struct access_entry *entry = &roster->entries[i];

		if (strcmp(entry->name, name) != 0 || entry->is_certificate != is_certificate || !is_valid(entry, now_ms))
			continue;
		*ret_last = i;
		count++;
	}
	return count;
}

static void drop_expired(struct roster *roster, const char *name, int64_t now_ms)
{
	for (size_t i = roster->count; i > 0; i--)
		if (strcmp(roster->entries[i - 1].name, name) == 0 && !is_valid(&roster->entries[i - 1], now_ms))
			roster_remove(roster, i - 1);
}

/* Times are kept in whole seconds. */
static int64_t days_after(int64_t now_ms, int64_t days)
{
	return days ? (now_ms + days * DAY_MS) / 1000 * 1000 : 0;
}

/* Is there another one with this id? */
static bool is_taken(const struct roster *roster, const struct access_entry *entry)
{
	for (size_t i = 0; i < roster->count; i++)
		if (&roster->entries[i] != entry && strcmp(roster->entries[i].id, entry->id) == 0)
			return true;
	return false;
}

static void make_token(const struct roster *roster, struct access_entry *entry, char ret_token[TOKEN_ROOM])
{
	do
		token_make(ret_token, entry->id);
	while (is_taken(roster, entry)); /* a file with an id twice could not be read again */
	token_digest(ret_token, strlen(ret_token), entry->digest);
}

/* False: the id of this certificate is another's. */
static bool make_secret(const struct token_request *request, const struct roster *roster, struct access_entry *entry,
			char ret_token[TOKEN_ROOM])
{
	ret_token[0] = '\0';
	if (request->certificate[0]) {
		entry->is_certificate = true;
		memcpy(entry->digest, request->certificate, sizeof(entry->digest));
		(void)snprintf(entry->id, sizeof(entry->id), "crt_%.8s", request->certificate);
		return !is_taken(roster, entry);
	}
	make_token(roster, entry, ret_token);
	return true;
}

int token_add(const struct token_request *request, struct roster *roster, int64_t now_ms, char ret_token[TOKEN_ROOM])
{
	const unsigned station = (unsigned)SCOPE_PROVISION | (unsigned)SCOPE_READ;
	unsigned usual = request->kind == ENTRY_STATION ? station : (unsigned)SCOPE_READ;
	struct access_entry *entry;
	size_t last;

	if (!entry_is_name(request->name))
		return command_complain(
			COMMAND_USAGE, "\"%.64s\" is no name: 1 to 64 letters, digits and ._@-, and not local, anonymous or server",
			request->name);
	if (count_valid(roster, request->name, request->certificate[0], now_ms, &last))
		return command_complain(COMMAND_REFUSED, "%s has %s already; rotate a token, or revoke what there is",
					request->name, roster->entries[last].id);
	if (request->certificate[0] && roster_find(roster, request->certificate, true))
		return command_complain(COMMAND_REFUSED, "this certificate is let in already");
	drop_expired(roster, request->name, now_ms);
	entry = roster_append(roster);
	if (!entry)
		return command_complain(COMMAND_FAILED, "out of memory, or there are %u tokens, which is all there can be",
					ROSTER_COUNT_MAX);
	(void)snprintf(entry->name, sizeof(entry->name), "%s", request->name);
	entry->kind = request->kind;
	entry->scopes = request->scopes ? request->scopes : usual;
	entry->networks = (struct config_network *)request->networks; /* only read, and by the end of the command */
	entry->network_count = request->network_count;
	entry->created_ms = now_ms / 1000 * 1000;
	entry->expires_ms = days_after(now_ms, request->days);
	if (!make_secret(request, roster, entry, ret_token))
		return command_complain(COMMAND_REFUSED,
					"another certificate has the id %s; revoke that, or make a new certificate", entry->id);
	return COMMAND_DONE;
}

/* The old one goes on for the overlap, but no longer than it would have. */
static void end_soon(struct access_entry *entry, int64_t end_ms)
{
	end_ms = end_ms / 1000 * 1000;
	if (!entry->expires_ms || entry->expires_ms > end_ms)
		entry->expires_ms = end_ms;
}

int token_rotate(const struct token_request *request, struct roster *roster, int64_t now_ms, char ret_token[TOKEN_ROOM])
{
	struct access_entry *old, *new;
	size_t last = 0;
	unsigned count = count_valid(roster, request->name, false, now_ms, &last);
	int64_t life_ms;

	if (!count)
		return command_complain(COMMAND_REFUSED,
					"%s has no valid token; pep-server token list shows the names, token add makes one",
					request->name);
	if (count > 1)
		return command_complain(
			COMMAND_REFUSED,
			"%s has %u valid tokens, and two is all there can be; revoke one by its id (pep-server token list), "
			"or wait until it has expired",
			request->name, count);
	new = roster_append(roster);
	if (!new)
		return command_complain(COMMAND_FAILED, "out of memory, or there are %u tokens, which is all there can be",
					ROSTER_COUNT_MAX);
	old = &roster->entries[last];
	*new = *old;
	life_ms = old->expires_ms ? old->expires_ms - old->created_ms : 0;
	new->created_ms = now_ms / 1000 * 1000;
	new->expires_ms = request->days ? days_after(now_ms, request->days) : life_ms ? new->created_ms + life_ms : 0;
	make_token(roster, new, ret_token);
	end_soon(old, now_ms + (request->overlap_ms < 0 ? OVERLAP_MS : request->overlap_ms));
	drop_expired(roster, request->name, now_ms);
	return COMMAND_DONE;
}

int token_revoke(const struct token_request *request, struct roster *roster)
{
	unsigned count = 0;

	for (size_t i = roster->count; i > 0; i--) {
		if (!is_named(&roster->entries[i - 1], request->name))
			continue;
		roster_remove(roster, i - 1);
		count++;
	}
	if (!count)
		return command_complain(COMMAND_REFUSED,
					"there is no token \"%.64s\", by name or id; pep-server token list shows them",
					request->name);
	return COMMAND_DONE;
}
