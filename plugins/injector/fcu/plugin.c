/* SPDX-License-Identifier: Apache-2.0
 *
 * The fcu injector: the vendor's Factory Configurator Utility, run as a program for each gateway.
 */
#include "check.h"
#include "config.h"
#include "fcu.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPT_PYTHON,
	OPT_HOME,
	OPT_SCRIPT,
	OPT_COMMAND,
	OPT_CONFIG,
	OPT_CERTIFICATE,
	OPT_PRIVATE_KEY,
	OPT_ENVIRONMENT,
	OPT_SECRET_ENVIRONMENT,
	OPT_PARALLEL,
	OPT_KILL_AFTER,
	OPT_MEMORY_MB,
	OPT_STATE,
	OPT_RUNNER,
};
static const struct pep_option options[] = {
	[OPT_PYTHON] = {.key = "python", .help = "the interpreter of the tool's virtual environment, absolute", .type = PEP_PATH},
	[OPT_HOME] = {.key = "home",
		      .help = "the unpacked tool, absolute: the tool's FCU_HOME_DIR, and where it is started",
		      .type = PEP_PATH},
	[OPT_SCRIPT] = {.key = "script",
			.fallback = "ft_demo/sources/ft_demo.py",
			.help = "the tool's program, in home unless absolute",
			.min = 1,
			.max = 4096,
			.type = PEP_STRING},
	[OPT_COMMAND] =
		{.key = "command",
		 .fallback =
			 "{python} {script} inject --endpoint-name={serial} --serial-number={serial} tcp --ip={ip} --port={port}",
		 .help = "the argument vector, words with blanks between; {python} {script} {home} {serial} {ip} {port} stand for "
			 "values",
		 .min = 1,
		 .max = 4096,
		 .type = PEP_STRING},
	[OPT_CONFIG] = {.key = "config",
			.fallback = "config/fcu.yml",
			.help = "must be there at start, in home unless absolute; empty: not looked for",
			.max = 4096,
			.type = PEP_STRING},
	[OPT_CERTIFICATE] = {.key = "certificate",
			     .fallback = "keystore/fcu.crt",
			     .help = "the CA's, must be there at start, in home unless absolute; empty: not looked for",
			     .max = 4096,
			     .type = PEP_STRING},
	[OPT_PRIVATE_KEY] = {.key = "private_key",
			     .fallback = "keystore/fcu_private_key.pem",
			     .help = "file of the CA's, must be there at start, in home unless absolute; empty: not looked for",
			     .max = 4096,
			     .type = PEP_STRING},
	[OPT_ENVIRONMENT] =
		{.key = "environment",
		 .fallback = "",
		 .help = "what the tool gets beside PATH, LC_ALL, LANG, FCU_HOME_DIR and TMPDIR: words NAME or NAME=VALUE",
		 .max = 4096,
		 .type = PEP_STRING},
	[OPT_SECRET_ENVIRONMENT] = {.key = "secret_environment",
				    .fallback = "",
				    .help = "names of variables whose values the tool gets and the log does not",
				    .max = 4096,
				    .type = PEP_STRING},
	[OPT_PARALLEL] = {.key = "parallel",
			  .fallback = "8",
			  .help = "tools that run at the same time",
			  .min = 1,
			  .max = 256,
			  .type = PEP_INT},
	[OPT_KILL_AFTER] = {.key = "kill_after",
			    .fallback = "2s",
			    .help = "between SIGTERM and SIGKILL, which comes at the time limit, as a time span",
			    .max = 60000,
			    .type = PEP_MILLISECONDS},
	[OPT_MEMORY_MB] = {.key = "memory_mb",
			   .fallback = "1024",
			   .help = "address space of one tool in MiB; 0: no limit",
			   .max = 1048576,
			   .type = PEP_INT},
	[OPT_STATE] = {.key = "state", .fallback = "fcu", .help = "folder of the attempts under way", .type = PEP_PATH},
	[OPT_RUNNER] = {.key = "runner", .fallback = FCU_RUNNER, .help = "the program that runs the tool", .type = PEP_PATH},
	{.key = NULL},
};

char *fcu_path(const struct fcu *fcu, const char *name)
{
	char *path = NULL;

	if (*name == '/')
		return strdup(name);
	return asprintf(&path, "%s/%s", fcu->values.home, name) < 0 ? NULL : path;
}

static void fcu_close(void *injector)
{
	struct fcu *fcu = injector;

	files_close(&fcu->files);
	(void)pthread_cond_destroy(&fcu->freed);
	(void)pthread_mutex_destroy(&fcu->mutex);
	free(fcu->script);
	free(fcu);
}

static void init_lock(struct fcu *fcu)
{
	pthread_condattr_t attributes;

	(void)pthread_mutex_init(&fcu->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&fcu->freed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

static void take_values(struct fcu *fcu, const union pep_value *values)
{
	fcu->values.python = values[OPT_PYTHON].text;
	fcu->values.home = values[OPT_HOME].text;
	fcu->command = values[OPT_COMMAND].text;
	fcu->needed[NEEDED_CONFIG] = values[OPT_CONFIG].text;
	fcu->needed[NEEDED_CERTIFICATE] = values[OPT_CERTIFICATE].text;
	fcu->needed[NEEDED_PRIVATE_KEY] = values[OPT_PRIVATE_KEY].text;
	fcu->environment = values[OPT_ENVIRONMENT].text;
	fcu->secrets = values[OPT_SECRET_ENVIRONMENT].text;
	fcu->parallel = values[OPT_PARALLEL].number;
	fcu->kill_after_ms = values[OPT_KILL_AFTER].number;
	fcu->memory_mb = values[OPT_MEMORY_MB].number;
	fcu->runner = values[OPT_RUNNER].text;
}

static pep_status check_options(struct fcu *fcu, const union pep_value *values, struct pep_error *err)
{
	pep_status status;

	if (fcu->values.home[0] != '/')
		return pep_fail(err, PEP_INVALID, 0, "fcu: home %s is not absolute", fcu->values.home);
	if (fcu->runner[0] != '/')
		return pep_fail(err, PEP_INVALID, 0, "fcu: runner %s is not absolute", fcu->runner);
	fcu->script = fcu_path(fcu, values[OPT_SCRIPT].text);
	if (!fcu->script)
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcu: no memory for an injector");
	fcu->values.script = fcu->script;
	status = command_check(fcu->command, &fcu->values, err);
	if (status == PEP_OK)
		status = command_check_names(fcu->environment, false, err);
	if (status == PEP_OK)
		status = command_check_names(fcu->secrets, true, err);
	return status;
}

static pep_status fcu_open(const struct pep_host *host, const union pep_value *values, void **ret_injector, struct pep_error *err)
{
	struct fcu *fcu = calloc(1, sizeof(*fcu));
	pep_status status;

	if (!fcu)
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcu: no memory for an injector");
	fcu->host = host;
	fcu->files.folder = -1;
	init_lock(fcu);
	take_values(fcu, values);
	status = check_options(fcu, values, err);
	if (status == PEP_OK)
		status = files_open(values[OPT_STATE].text, &fcu->files, err);
	if (status != PEP_OK) {
		fcu_close(fcu);
		return status;
	}
	*ret_injector = fcu;
	return PEP_OK;
}

static pep_status check_config(const struct fcu *fcu, const char *path, struct pep_error *err)
{
	char **environment = NULL;
	pep_status status = check_file("config", path, err);

	if (status == PEP_OK)
		status = command_environment(fcu->values.home, "", fcu->environment, fcu->secrets, &environment, err);
	if (status == PEP_OK)
		status = config_check(fcu->host, path, environment, err);
	free(environment);
	return status;
}

static pep_status check_needed(const struct fcu *fcu, enum needed which, struct pep_error *err)
{
	char *path;
	pep_status status;

	if (!*fcu->needed[which])
		return PEP_OK;
	path = fcu_path(fcu, fcu->needed[which]);
	if (!path)
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcu: no memory to look for %s", fcu->needed[which]);
	if (which == NEEDED_CONFIG)
		status = check_config(fcu, path, err);
	else if (which == NEEDED_CERTIFICATE)
		status = check_pem("certificate", path, false, err);
	else
		status = check_pem("private_key", path, true, err);
	if (status == PEP_OK && which == NEEDED_PRIVATE_KEY && check_is_open(path))
		fcu->host->log(fcu->host, 4, "fcu: every user of this machine can read private_key; chmod 600 it");
	free(path);
	return status;
}

static pep_status fcu_self_test(void *injector, struct pep_error *err)
{
	const struct fcu *fcu = injector;
	pep_status status = check_program("runner", fcu->runner, err);

	if (status == PEP_OK)
		status = check_program("python", fcu->values.python, err);
	if (status == PEP_OK)
		status = check_folder("home", fcu->values.home, err);
	if (status == PEP_OK)
		status = check_file("script", fcu->script, err);
	for (enum needed which = 0; status == PEP_OK && which < NEEDED_COUNT; which++)
		status = check_needed(fcu, which, err);
	return status;
}

static pep_status fcu_inject(void *injector, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms,
			     struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err)
{
	return visit_inject(injector, target, id, timeout_ms, witness, ret, err);
}

static pep_status fcu_adopt(void *injector, const struct pep_identity *id, int64_t timeout_ms, struct pep_injection *ret,
			    struct pep_error *err)
{
	return visit_adopt(injector, id, timeout_ms, ret, err);
}

static void fcu_forget(void *injector, const struct pep_identity *id)
{
	const struct fcu *fcu = injector;

	if (files_is_nonce(id->nonce))
		files_remove(&fcu->files, id->nonce);
}

static const struct pep_injector_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.flags = PEP_INJECTOR_OPAQUE,
	.open = fcu_open,
	.close = fcu_close,
	.self_test = fcu_self_test,
	.inject = fcu_inject,
	.adopt = fcu_adopt,
	.forget = fcu_forget,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_INJECTOR,
	.option_size = sizeof(struct pep_option),
	.name = "fcu",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
