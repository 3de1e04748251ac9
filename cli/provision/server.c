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
#define SCOPE_LIMIT_MS 3000

int server_trust(const struct session *session, struct failure *err)
{
	trust_fini(session->trust);
	return trust_load(session, session->trust, err);
}

static bool is_same(const struct discovered *a, const struct discovered *b)
{
	return strcmp(a->address, b->address) == 0 && a->port == b->port && strcmp(a->pin, b->pin) == 0;
}

static char *url_of(const struct discovered *found)
{
	char *url = NULL;

	return asprintf(&url, "%s://%s:%u", found->scheme, found->address, found->port) < 0 ? NULL : url;
}

/* The first that has the key of our pin. What it announces is no more than a hint, as anybody can announce it. */
static const struct discovered *choose_pinned(const struct trust *trust, const struct discovered *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		AUTO(free_ptr) char *url = url_of(&found[i]);

		if (url && strcmp(found[i].scheme, "https") == 0 && discover_has_pin(trust->pin, found[i].pin) &&
		    trust_meets(trust, url))
			return &found[i];
	}
	return NULL;
}

static const struct discovered *no_server(size_t count, struct failure *err)
{
	(void)failure_set(err, EXIT_UNREACHABLE, "no_server",
			  "no server%s on this network; set PEP_SERVER_URL, or see that the server announces itself as _pep._tcp",
			  count ? " that has the key of our pin (PEP_PIN) is" : " was found");
	return NULL;
}

/* Without a pin: which of those that were found may be used. NULL: none, with *err filled. */
static const struct discovered *choose(const struct discovered *found, size_t count, bool trust, struct failure *err)
{
	if (!count)
		return no_server(count, err);
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
	found = pin ? choose_pinned(session->trust, list, count) : choose(list, count, trust, err);
	/* The first that announced our pin ended the search, and was somebody else: the others may still come. */
	if (pin && !found && count) {
		code = discover(at && at[0] ? at : NULL, NULL, discover_ms, list, &count, err);
		if (code != EXIT_OK)
			return code;
		found = choose_pinned(session->trust, list, count);
	}
	if (pin && !found)
		(void)no_server(count, err);
	if (!found)
		return err->exit_code;
	*ret_url = url_of(found);
	if (!*ret_url)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
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

/* One GET, not for long. EXIT_OK: a reply, of whatever status. */
static int look(const struct session *session, const struct settings *settings, const char *path, int64_t limit_ms,
		struct reply *ret_reply, struct failure *err)
{
	struct settings quick = *settings;
	struct request request = {.method = "GET", .path = path};

	*ret_reply = (struct reply){.records = -1};
	buffer_init(&ret_reply->body, 0);
	if (!path)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	if (quick.timeout_ms > limit_ms)
		quick.timeout_ms = limit_ms;
	return client_send(session, &quick, &request, ret_reply, err);
}

/* Whether the server would refuse us, whatever we ask for: a request for an identity that names no gateway. EXIT_OK: not, or not known. */
static int ask_scope(const struct session *session, const struct settings *settings, struct failure *err)
{
	AUTO(client_reply_fini) struct reply reply;
	struct failure ignored = {0};

	if (look(session, settings, "/v3/identity", SCOPE_LIMIT_MS, &reply, &ignored) != EXIT_OK ||
	    (reply.http_status != 401 && reply.http_status != 403))
		return EXIT_OK;
	return client_refused(&reply, "the server gives us no identities", err);
}

/* A serial number that has an identity gets another only with an operator's grant (docs/identity-life.md, rows 5 and 6). */
static void ask_record(const struct session *session, const struct settings *settings, const char *serial, struct server_view *view)
{
	AUTO(client_reply_fini) struct reply reply;
	AUTO(free_ptr) char *path = client_segment("/v3/identities/", serial);
	struct failure ignored = {0};
	json_t *record;
	const char *state;

	if (look(session, settings, path, PROBE_LIMIT_MS, &reply, &ignored) != EXIT_OK)
		return;
	/* The original server knows neither this path nor grants. */
	if (reply.http_status == 404)
		view->standing = SERVER_TAKEN;
	if (reply.http_status != 200)
		return;
	record = json_loadb(reply.body.data, reply.body.size, 0, NULL);
	state = json_string_value(json_object_get(record, "state"));
	if (json_object_get(record, "grant"))
		view->standing = SERVER_GRANTED;
	else if (state && (strcmp(state, "deployed") == 0 || strcmp(state, "retired") == 0))
		view->standing = SERVER_TAKEN;
	json_decref(record);
}

int server_probe(const struct session *session, const struct settings *settings, const char *serial, struct server_view *ret_view,
		 struct failure *err)
{
	AUTO(client_reply_fini) struct reply reply;
	AUTO(free_ptr) char *path = NULL;
	json_t *query = json_pack("{ss}", "serialNumber", serial);
	int code;

	*ret_view = (struct server_view){.standing = SERVER_UNKNOWN};
	path = query ? client_target("/v3/enrollment-id", query) : NULL;
	json_decref(query);
	code = look(session, settings, path, PROBE_LIMIT_MS, &reply, err);
	if (code != EXIT_OK)
		return code;
	if (reply.http_status == 200) {
		(void)snprintf(ret_view->enrollment_id, sizeof(ret_view->enrollment_id), "%s",
			       reply.body.size ? reply.body.data : "");
		ask_record(session, settings, serial, ret_view);
		return EXIT_OK;
	}
	/* Whether we may look it up is no matter here. */
	if (reply.http_status == 404 || (reply.http_status == 403 && reply.has_error)) {
		ret_view->standing = reply.http_status == 404 ? SERVER_NEW : SERVER_UNKNOWN;
		return reply.has_error ? ask_scope(session, settings, err) : EXIT_OK;
	}
	(void)client_refused(&reply, reply.http_status == 401 ? "the server does not let us in" : "the server cannot be asked",
			     err);
	/* A server on its way up, or what stands before one that is down. */
	err->retryable |= reply.http_status >= 500;
	return err->exit_code;
}
