/* SPDX-License-Identifier: Apache-2.0
 *
 * token.h - what `pep-server token ...` was asked, and its parts.
 */
#ifndef CORE_COMMAND_TOKEN_H
#define CORE_COMMAND_TOKEN_H

#include "core/access/roster_file.h"

#define TOKEN_NETWORKS_MAX 16u

struct token_request {
	const char *verb; /* add, list, revoke or rotate */
	const char *name; /* or an id; NULL: none */
	const char *config_path;
	const char **settings; /* of --set; room for as many as there are arguments */
	size_t setting_count;
	enum entry_kind kind;
	unsigned scopes; /* 0: not given */
	struct config_network networks[TOKEN_NETWORKS_MAX];
	size_t network_count;
	char certificate[DIGEST_ROOM]; /* ""; or the digest to be let in */
	int64_t days;                  /* 0: for ever, or as the one before */
	int64_t overlap_ms;            /* < 0: not given */
};

/* Says what is wrong, with exit code COMMAND_USAGE. (token_request.c) */
int token_request_read(int count, char **arguments, struct token_request *request);

/* Each changes the roster and says what people must know; COMMAND_DONE: it is to be written. `ret_token` "": there is none to show. */
int token_add(const struct token_request *request, struct roster *roster, int64_t now_ms, char ret_token[TOKEN_ROOM]);
int token_rotate(const struct token_request *request, struct roster *roster, int64_t now_ms, char ret_token[TOKEN_ROOM]);
int token_revoke(const struct token_request *request, struct roster *roster);

#endif
