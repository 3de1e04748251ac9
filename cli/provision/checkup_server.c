/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/checkup.h"

#include "cli/client.h"
#include "cli/provision/install.h"
#include "cli/provision/server.h"
#include "core/base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* FCC takes a certificate that becomes valid within a minute; one that is not valid yet by more is only a warning of it, but TLS refuses. */
#define SKEW_GOOD_S 60
#define SKEW_BAD_S 86400
#define LIMIT_MS 10000

static void check_clock(struct checkup *checkup, const struct reply *reply)
{
	long long skew = reply->date_s ? (long long)time(NULL) - reply->date_s : 0, size = skew < 0 ? -skew : skew;

	if (!reply->date_s)
		return;
	checkup_add(checkup, "clock",
		    size > SKEW_BAD_S    ? CHECKUP_FAIL
		    : size > SKEW_GOOD_S ? CHECKUP_WARN
					 : CHECKUP_OK,
		    size > SKEW_GOOD_S ? "set the clock: turn time synchronisation on in the image" : NULL,
		    "%lld s %s the server's", size, skew < 0 ? "behind" : "ahead of");
}

static void check_token(struct checkup *checkup, const struct reply *reply)
{
	if (reply->http_status == 401)
		checkup_add(checkup, "token", CHECKUP_FAIL,
			    "set PEP_TOKEN_FILE to a token of pep-server token add --scope provision",
			    "the server does not know us (HTTP 401)");
	else if (reply->http_status == 403)
		checkup_add(checkup, "token", CHECKUP_OK, NULL, "known to the server; it may not look serials up");
	else if (reply->http_status >= 500)
		checkup_add(checkup, "server", CHECKUP_WARN, "run pep-server doctor there", "the server answers HTTP %ld %s",
			    reply->http_status, reply->error);
	else
		checkup_add(checkup, "token", CHECKUP_OK, NULL, "the server lets us ask (HTTP %ld)", reply->http_status);
}

/* What provision will be told before it changes anything. */
static void check_record(struct checkup *checkup, const struct plan *plan, const struct settings *settings)
{
	struct failure failure = {0};
	struct server_view view;
	char done[128];

	if (!plan->facts.serial[0])
		return;
	if (server_probe(plan->session, settings, plan->facts.serial, &view, &failure) != EXIT_OK)
		checkup_add(checkup, "scope", CHECKUP_FAIL, "use a token of pep-server token add with --scope provision", "%s",
			    failure.message);
	else if (view.standing == SERVER_TAKEN && !install_is_done(plan, done))
		checkup_add(checkup, "record", CHECKUP_WARN, "if it is to have another, an operator runs pep-cli reprovision",
			    "the serial has the identity %s", view.enrollment_id);
	else if (view.standing != SERVER_UNKNOWN)
		checkup_add(checkup, "record", CHECKUP_OK, NULL, "the serial has %s",
			    view.standing == SERVER_NEW     ? "no identity yet"
			    : view.standing == SERVER_TAKEN ? view.enrollment_id
							    : "the grant of another identity");
}

static void ask(struct checkup *checkup, const struct plan *plan, const struct settings *settings)
{
	const char *serial = plan->facts.serial[0] ? plan->facts.serial : "doctor";
	AUTO(client_reply_fini) struct reply reply = {0};
	AUTO(free_ptr) char *path = NULL;
	json_t *query = json_pack("{ss}", "serialNumber", serial);
	struct request request = {.method = "GET"};
	struct settings quick = *settings;
	struct failure failure = {0};

	path = query ? client_target("/v3/enrollment-id", query) : NULL;
	json_decref(query);
	if (!path)
		return;
	request.path = path;
	quick.timeout_ms = quick.timeout_ms < LIMIT_MS ? quick.timeout_ms : LIMIT_MS;
	if (client_send(plan->session, &quick, &request, &reply, &failure) != EXIT_OK) {
		checkup_add(checkup, "server", CHECKUP_FAIL,
			    "see that it runs, that the cable is in, and that address and pin are right", "%s", failure.message);
		return;
	}
	checkup_add(checkup, "server", CHECKUP_OK, NULL, "%s answers", settings->shown);
	check_clock(checkup, &reply);
	check_token(checkup, &reply);
	if (reply.http_status != 401 && reply.http_status < 500)
		check_record(checkup, plan, settings);
}

static void check_interface(struct checkup *checkup, const struct plan *plan)
{
	const char *given = session_named(plan->session, "interface"), *name = given ? given : plan->facts.interface;
	AUTO(free_ptr) char *path = NULL;
	AUTO(close_fd) int fd = -1;
	char state[16] = "";
	ssize_t size;

	if (!name[0]) {
		checkup_add(checkup, "interface", CHECKUP_FAIL, "plug the cable in, and see that it gets an address",
			    "there is no way to the server's network");
		return;
	}
	if (asprintf(&path, "%s/sys/class/net/%.31s/operstate", plan->root, name) < 0) {
		path = NULL;
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd >= 0 ? read(fd, state, sizeof(state) - 1) : 0;
	state[size > 0 ? strcspn(state, "\n") : 0] = '\0';
	/* The loopback does not know. */
	if (strcmp(state, "down") == 0 || strcmp(state, "lowerlayerdown") == 0)
		checkup_add(checkup, "interface", CHECKUP_FAIL, "plug the cable in", "%s is %s", name, state);
	else
		checkup_add(checkup, "interface", CHECKUP_OK, NULL, "%s %s %s", name, plan->facts.address, state);
}

void checkup_server(struct checkup *checkup, struct plan *plan)
{
	AUTO(server_fini) struct server_choice server = {.url = NULL};
	AUTO(settings_fini) struct settings settings = {0};
	struct failure failure = {0};
	int code = server_choose(plan->session, plan->trust_found, plan->discover_ms, &server, &failure);

	if (code == EXIT_OK)
		code = server_settings(&server, &settings, &failure);
	if (code != EXIT_OK) {
		checkup_add(checkup, "server", CHECKUP_FAIL, "set PEP_SERVER_URL, or PEP_PIN where the server announces itself",
			    "%s", failure.message);
		return;
	}
	server_route(&server, &plan->facts);
	check_interface(checkup, plan);
	ask(checkup, plan, &settings);
}
