/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/server.h"

#include "cli/client.h"
#include "cli/provision/discover.h"
#include "cli/trust.h"
#include "core/base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_LIMIT_MS 10000

int server_trust(const struct session *session, struct failure *err)
{
	trust_fini(session->trust);
	return trust_load(session, session->trust, err);
}

static bool is_same(const struct discovered *a, const struct discovered *b)
{
	return strcmp(a->address, b->address) == 0 && a->port == b->port && strcmp(a->pin, b->pin) == 0;
}

/* Which of those that were found may be used. NULL: none, with *err filled. */
static const struct discovered *choose(const struct discovered *found, size_t count, const char *pin, bool trust,
				       struct failure *err)
{
	for (size_t i = 0; pin && i < count; i++)
		if (discover_has_pin(pin, found[i].pin))
			return &found[i];
	if (!count || pin) {
		(void)failure_set(
			err, EXIT_UNREACHABLE, "no_server",
			"no server%s on this network; set PEP_SERVER_URL, or see that the server announces itself as _pep._tcp",
			count ? " with our pin (PEP_PIN) is" : " was found");
		return NULL;
	}
	if (!trust) {
		(void)failure_set(err, EXIT_CONFIGURATION, "untrusted_server",
				  "found the server %.100s at %s:%u, but nothing says that it may be trusted; set PEP_PIN to its "
				  "pin (it says "
				  "%s), or use --trust-found on a network of your own",
				  found[0].name, found[0].address, found[0].port, found[0].pin[0] ? found[0].pin : "none");
		return NULL;
	}
	for (size_t i = 1; i < count; i++)
		if (!is_same(&found[0], &found[i])) {
			(void)failure_set(err, EXIT_CONFIGURATION, "untrusted_server",
					  "found several servers (%.100s, %.100s); set PEP_PIN or PEP_SERVER_URL", found[0].name,
					  found[i].name);
			return NULL;
		}
	return found;
}

static int search(const struct session *session, bool trust, int64_t discover_ms, struct server_choice *choice, char **ret_url,
		  struct failure *err)
{
	struct discovered list[DISCOVER_MAX];
	const struct discovered *found;
	const char *pin = session->trust->pin, *at = getenv("PEP_MDNS");
	size_t count = 0;
	int code = discover(at && at[0] ? at : NULL, pin, discover_ms, list, &count, err);

	if (code != EXIT_OK)
		return code;
	found = choose(list, count, pin, trust, err);
	if (!found)
		return err->exit_code;
	if (asprintf(ret_url, "%s://%s:%u", found->scheme, found->address, found->port) < 0) {
		*ret_url = NULL;
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	}
	(void)snprintf(choice->source, sizeof(choice->source), "found on the network: %.250s", found->name);
	if (pin || !found->pin[0])
		return EXIT_OK;
	/* The certificate must have it from here on, whoever answers. */
	if (setenv("PEP_PIN", found->pin, 1) != 0)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return server_trust(session, err);
}

int server_choose(const struct session *session, bool trust_found, int64_t discover_ms, struct server_choice *ret_choice,
		  struct failure *err)
{
	const char *given = session_named(session, "server"), *set = getenv("PEP_SERVER_URL");

	*ret_choice = (struct server_choice){.source = "--server"};
	if (!given && !(set && set[0]))
		return search(session, trust_found, discover_ms, ret_choice, &ret_choice->url, err);
	if (!given)
		(void)snprintf(ret_choice->source, sizeof(ret_choice->source), "PEP_SERVER_URL");
	ret_choice->url = strdup(given ? given : set);
	return ret_choice->url ? EXIT_OK : failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
}

void server_fini(struct server_choice *choice)
{
	free(choice->url);
	choice->url = NULL;
}

int server_settings(const struct server_choice *choice, struct settings *ret_settings, struct failure *err)
{
	return settings_load(choice->url, getenv("PEP_TIMEOUT"), ret_settings, err);
}

void server_route(const struct server_choice *choice, struct facts *facts)
{
	CURLU *url = curl_url();
	char *host = NULL, *port = NULL;
	size_t size;

	if (url && curl_url_set(url, CURLUPART_URL, choice->url, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
		size = strlen(host);
		/* IPv6 stands in brackets. */
		if (host[0] == '[' && size > 2)
			host[size - 1] = '\0';
		(void)facts_read_address(host + (host[0] == '['), port, facts);
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
}

int server_probe(const struct session *session, const struct settings *settings, const char *serial, struct failure *err)
{
	struct settings quick = *settings;
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_ptr) char *path = NULL;
	json_t *query = json_pack("{ss}", "serialNumber", serial);
	struct request request = {.method = "GET"};
	int code;

	path = query ? client_target("/v3/enrollment-id", query) : NULL;
	json_decref(query);
	if (!path)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	request.path = path;
	if (quick.timeout_ms > PROBE_LIMIT_MS)
		quick.timeout_ms = PROBE_LIMIT_MS;
	code = client_send(session, &quick, &request, &reply, err);
	if (code != EXIT_OK)
		return code;
	/* Whether it knows the serial, or lets us ask that, is no matter here; that it knows our token is. */
	return reply.http_status == 401 ? client_refused(&reply, "the server does not let us in", err) : EXIT_OK;
}
