/* SPDX-License-Identifier: Apache-2.0
 *
 * provision: one command that makes a gateway of a board. Nothing is changed before a server has answered; from the first change on every
 * step is on disk before the next, so that the same command goes on after a power cut.
 */
#include "cli/provision/run.h"

#include "cli/file.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/provision/install.h"
#include "core/base/cleanup.h"
#include "core/base/failpoint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#define SEARCH_AGAIN_MS 1000

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void run_fini(struct run *run)
{
	fcc_drop(&run->fcc);
	ask_fini(&run->ask);
	server_fini(&run->server);
	plan_fini(&run->plan);
	json_decref(run->warnings);
}

void run_step(const struct run *run, const char *step, const char *format, ...)
{
	AUTO(free_ptr) char *detail = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&detail, format, arguments) < 0)
		detail = NULL;
	va_end(arguments);
	print_note(run->session, "%s: %s", step, detail ? detail : "");
	print_event(run->session, json_pack("{ss, ss, ss, so}", "event", "step", "step", step, "state",
					    run->plan.lights.has_state ? lights_name(run->plan.lights.state) : "", "detail",
					    print_json_text(detail ? detail : "")));
}

void run_show(struct run *run, enum lights_state state, const struct failure *failure)
{
	struct lights_note note = {.serial = run->plan.facts.serial,
				   .enrollment_id = run->enrollment_id,
				   .code = failure ? failure->code : "",
				   .detail = failure ? failure->message : "",
				   .exit_code = failure ? failure->exit_code : EXIT_OK};

	lights_show(&run->plan.lights, state, &note);
}

/* One run at a time. The lock is the open folder; -1: *err is filled. */
static int lock_state(const struct plan *plan, struct failure *err)
{
	int fd;

	if (tree_make(&plan->state, err) != EXIT_OK)
		return -1;
	fd = tree_open(&plan->state);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	(void)failure_set(err, EXIT_OTHER, "busy", "another pep-cli provisions this gateway (%s is locked); wait for it",
			  plan->state_path);
	err->retryable = true;
	return -1;
}

void run_complete_facts(struct run *run)
{
	struct facts *facts = &run->plan.facts, read = *facts;
	const char *interface = session_named(run->session, "interface");

	server_route(&run->server, facts);
	facts_read_macs(run->plan.root, interface ? interface : facts->interface, &read);
	if (!facts->ethernet_mac[0])
		memcpy(facts->ethernet_mac, read.ethernet_mac, sizeof(facts->ethernet_mac));
	if (!facts->sixb_mac[0])
		memcpy(facts->sixb_mac, read.sixb_mac, sizeof(facts->sixb_mac));
}

int run_refuse(const struct run *run, const struct server_view *view, struct failure *err)
{
	const struct plan *plan = &run->plan;

	if (ask_was_there(&run->ask))
		return EXIT_OK;
	if (view->standing == SERVER_TAKEN)
		return failure_set(err, EXIT_EXISTS, "exists",
				   "serial %s has the identity %.110s at the server; an operator must grant it another, nothing "
				   "was changed here",
				   plan->facts.serial, view->enrollment_id);
	if (view->standing == SERVER_UNKNOWN && !plan->force && install_is_there(plan))
		return failure_set(err, EXIT_EXISTS, "exists",
				   "this gateway has an identity of serial %s (%s, not of this program), and our token may not ask "
				   "whether the "
				   "server would give another; use --force to ask for it, nothing was changed here",
				   plan->facts.serial, plan->identity_path);
	return EXIT_OK;
}

static int look_once(struct run *run, struct failure *err)
{
	struct settings settings = {0};
	struct server_view view;
	int code;

	server_fini(&run->server);
	code = server_choose(run->session, run->plan.trust_found, run->plan.discover_ms, &run->server, err);
	if (code == EXIT_OK)
		code = server_settings(&run->server, &settings, err);
	if (code == EXIT_OK)
		code = server_probe(run->session, &settings, run->plan.facts.serial, &view, err);
	if (code == EXIT_OK)
		code = run_refuse(run, &view, err);
	if (code == EXIT_OK)
		run_step(run, "find_server", "%s (%s)", settings.shown, run->server.source);
	settings_fini(&settings);
	return code;
}

static int find_server(struct run *run, struct failure *err)
{
	int64_t deadline_ms = now_ms() + run->plan.wait_ms;
	int code;

	for (;;) {
		code = look_once(run, err);
		if (code == EXIT_OK || !err->retryable || interrupt_signal())
			return code;
		if (!run->plan.lights.has_state || run->plan.lights.state != LIGHTS_NO_SERVER)
			run_step(run, "find_server", "%s", err->message);
		run_show(run, LIGHTS_NO_SERVER, err);
		if (now_ms() + SEARCH_AGAIN_MS > deadline_ms)
			return code;
		if (interrupt_wait(SEARCH_AGAIN_MS))
			return interrupt_failure(err);
		*err = (struct failure){0};
	}
}

/* From the reply to a gateway that is done. */
static int install(struct run *run, struct failure *err)
{
	const struct plan *plan = &run->plan;
	const struct buffer *body = &run->ask.reply.body;
	AUTO(free_ptr) char *text = NULL;
	json_t *reply = json_loadb(body->data, body->size, 0, NULL);
	int code;

	(void)snprintf(run->enrollment_id, sizeof(run->enrollment_id), "%s",
		       json_string_value(json_object_get(reply, "enrollmentID")));
	json_decref(reply);
	code = profile_make(&plan->profile, body->data, body->size, &text, err);
	if (code == EXIT_OK)
		code = install_credentials(plan, run->ask.reply.replayed, err);
	PEP_FAILPOINT("credentials");
	if (code == EXIT_OK)
		run_step(run, "install", "credentials in %s", plan->store_path);
	if (code == EXIT_OK)
		code = install_identity(plan, text, err);
	PEP_FAILPOINT("identity");
	if (code == EXIT_OK)
		run_step(run, "install", "%s", plan->identity_path);
	if (code == EXIT_OK)
		code = install_verify(plan, text, run->enrollment_id, run->warnings, &run->certificate, err);
	if (code == EXIT_OK)
		run_step(run, "verify", "%s",
			 run->certificate ? "identity.json, credentials, and the certificate of the enrollment identity"
					  : "identity.json and credentials");
	if (code == EXIT_OK)
		code = install_mark(plan, run->enrollment_id, err);
	PEP_FAILPOINT("marked");
	if (code == EXIT_OK)
		ask_accept(&run->ask);
	PEP_FAILPOINT("accepted");
	return code;
}

static int change_gateway(struct run *run, struct failure *err)
{
	struct failure ignored = {0};
	int code = services_hold(&run->plan.services, err);

	if (code == EXIT_OK && services_are_there(&run->plan.services))
		run_step(run, "service", "%s is stopped and masked", run->plan.services.name);
	PEP_FAILPOINT("held");
	if (code == EXIT_OK)
		code = attempt_run(run, err);
	if (code == EXIT_OK)
		code = install(run, err);
	/* Without credentials edge-core would make an identity of its own, so it stays away, unless nothing has happened to them. */
	if (code == EXIT_OK)
		return services_release(&run->plan.services, err);
	if (!run->cleared && !run->unfinished)
		(void)services_release(&run->plan.services, &ignored);
	return code;
}

/* Where FCC works, unless --fcc-dir says so. */
static int make_work_folder(struct run *run, struct failure *err)
{
	const struct plan *plan = &run->plan;
	AUTO(spot_fini) struct spot folder = {0};
	AUTO(free_ptr) char *rel = NULL;

	if (!plan->fcc || session_named(run->session, "fcc-dir"))
		return EXIT_OK;
	if (asprintf(&rel, "%s/" PLAN_FCC_FOLDER, plan->state.rel) < 0) {
		rel = NULL;
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	}
	if (!spot_make(plan->state.base, rel, &folder))
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return tree_make(&folder, err);
}

static int work(struct run *run, struct failure *err)
{
	int code = attempt_open(run, err);

	if (code != EXIT_OK)
		return code;
	/* With a note left there is something to go on with, be it only the sealing key. */
	if (!run->plan.force && !ask_was_there(&run->ask) && install_is_done(&run->plan, run->enrollment_id)) {
		run->already = true;
		run_step(run, "verify", "serial %s is provisioned already; --force does it again", run->plan.facts.serial);
		return services_release(&run->plan.services, err);
	}
	run_show(run, LIGHTS_SEARCHING, NULL);
	code = find_server(run, err);
	if (code != EXIT_OK)
		return code;
	run_complete_facts(run);
	run_show(run, LIGHTS_WORKING, NULL);
	run_step(run, "facts", "serial %s (%s), address %s %s, MAC %s", run->plan.facts.serial, run->plan.facts.serial_source,
		 run->plan.facts.address, run->plan.facts.interface,
		 run->plan.facts.ethernet_mac[0] ? run->plan.facts.ethernet_mac : "none");
	code = make_work_folder(run, err);
	/* A disk that cannot be written is found before anything is lost to it. */
	if (code == EXIT_OK)
		code = file_check(run->plan.mark_path, err);
	return code == EXIT_OK ? change_gateway(run, err) : code;
}

static int finish(struct run *run, struct failure *err)
{
	bool warned = json_array_size(run->warnings) > 0;
	AUTO(free_ptr) char *line = NULL;
	const char *text;
	int code = warned && run->plan.warn_exit ? EXIT_WARNINGS : EXIT_OK, printed;

	/* Failures on the way, an attempt before the last one, are past. */
	*err = (struct failure){0};
	for (size_t i = 0; (text = json_string_value(json_array_get(run->warnings, i))); i++)
		print_note(run->session, "warning: %s", text);
	if (asprintf(&line, "%s\n", run->enrollment_id) < 0)
		line = NULL;
	printed = print_result(run->session, line ? line : "", line ? strlen(line) : 0,
			       json_pack("{si, ss, ss, ss, sb, sb, sb, si, ss, ss, ss, sO}", "exit_code", code, "code",
					 code == EXIT_OK ? "ok" : "warnings", "serial", run->plan.facts.serial, "enrollment_id",
					 run->enrollment_id, "already", (int)run->already, "replayed", (int)run->ask.reply.replayed,
					 "certificate_seen", (int)run->certificate, "attempts", (int)run->attempts, "identity_file",
					 run->plan.identity_path, "store", run->plan.store_path, "request_id",
					 run->ask.reply.request_id, "warnings", run->warnings),
			       err);
	return printed == EXIT_OK ? code : printed;
}

static int provision(struct run *run, struct failure *err)
{
	AUTO(close_fd) int lock = lock_state(&run->plan, err);
	int code = lock < 0 ? err->exit_code : EXIT_OK;

	/* Whoever is at it shows how that goes. */
	if (code != EXIT_OK && strcmp(err->code, "busy") != 0)
		run_show(run, LIGHTS_FAIL, err);
	if (code != EXIT_OK)
		return code;
	install_sweep(&run->plan);
	code = work(run, err);
	fcc_drop(&run->fcc);
	if (code == EXIT_OK) {
		run_show(run, json_array_size(run->warnings) ? LIGHTS_WARN : LIGHTS_PASS, NULL);
		return finish(run, err);
	}
	run_show(run, code == EXIT_UNREACHABLE ? LIGHTS_NO_SERVER : LIGHTS_FAIL, err);
	return code;
}

int provision_run(struct session *session, struct failure *err)
{
	AUTO(run_fini) struct run run = {.session = session, .warnings = json_array()};
	int code = session_check(session, err);

	if (code == EXIT_OK)
		code = plan_make(session, &run.plan, err);
	if (code == EXIT_OK && !run.warnings)
		code = failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	if (code != EXIT_OK) {
		if (run.plan.lights.session && !run.plan.dry_run)
			run_show(&run, LIGHTS_FAIL, err);
		return code;
	}
	return run.plan.dry_run ? plan_show(&run, err) : provision(&run, err);
}
