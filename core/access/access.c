/* SPDX-License-Identifier: Apache-2.0
 *
 * access.c - from the configuration to who is let in, at start and when told to look again.
 */
#include "core/access/access.h"

#include "core/access/scope.h"
#include "core/access/state.h"
#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/config/network.h"
#include "core/service/audit.h"

#include <string.h>

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading who is let in");
}

/* 127.0.0.0/8 and ::1: nobody but processes of this machine gets there. */
bool access_is_local(const struct config *config)
{
	static const char *const texts[] = {"127.0.0.0/8", "::1"};
	struct config_network networks[2];
	unsigned char address[16];
	const char *why;

	for (size_t i = 0; i < 2; i++)
		if (!network_read(texts[i], &networks[i], &why))
			return false;
	return network_address(config->listen, address) && network_contains(networks, 2, address);
}

static bool is_closed(const struct config *config)
{
	return config->access_tokens || config->tls_client_ca || !access_is_local(config);
}

static pep_status make_path(const struct config *config, char **ret_path, struct pep_error *err)
{
	const char *path = config->access_tokens;
	bool is_whole = path[0] == '/';

	if (asprintf(ret_path, "%s%s%s", is_whole ? "" : config->data_dir, is_whole ? "" : "/", path) < 0) {
		*ret_path = NULL;
		return no_memory(err);
	}
	return PEP_OK;
}

char *access_path(const struct config *config)
{
	struct pep_error ignored;
	char *path = NULL;

	return config->access_tokens && make_path(config, &path, &ignored) == PEP_OK ? path : NULL;
}

static pep_status check_ways_in(const struct config *config, struct pep_error *err)
{
	if (access_is_local(config) || config->access_tokens || config->tls_client_ca || config->anonymous_provision)
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, 0,
			"server.listen %s lets others in, and nothing says who: name a file of tokens in access.tokens (pep-server "
			"token add "
			"makes it), or an authority of client certificates in tls.client_ca, or the networks that need neither in "
			"access.anonymous_networks, with access.anonymous_provision: true; or listen on 127.0.0.1",
			config->listen);
}

/* In capitals: nobody shall be able to say that he did not see it. */
static void log_anonymous(const struct config *config)
{
	char text[64];

	for (size_t i = 0; i < config->anonymous_network_count; i++) {
		network_write(&config->anonymous_networks[i], text);
		log_event(LOG_WARNING,
			  "ANYBODY IN THIS NETWORK MAY HAVE GATEWAYS PROVISIONED, WITHOUT A TOKEN (access.anonymous_provision)",
			  LOG_TEXT("network", text));
	}
}

pep_status access_check(const struct config *config, struct pep_error *err)
{
	AUTO(free_ptr) char *path = NULL;
	struct roster *roster = NULL;
	pep_status status = check_ways_in(config, err);

	if (status == PEP_OK && config->access_tokens)
		status = make_path(config, &path, err);
	if (status == PEP_OK && path)
		status = roster_read(path, &roster, err);
	roster_free(roster);
	return status;
}

static void init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	(void)pthread_rwlockattr_init(&attributes);
	/* A reload must not wait for a moment without requests. */
	(void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	(void)pthread_rwlock_init(lock, &attributes);
	(void)pthread_rwlockattr_destroy(&attributes);
}

static pep_status open_parts(struct access *access, struct pep_error *err)
{
	const struct config *config = access->config;
	pep_status status = check_ways_in(config, err);

	access->is_closed = is_closed(config);
	access->failures = limiter_new(config->failures_per_minute, config->failures_per_minute);
	if (config->requests_per_second)
		access->rate = limiter_new((uint64_t)config->requests_per_second * 60, config->request_burst);
	if (status == PEP_OK && (!access->failures || (config->requests_per_second && !access->rate)))
		return no_memory(err);
	if (status == PEP_OK && config->access_tokens)
		status = make_path(config, &access->path, err);
	if (status == PEP_OK && access->path)
		status = roster_read(access->path, &access->roster, err);
	return status;
}

pep_status access_open(const struct config *config, struct access **ret_access, struct pep_error *err)
{
	struct access *access = calloc(1, sizeof(*access));
	pep_status status;

	if (!access)
		return no_memory(err);
	access->config = config;
	init_lock(&access->lock);
	status = open_parts(access, err);
	if (status != PEP_OK) {
		access_close(access);
		return status;
	}
	if (access->is_closed && config->anonymous_provision)
		log_anonymous(config);
	*ret_access = access;
	return PEP_OK;
}

void access_close(struct access *access)
{
	if (!access)
		return;
	(void)pthread_rwlock_destroy(&access->lock);
	limiter_free(access->rate);
	limiter_free(access->failures);
	roster_free(access->roster);
	free(access->path);
	free(access);
}

/* --- reload --- */

/* Is it in the other one, just the same? Networks count, too: both are written as the file has them. */
static bool has_same(const struct roster *roster, const struct access_entry *entry)
{
	AUTO(buffer_fini) struct buffer one = {.limit = 65536};
	AUTO(buffer_fini) struct buffer other = {.limit = 65536};
	const struct access_entry *found = roster_find(roster, entry->digest, entry->is_certificate);

	if (!found)
		return false;
	entry_write(&one, entry);
	entry_write(&other, found);
	return !one.failed && !other.failed && one.size == other.size && memcmp(one.data, other.data, one.size) == 0;
}

static pep_status tell(struct audit *audit, const char *event, const struct access_entry *entry, struct pep_error *err)
{
	char scopes[SCOPE_LIST_ROOM];

	scope_write_list(entry->scopes, scopes);
	log_event(LOG_NOTICE, event, LOG_TEXT("name", entry->name), LOG_TEXT("id", entry->id), LOG_TEXT("scopes", scopes));
	return audit_append(audit,
			    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "event", event, "actor", "server", "name", entry->name,
				      "id", entry->id, "kind", entry->kind == ENTRY_STATION ? "station" : "person", "scopes",
				      scopes),
			    err);
}

static pep_status tell_difference(struct audit *audit, const struct roster *old, const struct roster *new, struct pep_error *err)
{
	pep_status status = PEP_OK;

	for (size_t i = 0; status == PEP_OK && i < old->count; i++)
		if (!has_same(new, &old->entries[i]))
			status = tell(audit, "token_revoke", &old->entries[i], err);
	for (size_t i = 0; status == PEP_OK && i < new->count; i++)
		if (!has_same(old, &new->entries[i]))
			status = tell(audit, "token_add", &new->entries[i], err);
	return status;
}

pep_status access_reload(struct access *access, struct audit *audit, struct pep_error *err)
{
	struct roster *roster = NULL;
	pep_status status = access->path ? roster_read(access->path, &roster, err) : PEP_OK;

	if (status != PEP_OK || !roster)
		return status;
	/* Only this thread changes it, so it may read it. */
	status = tell_difference(audit, access->roster, roster, err);
	if (status == PEP_OK) {
		struct roster *old = access->roster;

		(void)pthread_rwlock_wrlock(&access->lock);
		access->roster = roster;
		(void)pthread_rwlock_unlock(&access->lock);
		roster = old;
	}
	roster_free(roster);
	return status;
}
