/* SPDX-License-Identifier: Apache-2.0
 *
 * --dry-run: what would be done, in the order in which it would be done. Reads only: the server is asked what it thinks, no client is.
 */
#include "cli/provision/run.h"

#include "cli/print.h"
#include "cli/provision/install.h"
#include "core/base/buffer.h"
#include "core/base/cleanup.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#define PLAN_LIMIT ((size_t)64 << 10)

struct draft {
	struct buffer text;
	json_t *steps; /* array */
};

static void draft_fini(struct draft *draft)
{
	buffer_fini(&draft->text);
	json_decref(draft->steps);
}

__attribute__((format(printf, 3, 4))) static void add(struct draft *draft, const char *step, const char *format, ...)
{
	AUTO(free_ptr) char *detail = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&detail, format, arguments) < 0)
		detail = NULL;
	va_end(arguments);
	buffer_format(&draft->text, "%-12s %s\n", step, detail ? detail : "");
	(void)json_array_append_new(draft->steps,
				    json_pack("{ss, so}", "step", step, "detail", print_json_text(detail ? detail : "")));
}

static int add_clearing(struct draft *draft, struct run *run, struct failure *err)
{
	const struct spot *place;
	int code = attempt_open(run, err);

	if (code != EXIT_OK)
		return code;
	if (ask_was_there(&run->ask)) {
		add(draft, "clear", "nothing: an earlier request was left unfinished, this would go on with it");
		return EXIT_OK;
	}
	for (size_t i = 0; (place = attempt_place(&run->plan, i)); i++) {
		AUTO(free_ptr) char *path = spot_path(place);
		struct stat status;

		code = tree_check(place, err);
		if (code != EXIT_OK)
			return code;
		add(draft, "clear", "remove %s (%s)", path ? path : place->rel,
		    path && lstat(path, &status) == 0 ? "is there" : "not there");
	}
	return EXIT_OK;
}

/* What the server looks at, as far as it can be known without a request that counts. */
static void add_check(struct draft *draft, const struct run *run)
{
	static const char *const later = "orders, quota, address and fields are looked at when it is asked";
	struct failure failure = {0};
	struct server_view view;

	if (server_probe(run->session, &run->ask.settings, run->plan.facts.serial, &view, &failure) != EXIT_OK ||
	    run_refuse(run, &view, &failure) != EXIT_OK)
		add(draft, "check", "would stop here: %s", failure.message);
	else if (ask_was_there(&run->ask))
		add(draft, "check", "the server lets us in; it compares the request with the unfinished one");
	else if (view.standing == SERVER_GRANTED)
		add(draft, "check", "an operator has granted another identity than %s; %s", view.enrollment_id, later);
	else if (view.standing == SERVER_NEW)
		add(draft, "check", "the server lets us in, the serial has no identity; %s", later);
	else
		add(draft, "check", "the server lets us in; whether the serial has an identity it does not say; %s", later);
}

static int add_request(struct draft *draft, struct run *run, struct failure *err)
{
	const struct plan *plan = &run->plan;
	AUTO(free_ptr) char *text = NULL;
	json_t *fields = NULL;
	int code = attempt_fields(run, &fields, err);

	if (code != EXIT_OK)
		return code;
	text = json_dumps(fields, JSON_COMPACT);
	json_decref(fields);
	if (plan->fcc)
		add(draft, "fcc", "start %s in %s, read its address, at most %u times", plan->fcc, plan->fcc_folder,
		    plan->attempts);
	else
		add(draft, "fcc", "use the one at %s:%s", plan->ip ? plan->ip : plan->facts.address, plan->port);
	if (session_has(run->session, "generate-key"))
		add(draft, "key", "sudo journalctl --setup-keys --force --interval=%s", session_named(run->session, "interval"));
	add(draft, "request", "POST %s/v3/identity %s", run->ask.settings.shown, text ? text : "");
	return EXIT_OK;
}

static void add_installation(struct draft *draft, const struct plan *plan)
{
	if (plan->parsec)
		add(draft, "install", "credentials: the client puts them in %s", plan->store_path);
	else
		add(draft, "install", "credentials: move %s/%s to %s", plan->pal.base, plan->pal.rel, plan->store_path);
	add(draft, "install", "%s, profile %s, mode 0600", plan->identity_path, plan->profile.name);
	add(draft, "verify", "read both back, look for the certificate");
	if (services_are_there(&plan->services))
		add(draft, "service", "systemctl unmask %s", plan->services.name);
	if (plan->lights.led)
		add(draft, "led", "%s", plan->lights.led);
	if (plan->lights.hook || plan->lights.hook_folder)
		add(draft, "hook", "%s%s%s at every state", plan->lights.hook ? plan->lights.hook : "",
		    plan->lights.hook && plan->lights.hook_folder ? ", " : "",
		    plan->lights.hook_folder ? plan->lights.hook_folder : "");
}

static int draw(struct draft *draft, struct run *run, struct failure *err)
{
	const struct plan *plan = &run->plan;
	int code = attempt_open(run, err);

	if (code != EXIT_OK)
		return code;
	if (!plan->force && !ask_was_there(&run->ask) && install_is_done(plan, run->enrollment_id)) {
		add(draft, "verify", "serial %s is provisioned already (%s): nothing; --force would do it again",
		    plan->facts.serial, run->enrollment_id);
		return EXIT_OK;
	}
	code = server_choose(run->session, plan->trust_found, plan->discover_ms, &run->server, err);
	if (code != EXIT_OK)
		return code;
	run_complete_facts(run);
	add(draft, "serial", "%s (%s)", plan->facts.serial, plan->facts.serial_source);
	add(draft, "address", "%s %s", plan->facts.address, plan->facts.interface);
	if (services_are_there(&plan->services))
		add(draft, "service", "systemctl mask and stop %s", plan->services.name);
	code = add_clearing(draft, run, err);
	if (code != EXIT_OK)
		return code;
	add(draft, "find_server", "%s (%s)", run->ask.settings.shown, run->server.source);
	add_check(draft, run);
	code = add_request(draft, run, err);
	if (code == EXIT_OK)
		add_installation(draft, plan);
	return code;
}

int plan_show(struct run *run, struct failure *err)
{
	AUTO(draft_fini) struct draft draft = {.steps = json_array()};
	int code;

	buffer_init(&draft.text, PLAN_LIMIT);
	code = draw(&draft, run, err);
	if (code != EXIT_OK)
		return code;
	return print_result(run->session, draft.text.data, draft.text.size,
			    json_pack("{sb, ss, sO}", "dry_run", 1, "serial", run->plan.facts.serial, "plan", draft.steps), err);
}
