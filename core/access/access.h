/* SPDX-License-Identifier: Apache-2.0
 *
 * access.h - who may do what: decides about each request from who sends it, and from the file of tokens. docs/security.md has the rules.
 */
#ifndef CORE_ACCESS_ACCESS_H
#define CORE_ACCESS_ACCESS_H

#include "core/access/entry.h"
#include "core/config/config.h"
#include "core/http/router.h"

struct access;
struct audit;

/* What is known of who asks. */
struct access_caller {
	const char *peer;               /* numeric address */
	const char *authorization;      /* the header; NULL: none */
	const char *certificate_sha256; /* of the client certificate that TLS has verified, lower-case hex; NULL: none */
	const char *certificate_name;   /* the common name in it; NULL: none */
	bool is_cross_site;             /* a browser sends it for a page of somebody else's */
	int64_t now_ms;                 /* clock_wall_ms() */
	int64_t now_boot_ms;            /* clock_boot_ms() */
};

enum access_verdict {
	ACCESS_GRANTED,
	ACCESS_MISSING,     /* 401: neither token nor certificate */
	ACCESS_UNKNOWN,     /* 401: the token, or the certificate, is not in the file */
	ACCESS_EXPIRED,     /* 401 */
	ACCESS_ELSEWHERE,   /* 403: not from this address */
	ACCESS_NOT_ALLOWED, /* 403: it lacks the scope */
	ACCESS_CROSS_SITE,  /* 403 */
	ACCESS_TOO_MANY,    /* 429 */
};

struct access_decision {
	enum access_verdict verdict;
	char actor[ENTRY_NAME_ROOM]; /* a name, "local" or "anonymous" */
	char id[TOKEN_ID_ROOM];      /* of the entry, for the log; "": none */
	bool is_station;             /* actor is a station's name */
	unsigned wait_s;             /* of ACCESS_TOO_MANY */
};

/* Does the server listen on loopback, where only processes of its own machine get to? [any thread] */
bool access_is_local(const struct config *config);
/* Is it clear who may come in? Otherwise a message with what to do. Reads the file of tokens, too. [any thread] */
pep_status access_check(const struct config *config, struct pep_error *err);
/* Where the file of tokens is, for free(); NULL: none is configured, or out of memory. [any thread] */
char *access_path(const struct config *config);
/* Reads the file of tokens; the configuration is borrowed until access_close(). Says in the log who is let in without a token.
 * [main thread] */
pep_status access_open(const struct config *config, struct access **ret_access, struct pep_error *err);
/* NULL is fine. */
void access_close(struct access *access);

/* Read the file of tokens again. Each entry that has come or gone is audited; then the new file is in force for every request that
 * begins. Not PEP_OK: all stays as it was. [main thread] */
pep_status access_reload(struct access *access, struct audit *audit, struct pep_error *err);

/* May the caller do what needs `scope`? [any thread] */
void access_decide(struct access *access, const struct access_caller *caller, enum http_scope scope,
		   struct access_decision *ret_decision);

#endif
