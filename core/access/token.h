/* SPDX-License-Identifier: Apache-2.0
 *
 * token.h - a bearer token (RFC 6750): pep_ID_SECRET. Programs that look for leaked secrets find it by its form,
 * pep_[0-9a-f]{8}_[0-9a-f]{64}. The part in front of the secret is no secret: it is how people and logs call the token. [any thread]
 */
#ifndef CORE_ACCESS_TOKEN_H
#define CORE_ACCESS_TOKEN_H

#include <stddef.h>

#define TOKEN_ROOM 78    /* bytes of a token and a NUL */
#define TOKEN_ID_ROOM 13 /* "pep_" and 8 hex digits and a NUL; "crt_" for a certificate */
#define TOKEN_LIMIT 256u /* bytes that are looked at of what somebody presents */
#define DIGEST_ROOM 65   /* SHA-256 as lower-case hex digits and a NUL */

/* 256 random bits from the kernel, which are only here: the caller shows them once and wipes them. */
void token_make(char ret_token[TOKEN_ROOM], char ret_id[TOKEN_ID_ROOM]);
/* What is kept of a token. A digest without salt is enough: nobody can try 2^256 of them. */
void token_digest(const char *token, size_t size, char ret_digest[DIGEST_ROOM]);
/* The token in an Authorization header: "Bearer TOKEN", the scheme in any case. NULL: there is none. */
const char *token_in_header(const char *authorization, size_t *ret_size);

#endif
