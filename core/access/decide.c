/* SPDX-License-Identifier: Apache-2.0
 *
 * decide.c - one request: who is it, and may he?
 */
#include "core/access/access.h"
#include "core/access/state.h"
#include "core/config/network.h"

#include <stdio.h>
#include <string.h>

/* What stations do; also whoever has a certificate while no file of tokens says what each may do. */
#define STATION_SCOPES ((unsigned)SCOPE_PROVISION | (unsigned)SCOPE_READ)

struct question {
	const struct access_caller *caller;
	enum http_scope scope;
	bool has_address;
	unsigned char address[16];
	unsigned char key[LIMITER_KEY_SIZE]; /* whose requests are counted */
};

/* Who has one IPv6 address has 2^64 of them. */
static void set_address(struct question *question, const char *peer)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	question->has_address = network_address(peer, question->address);
	if (!question->has_address)
		return;
	memcpy(question->key, question->address, sizeof(question->key));
	if (memcmp(question->key, mapped, sizeof(mapped)) != 0)
		memset(question->key + 8, 0, 8);
}

static enum access_verdict judge(const struct access_entry *entry, const struct question *question)
{
	if (entry->expires_ms && question->caller->now_ms >= entry->expires_ms)
		return ACCESS_EXPIRED;
	if (entry->network_count &&
	    !(question->has_address && network_contains(entry->networks, entry->network_count, question->address)))
		return ACCESS_ELSEWHERE;
	return entry->scopes & question->scope ? ACCESS_GRANTED : ACCESS_NOT_ALLOWED;
}

static enum access_verdict find_entry(const struct roster *roster, const char *digest, bool is_certificate,
				      struct question *question, struct access_decision *decision)
{
	const struct access_entry *entry = roster_find(roster, digest, is_certificate);
	enum access_verdict verdict;

	if (!entry)
		return ACCESS_UNKNOWN;
	verdict = judge(entry, question);
	memcpy(decision->id, entry->id, sizeof(decision->id));
	if (verdict != ACCESS_GRANTED && verdict != ACCESS_NOT_ALLOWED)
		return verdict;
	memcpy(decision->actor, entry->name, sizeof(decision->actor));
	decision->is_station = entry->kind == ENTRY_STATION;
	memcpy(question->key, entry->digest, sizeof(question->key));
	return verdict;
}

/* No file says what this certificate may do: it is a station's, by the name in it. */
static enum access_verdict take_certificate(struct question *question, struct access_decision *decision)
{
	const struct access_caller *caller = question->caller;

	(void)snprintf(decision->id, sizeof(decision->id), "crt_%.8s", caller->certificate_sha256);
	if (caller->certificate_name && entry_is_name(caller->certificate_name))
		(void)snprintf(decision->actor, sizeof(decision->actor), "%s", caller->certificate_name);
	else
		memcpy(decision->actor, decision->id, sizeof(decision->id));
	decision->is_station = true;
	memcpy(question->key, caller->certificate_sha256, sizeof(question->key));
	return question->scope & STATION_SCOPES ? ACCESS_GRANTED : ACCESS_NOT_ALLOWED;
}

static enum access_verdict identify(struct access *access, struct question *question, struct access_decision *decision)
{
	const struct access_caller *caller = question->caller;
	enum access_verdict verdict = ACCESS_UNKNOWN;
	char digest[DIGEST_ROOM];
	size_t size = 0;
	const char *token;

	if (!caller->authorization && !caller->certificate_sha256)
		return ACCESS_MISSING;
	if (caller->authorization) {
		token = token_in_header(caller->authorization, &size);
		token_digest(token ? token : "", size, digest); /* whatever it is, it costs as much */
	} else {
		(void)snprintf(digest, sizeof(digest), "%s", caller->certificate_sha256);
	}
	(void)pthread_rwlock_rdlock(&access->lock);
	if (access->roster)
		verdict = find_entry(access->roster, digest, !caller->authorization, question, decision);
	else if (!caller->authorization)
		verdict = take_certificate(question, decision);
	(void)pthread_rwlock_unlock(&access->lock);
	return verdict;
}

static bool is_anonymous_station(const struct config *config, const struct question *question)
{
	return config->anonymous_provision && question->scope == SCOPE_PROVISION && question->has_address &&
	       network_contains(config->anonymous_networks, config->anonymous_network_count, question->address);
}

/* A page of somebody else's in a browser near us has no token, so it could do what needs none. */
static enum access_verdict without_token(const struct question *question)
{
	const unsigned changing = (unsigned)SCOPE_PROVISION | (unsigned)SCOPE_OPERATE;

	return question->caller->is_cross_site && question->scope & changing ? ACCESS_CROSS_SITE : ACCESS_GRANTED;
}

static struct limiter *limiter_of(const struct access *access, enum access_verdict verdict)
{
	bool is_failure = verdict == ACCESS_UNKNOWN || verdict == ACCESS_EXPIRED || verdict == ACCESS_ELSEWHERE;

	return is_failure ? access->failures : access->rate;
}

void access_decide(struct access *access, const struct access_caller *caller, enum http_scope scope,
		   struct access_decision *ret_decision)
{
	struct question question = {.caller = caller, .scope = scope};
	struct access_decision decision = {.verdict = ACCESS_GRANTED, .actor = "anonymous"};
	struct limiter *limiter;

	if (!access->is_closed) {
		*ret_decision = (struct access_decision){.verdict = without_token(&question), .actor = "local"};
		return;
	}
	set_address(&question, caller->peer);
	if (scope != SCOPE_OPEN)
		decision.verdict = identify(access, &question, &decision);
	if (decision.verdict == ACCESS_MISSING && is_anonymous_station(access->config, &question))
		decision.verdict = without_token(&question);
	limiter = limiter_of(access, decision.verdict);
	if (limiter && !limiter_take(limiter, question.key, caller->now_boot_ms, &decision.wait_s))
		decision.verdict = ACCESS_TOO_MANY;
	*ret_decision = decision;
}
