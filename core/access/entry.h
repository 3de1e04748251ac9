/* SPDX-License-Identifier: Apache-2.0
 *
 * entry.h - one of those who are let in: a line of the file of tokens.
 *
 * The line is a JSON object: id, name, kind ("station" or "person"), token_sha256 or certificate_sha256, scopes, networks (may be
 * absent), created and expires (may be absent), both as RFC 3339 writes UTC: 2026-11-23T20:15:00Z. Anything else is an error.
 */
#ifndef CORE_ACCESS_ENTRY_H
#define CORE_ACCESS_ENTRY_H

#include "core/access/token.h"
#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/config/config.h"

#define ENTRY_NAME_ROOM 65
#define ENTRY_TIME_ROOM 21

enum entry_kind { ENTRY_STATION, ENTRY_PERSON };

struct access_entry {
	char id[TOKEN_ID_ROOM], name[ENTRY_NAME_ROOM];
	enum entry_kind kind;
	bool is_certificate;             /* digest is that of a certificate, not of a token */
	char digest[DIGEST_ROOM];        /* SHA-256 */
	unsigned scopes;                 /* bits of enum http_scope, at least one */
	struct config_network *networks; /* where it may be used; borrowed */
	size_t network_count;            /* 0: anywhere */
	int64_t created_ms, expires_ms;  /* since 1970; expires_ms 0: never */
};

/* 1 to 64 letters, digits, dots, dashes, underscores and at signs, and not what the server calls those without a name. */
bool entry_is_name(const char *name);
/* Lower-case, 64 of them. */
bool entry_is_digest(const char *digest);
/* Of seconds; false: out of range, or not of that form. */
bool entry_write_time(int64_t ms, char ret_text[ENTRY_TIME_ROOM]);
bool entry_read_time(const char *text, int64_t *ret_ms);

/* A line, without its end. Networks are copied into the arena. The error says what is wrong, not where. */
pep_status entry_read(struct arena *arena, const char *line, size_t size, struct access_entry *ret_entry, struct pep_error *err);
/* Appends the line and its end; `failed` of the buffer tells. */
void entry_write(struct buffer *buffer, const struct access_entry *entry);

#endif
