/* SPDX-License-Identifier: Apache-2.0 */
#include "core/checkup.h"

#include "core/access/access.h"
#include "core/base/cleanup.h"
#include "core/plugin/check.h"
#include "core/plugin/instance.h"
#include "core/server.h"
#include "core/service/spool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct checkup {
	const struct config *config;
	checkup_report report;
	void *context;
};

static void say(const struct checkup *checkup, enum checkup_level level, const char *name, const char *text)
{
	const struct checkup_finding finding = {.level = level, .name = name, .text = text};

	checkup->report(checkup->context, &finding);
}

/* True: it went well. */
static bool tell(const struct checkup *checkup, const char *name, pep_status status, const struct pep_error *err, int exit_code,
		 const char *good)
{
	const struct checkup_finding finding = {.level = status == PEP_OK ? CHECKUP_GOOD : CHECKUP_FAILED,
						.name = name,
						.text = status == PEP_OK ? good : err->message,
						.exit_code = status == PEP_OK ? 0 : exit_code};

	checkup->report(checkup->context, &finding);
	return status == PEP_OK;
}

static const char *who_may_come(const struct config *config)
{
	if (config->access_tokens)
		return config->anonymous_provision ? "who has a token, and whoever is in access.anonymous_networks"
						   : "who has a token, or a certificate that the file of tokens names";
	if (config->tls_client_ca)
		return "who has a certificate of tls.client_ca";
	return access_is_local(config) ? "every process of this machine, without a token"
				       : "whoever is in access.anonymous_networks";
}

/* False: plugins cannot be opened. What else is wrong is no reason to stop looking. */
static bool check_files(const struct checkup *checkup)
{
	const struct config *config = checkup->config;
	struct pep_error err = {0};

	(void)tell(checkup, "access", access_check(config, &err), &err, SERVER_EXIT_CONFIG, who_may_come(config));
	if (config->tls_certificate)
		(void)tell(checkup, "tls", server_check_tls(config, &err), &err, SERVER_EXIT_CONFIG,
			   "certificate and key fit, and nobody else can read the key");
	return tell(checkup, "plugins", check_plugins(config, &err), &err, SERVER_EXIT_CONFIG,
		    "each loads, takes its options and can read its secrets");
}

/* May we open what is below? A server that runs there holds the lock of the spool. */
static bool take_folder(const struct checkup *checkup, struct spool **ret_spool)
{
	const char *path = checkup->config->data_dir;
	AUTO(free_ptr) char *folder = NULL;
	struct pep_error err = {0};
	struct stat status;
	pep_status code;

	if (stat(path, &status) != 0 && errno == ENOENT) {
		(void)pep_fail(
			&err, PEP_NOT_FOUND, 0,
			"the data folder %s is not there yet, so storage and injector were not opened; the first start makes "
			"it, or set server.data_dir",
			path);
		say(checkup, CHECKUP_WARNING, "data folder", err.message);
		return false;
	}
	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode) || access(path, R_OK | W_OK | X_OK) != 0) {
		(void)pep_fail(&err, PEP_UNAVAILABLE, errno,
			       "data folder %s is no folder that this user can write; give it to this user, or "
			       "set server.data_dir",
			       path);
		(void)tell(checkup, "data folder", PEP_UNAVAILABLE, &err, SERVER_EXIT_DATA, NULL);
		return false;
	}
	if (status.st_uid != geteuid()) {
		(void)pep_fail(
			&err, PEP_INVALID, 0,
			"the data folder %s belongs to another user, so storage and injector were not opened; run this as the user "
			"that the server runs as",
			path);
		say(checkup, CHECKUP_WARNING, "data folder", err.message);
		return false;
	}
	if (asprintf(&folder, "%s/spool", path) < 0) {
		folder = NULL;
		return false;
	}
	code = spool_open(folder, ret_spool, &err);
	if (code == PEP_CONFLICT) {
		say(checkup, CHECKUP_GOOD, "data folder", "a server runs on it; /readyz says how it is");
		return false;
	}
	return tell(checkup, "data folder", code, &err, SERVER_EXIT_DATA,
		    status.st_mode & 0007 ? "it can be written; others can look into it" : "it can be written");
}

static void open_plugins(const struct checkup *checkup)
{
	static atomic_bool stopping; /* never: nobody tells us to */
	const struct config *config = checkup->config;
	const struct instance_context context = {
		.plugin_dir = config->plugin_dir, .data_dir = config->data_dir, .stopping = &stopping};
	struct storage *storage = NULL;
	struct injector *injector = NULL;
	struct pep_error err = {0};
	pep_status status = storage_open(&context, &config->storage, &storage, &err);

	if (status == PEP_OK)
		status = storage_ping(storage, &err);
	(void)tell(checkup, "storage", status, &err, SERVER_EXIT_DATA, "it can be reached and written");
	storage_close(storage);
	status = injector_open(&context, &config->injector, &injector, &err);
	(void)tell(checkup, "injector", status, &err, SERVER_EXIT_CONFIG, "it opens, with its authority and all that it needs");
	injector_close(injector);
}

void checkup_start(const struct config *config, checkup_report report, void *context)
{
	const struct checkup checkup = {.config = config, .report = report, .context = context};
	struct spool *spool = NULL;

	if (check_files(&checkup) && take_folder(&checkup, &spool))
		open_plugins(&checkup);
	spool_close(spool);
}
