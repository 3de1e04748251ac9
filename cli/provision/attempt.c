/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/run.h"

#include "cli/interrupt.h"
#include "cli/print.h"
#include "core/base/cleanup.h"
#include "core/base/failpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* FCC ends by itself when its session is over; then its files are whole. */
#define END_BY_ITSELF_MS 5000

const struct spot *attempt_place(const struct plan *plan, size_t index)
{
	if (index < plan->clear_count)
		return &plan->clears[index];
	index -= plan->clear_count;
	if (index == 0)
		return &plan->identity;
	if (index == 1)
		return &plan->store;
	/* What a client of somebody else holds is its own affair. */
	return index == 2 && plan->fcc ? &plan->pal : NULL;
}

static int check_places(const struct plan *plan, struct failure *err)
{
	const struct spot *place;
	int code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && (place = attempt_place(plan, i)); i++)
		code = tree_check(place, err);
	return code;
}

static int clear(struct run *run, struct failure *err)
{
	const struct plan *plan = &run->plan;
	const struct spot *place;
	bool was_there;
	int code = check_places(plan, err);

	if (code != EXIT_OK)
		return code;
	run->cleared = true;
	/* What says that all is well goes first. */
	if (unlink(plan->mark_path) != 0 && errno != ENOENT)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot remove %s: %s", plan->mark_path, strerror(errno));
	for (size_t i = 0; code == EXIT_OK && (place = attempt_place(plan, i)); i++) {
		PEP_FAILPOINT("clearing");
		was_there = false;
		code = tree_remove(place, &was_there, err);
		if (was_there)
			run_step(run, "clear", "removed %s/%s", place->base, place->rel);
	}
	PEP_FAILPOINT("cleared");
	return code;
}

/* "2,0,0" as [2, 0, 0]. NULL: out of memory. */
static json_t *numbers(const char *text)
{
	json_t *list = json_array();
	char *end;

	for (; list && *text; text = *end ? end + 1 : end)
		(void)json_array_append_new(list, json_integer(strtol(text, &end, 10)));
	return list;
}

int attempt_fields(const struct run *run, json_t **ret_fields, struct failure *err)
{
	const struct facts *facts = &run->plan.facts;
	json_t *fields = NULL;
	int code = session_fields(run->session, &fields, err), failed;

	if (code != EXIT_OK)
		return code;
	failed = json_object_set_new(fields, "serialNumber", json_string(facts->serial));
	if (facts->ethernet_mac[0])
		failed |= json_object_set_new(fields, "ethernetMAC", numbers(facts->ethernet_mac));
	if (facts->sixb_mac[0])
		failed |= json_object_set_new(fields, "sixBMAC", numbers(facts->sixb_mac));
	if (failed) {
		json_decref(fields);
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	}
	*ret_fields = fields;
	return EXIT_OK;
}

int attempt_open(struct run *run, struct failure *err)
{
	int code;

	ask_fini(&run->ask);
	run->ask = (struct ask){.session = run->session,
				.serial = run->plan.facts.serial,
				.folder = run->plan.state_path,
				.state_folder = run->plan.state_path,
				/* The server's address may be another one after a power cut. */
				.server_name = "",
				.interval =
					session_has(run->session, "generate-key") ? session_named(run->session, "interval") : NULL};
	code = run->server.url ? server_settings(&run->server, &run->ask.settings, err) : EXIT_OK;
	return code == EXIT_OK ? ask_open(&run->ask, err) : code;
}

static int start_fcc(struct run *run, struct failure *err)
{
	const struct plan *plan = &run->plan;
	const char *given = session_named(run->session, "interface");
	struct fcc_call call = {.program = plan->fcc,
				.folder = plan->fcc_folder,
				.interface = given ? given : plan->facts.interface,
				.log = plan->fcc_log,
				.limit_ms = plan->fcc_limit_ms};
	int code;

	if (!plan->fcc)
		return EXIT_OK;
	code = fcc_start(&call, &run->fcc, err);
	if (code == EXIT_OK)
		run_step(run, "fcc", "the client listens at %s:%s", fcc_address(run->fcc), fcc_port(run->fcc));
	return code;
}

/* Where the server finds the client: as told, as the client says, or as the way to the server leaves from here. */
static int set_address(struct run *run, struct failure *err)
{
	const char *said = run->fcc ? fcc_address(run->fcc) : "0.0.0.0", *port = run->fcc ? fcc_port(run->fcc) : run->plan.port;
	const char *ip = run->plan.ip ? run->plan.ip : strcmp(said, "0.0.0.0") != 0 ? said : run->plan.facts.address;

	if (!ip[0])
		return failure_set(err, EXIT_CONFIGURATION, "address",
				   "there is no way to the server, so no address of ours; give one with --ip");
	if (json_object_set_new(run->ask.fields, "ip", json_string(ip)) != 0 ||
	    json_object_set_new(run->ask.fields, "port", json_string(port)) != 0)
		return failure_set(err, EXIT_USAGE, "usage", "--ip or --port is no text in UTF-8");
	run_step(run, "request", "asks %s for the identity of %s at %s:%s", run->ask.settings.shown, run->plan.facts.serial, ip,
		 port);
	return EXIT_OK;
}

/* The request, from its note on. */
static int ask_once(struct run *run, struct failure *err)
{
	json_t *fields = NULL;
	int code = attempt_fields(run, &fields, err);

	if (code == EXIT_OK)
		code = ask_prepare(&run->ask, fields, err);
	PEP_FAILPOINT("noted");
	if (code == EXIT_OK)
		code = start_fcc(run, err);
	PEP_FAILPOINT("fcc_started");
	if (code == EXIT_OK)
		code = set_address(run, err);
	if (code == EXIT_OK)
		code = ask_exchange(&run->ask, err);
	PEP_FAILPOINT("answered");
	/* One that was not written to would wait for ever. */
	fcc_stop(&run->fcc, code == EXIT_OK && !run->ask.reply.replayed ? END_BY_ITSELF_MS : 0);
	return code;
}

static int try_once(struct run *run, struct failure *err)
{
	int code = attempt_open(run, err);

	if (code != EXIT_OK)
		return code;
	if (run->attempts == 1)
		run->unfinished = ask_was_there(&run->ask);
	if (run->attempts == 1 && run->unfinished)
		run_step(run, "clear", "an earlier request was left unfinished here; this goes on with it and clears nothing");
	else if (run->attempts == 1)
		code = clear(run, err);
	return code == EXIT_OK ? ask_once(run, err) : code;
}

static bool may_try_again(const struct run *run, const struct failure *failure)
{
	if (run->attempts >= run->plan.attempts || interrupt_signal())
		return false;
	/* A client that has refused serves nobody else; a new one, on an empty store, may well accept. Without a program there is none. */
	return failure->retryable || (strcmp(failure->code, "gateway_refused") == 0 && run->plan.fcc);
}

/* The server's words about a gateway are few, as the old ones were; the client itself may have said more. */
static void name_the_log(const struct run *run, struct failure *failure)
{
	size_t size = strlen(failure->message);

	if (run->plan.fcc && (strncmp(failure->code, "gateway_", 8) == 0 || strcmp(failure->code, "in_doubt") == 0))
		(void)snprintf(failure->message + size, sizeof(failure->message) - size, "; what the client said is in %.300s",
			       run->plan.fcc_log);
}

int attempt_run(struct run *run, struct failure *err)
{
	int code;

	for (;;) {
		run->attempts++;
		code = try_once(run, err);
		if (code != EXIT_OK)
			name_the_log(run, err);
		if (code == EXIT_OK || !may_try_again(run, err))
			return code;
		if (err->exit_code == EXIT_UNREACHABLE)
			run_show(run, LIGHTS_NO_SERVER, err);
		run_step(run, "retry", "attempt %u of %u failed: %s", run->attempts, run->plan.attempts, err->message);
		if (interrupt_wait(run->plan.retry_ms))
			return interrupt_failure(err);
		run_show(run, LIGHTS_WORKING, NULL);
		*err = (struct failure){0};
	}
}
