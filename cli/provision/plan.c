/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/plan.h"

#include "cli/provision/conf.h"
#include "cli/provision/server.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAL_NAME "pal"
#define MARK_NAME "provisioned.json"
#define MASKED_NAME "masked"

static int no_memory(struct failure *err)
{
	return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
}

static int usage(struct failure *err, const char *why)
{
	return failure_set(err, EXIT_USAGE, "usage", "%s", why);
}

const char *plan_text(const struct session *session, const char *option, const char *variable)
{
	const char *text = session_named(session, option);

	if (!text && variable)
		text = getenv(variable);
	return text && text[0] ? text : NULL;
}

/* A path with a part behind it. NULL: out of memory. */
static char *join(const char *a, const char *b, const char *c)
{
	char *path = NULL;

	return asprintf(&path, "%s%s%s", a, b, c) < 0 ? NULL : path;
}

int plan_root(const struct session *session, char **ret_root, struct failure *err)
{
	const char *given = session_named(session, "root");
	char *root = given ? realpath(given, NULL) : strdup("");

	if (!root)
		return failure_set(err, EXIT_CONFIGURATION, "configuration", "the root %s cannot be found: %s", given ? given : "",
				   strerror(errno));
	if (strcmp(root, "/") == 0)
		root[0] = '\0';
	*ret_root = root;
	return EXIT_OK;
}

/* A whole number from `low` to 86400. */
static int read_number(const struct session *session, const char *option, long low, int64_t *ret_number, struct failure *err)
{
	const char *text = session_named(session, option);
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end || number < low || number > 86400)
		return failure_set(err, EXIT_USAGE, "usage", "--%s is no whole number from %ld to 86400", option, low);
	*ret_number = number;
	return EXIT_OK;
}

static int read_seconds(const struct session *session, const char *option, int64_t *ret_ms, struct failure *err)
{
	int64_t seconds = 0;
	int code = read_number(session, option, 0, &seconds, err);

	*ret_ms = seconds * 1000;
	return code;
}

static int read_numbers(struct plan *plan, struct failure *err)
{
	const struct session *session = plan->session;
	int64_t attempts = 1;
	int code = read_number(session, "attempts", 1, &attempts, err);

	plan->attempts = (unsigned)attempts;
	if (code == EXIT_OK)
		code = read_seconds(session, "retry-wait", &plan->retry_ms, err);
	if (code == EXIT_OK)
		code = read_seconds(session, "wait", &plan->wait_ms, err);
	if (code == EXIT_OK)
		code = read_seconds(session, "discover-time", &plan->discover_ms, err);
	if (code == EXIT_OK)
		code = read_seconds(session, "fcc-timeout", &plan->fcc_limit_ms, err);
	if (code == EXIT_OK)
		code = read_seconds(session, "hook-timeout", &plan->lights.hook_limit_ms, err);
	return code;
}

/* snapd tells where its data is. */
static const char *base_of(const struct platform_place *place)
{
	const char *snap = strncmp(place->base, "/var/snap/", 10) == 0 ? getenv("SNAP_DATA") : NULL;

	return snap && snap[0] == '/' ? snap : place->base;
}

/* A place of the platform below the root, or the path of an option below it. */
static int make_spot(const struct plan *plan, const struct platform_place *place, const char *option, struct spot *ret_spot,
		     struct failure *err)
{
	const char *given = option ? session_named(plan->session, option) : NULL;
	AUTO(free_ptr) char *base = NULL;

	if (!given && !place->base)
		return failure_set(err, EXIT_USAGE, "usage", "--%s is missing: platform custom names every path by itself", option);
	if (given && given[0] != '/')
		return failure_set(err, EXIT_USAGE, "usage", "--%s is no absolute path", option);
	/* What may be removed whole is never a top folder of the system. */
	if (given && !strchr(given + strspn(given, "/"), '/'))
		return failure_set(err, EXIT_USAGE, "usage", "--%s is a top folder; give one below it", option);
	base = join(plan->root, given ? (plan->root[0] ? "" : "/") : base_of(place), "");
	if (!base)
		return no_memory(err);
	if (!spot_make(base, given ? given : place->rel, ret_spot))
		return failure_set(err, EXIT_USAGE, "usage", "--%s cannot be used: no file of its own, or \"..\" in it",
				   option ? option : "root");
	return EXIT_OK;
}

static int make_clears(struct plan *plan, struct failure *err)
{
	const struct platform *platform = plan->platform;
	int code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && i < PLATFORM_CLEARS_MAX && platform->clears[i].base; i++) {
		code = make_spot(plan, &platform->clears[i], NULL, &plan->clears[i], err);
		plan->clear_count += code == EXIT_OK;
	}
	return code;
}

/* Whether what is in `inner` goes when `outer` is removed. */
static bool is_within(const char *inner, const char *outer)
{
	size_t size = strlen(outer);

	return strncmp(inner, outer, size) == 0 && (!inner[size] || inner[size] == '/');
}

static int check_paths(const struct plan *plan, struct failure *err)
{
	if (is_within(plan->state_path, plan->store_path) || is_within(plan->identity_path, plan->store_path) ||
	    is_within(plan->store_path, plan->state_path) || is_within(plan->state_path, plan->identity_path))
		return usage(err, "--identity-file, --store and --state must not lie within each other");
	for (size_t i = 0; i < plan->clear_count; i++) {
		AUTO(free_ptr) char *path = spot_path(&plan->clears[i]);

		if (!path || is_within(plan->state_path, path))
			return usage(err, "--state lies in a folder that the platform clears");
	}
	return EXIT_OK;
}

static int make_paths(struct plan *plan, struct failure *err)
{
	const char *folder = session_named(plan->session, "fcc-dir");
	int code;

	if (!plan->platform)
		return usage(err, "--platform (or PEP_PLATFORM) must say where identities belong: lmp, deb, snap or custom");
	code = make_spot(plan, &plan->platform->identity, "identity-file", &plan->identity, err);

	if (code == EXIT_OK)
		code = make_spot(plan, &plan->platform->store, "store", &plan->store, err);
	if (code == EXIT_OK)
		code = make_spot(plan, &plan->platform->state, "state", &plan->state, err);
	if (code == EXIT_OK)
		code = make_clears(plan, err);
	if (code != EXIT_OK)
		return code;
	plan->identity_path = spot_path(&plan->identity);
	plan->store_path = spot_path(&plan->store);
	plan->state_path = spot_path(&plan->state);
	if (!plan->identity_path || !plan->store_path || !plan->state_path)
		return no_memory(err);
	plan->mark_path = join(plan->state_path, "/", MARK_NAME);
	plan->services.mark = plan->masked_path = join(plan->state_path, "/", MASKED_NAME);
	plan->fcc_log = join(plan->state_path, "/", "fcc.log");
	/* One that somebody else has started works where that one was. */
	plan->fcc_folder = folder ? strdup(folder) : plan->fcc ? join(plan->state_path, "/", PLAN_FCC_FOLDER) : realpath(".", NULL);
	if (!plan->mark_path || !plan->services.mark || !plan->fcc_log || !plan->fcc_folder)
		return no_memory(err);
	if (!spot_make(plan->fcc_folder, PAL_NAME, &plan->pal))
		return no_memory(err);
	return check_paths(plan, err);
}

static int read_choices(struct plan *plan, struct failure *err)
{
	const struct session *session = plan->session;
	const char *platform = plan_text(session, "platform", "PEP_PLATFORM");

	plan->platform = platform ? platform_find(platform) : NULL;
	plan->fcc = plan_text(session, "fcc", "PEP_FCC");
	/* It is started in another folder. What cannot be found is told of when it is started. */
	plan->fcc_path = plan->fcc ? realpath(plan->fcc, NULL) : NULL;
	plan->ip = session_named(session, "ip");
	plan->port = session_named(session, "port");
	plan->parsec = session_has(session, "parsec");
	plan->force = session_has(session, "force");
	plan->dry_run = session_has(session, "dry-run");
	plan->warn_exit = session_has(session, "warn-exit");
	plan->trust_found = session_has(session, "trust-found");
	if (!plan->fcc && !plan->port)
		return usage(err, "--fcc PROGRAM must name the factory configurator client, or --port one that runs already");
	if (plan->fcc && plan->port)
		return usage(err, "--fcc and --port exclude each other: the one starts a client, the other uses one that runs");
	if (plan->fcc && !strchr(plan->fcc, '/'))
		return usage(err, "--fcc is no path");
	plan->fcc = plan->fcc_path ? plan->fcc_path : plan->fcc;
	return EXIT_OK;
}

static int read_macs(struct plan *plan, struct failure *err)
{
	const char *mac = session_named(plan->session, "mac"), *sixb_mac = session_named(plan->session, "sixb-mac");
	struct facts *facts = &plan->facts;

	if (mac && !facts_mac(mac, 6, facts->ethernet_mac, sizeof(facts->ethernet_mac)))
		return usage(err, "--mac is no MAC address of 6 bytes other than zero");
	if (sixb_mac && !facts_mac(sixb_mac, 8, facts->sixb_mac, sizeof(facts->sixb_mac)))
		return usage(err, "--sixb-mac is no MAC address of 8 bytes other than zero");
	return EXIT_OK;
}

static void set_helpers(struct plan *plan)
{
	const struct session *session = plan->session;
	const char *service = session_named(session, "service");

	plan->services.session = session;
	plan->services.root = plan->root;
	plan->services.name = session_has(session, "no-service") ? NULL : service ? service : plan->platform->service;
	plan->lights.session = session;
	plan->lights.led = plan_text(session, "led", "PEP_LED");
	plan->lights.hook = plan_text(session, "hook", "PEP_HOOK");
	plan->lights.hook_folder = plan_text(session, "hook-dir", "PEP_HOOK_DIR");
}

int plan_make(const struct session *session, struct plan *ret_plan, struct failure *err)
{
	struct plan *plan = ret_plan;
	int code;

	*plan = (struct plan){.session = session};
	code = plan_root(session, &plan->root, err);
	if (code == EXIT_OK)
		code = conf_load(plan->root, err);
	if (code == EXIT_OK)
		code = server_trust(session, err);
	if (code == EXIT_OK)
		code = read_choices(plan, err);
	if (code == EXIT_OK)
		code = read_numbers(plan, err);
	if (code == EXIT_OK)
		code = make_paths(plan, err);
	if (code == EXIT_OK)
		code = read_macs(plan, err);
	if (code == EXIT_OK)
		code = profile_load(session_named(session, "profile"), session_named(session, "template"), &plan->profile, err);
	if (code != EXIT_OK)
		return code;
	plan->profile.k8s_address = session_named(session, "k8s-address");
	plan->profile.container_address = session_named(session, "container-address");
	set_helpers(plan);
	return facts_read_serial(plan->root, plan_text(session, "serial", "PEP_SERIAL"),
				 plan_text(session, "serial-file", "PEP_SERIAL_FILE"), &plan->facts, err);
}

void plan_fini(struct plan *plan)
{
	free(plan->root);
	spot_fini(&plan->identity);
	spot_fini(&plan->store);
	spot_fini(&plan->state);
	spot_fini(&plan->pal);
	for (size_t i = 0; i < PLATFORM_CLEARS_MAX; i++)
		spot_fini(&plan->clears[i]);
	free(plan->identity_path);
	free(plan->store_path);
	free(plan->state_path);
	free(plan->mark_path);
	free(plan->masked_path);
	free(plan->fcc_folder);
	free(plan->fcc_log);
	free(plan->fcc_path);
	profile_fini(&plan->profile);
	*plan = (struct plan){0};
}
