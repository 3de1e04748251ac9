/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/token.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ID_SIZE 4u /* random bytes */
#define SECRET_SIZE 32u

void token_make(char ret_token[TOKEN_ROOM], char ret_id[TOKEN_ID_ROOM])
{
	char id[2 * ID_SIZE + 1], secret[2 * SECRET_SIZE + 1];

	text_random(ID_SIZE, id);
	text_random(SECRET_SIZE, secret);
	(void)snprintf(ret_id, TOKEN_ID_ROOM, "pep_%s", id);
	(void)snprintf(ret_token, TOKEN_ROOM, "pep_%s_%s", id, secret);
	explicit_bzero(secret, sizeof(secret));
}

void token_digest(const char *token, size_t size, char ret_digest[DIGEST_ROOM])
{
	text_sha256(token, size, ret_digest);
}

const char *token_in_header(const char *authorization, size_t *ret_size)
{
	static const char scheme[] = "Bearer ";
	const char *token;
	size_t size;

	if (!authorization || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	token = authorization + sizeof(scheme) - 1;
	token += strspn(token, " ");
	size = strlen(token);
	while (size && (token[size - 1] == ' ' || token[size - 1] == '\t'))
		size--;
	if (!size || size > TOKEN_LIMIT)
		return NULL;
	*ret_size = size;
	return token;
}
