/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/store_side.h"

#include "core/base/cleanup.h"
#include "core/command/command.h"
#include "core/config/options.h"
#include "core/service/pending.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A signal handler can reach nothing else. */
static atomic_bool stopping;

static void stop(int signal_number)
{
	(void)signal_number;
	atomic_store(&stopping, true);
}

void store_prepare(void)
{
	struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0077); /* records hold verification keys */
	log_setup(LOG_WARNING, LOG_FORMAT_LOGFMT);
}

bool store_stopping(void)
{
	return atomic_load(&stopping);
}

int store_side_load(struct store_side *side, const char *option, const char *path, const char *const *settings,
		    size_t setting_count)
{
	const struct config_source source = {
		.path = path, .settings = settings, .setting_count = setting_count, .injector_is_optional = true};
	struct pep_error err = {0};

	*side = (struct store_side){.option = option};
	if (config_load_from(&source, &side->config, &err) != PEP_OK)
		return command_complain(COMMAND_REFUSED, "%s", err.message);
	side->context = (struct instance_context){
		.plugin_dir = side->config->plugin_dir, .data_dir = side->config->data_dir, .stopping = &stopping};
	if (storage_check(&side->context, &side->config->storage, &err) != PEP_OK)
		return command_complain(COMMAND_REFUSED, "%s", err.message);
	return COMMAND_DONE;
}

static bool is_same_folder(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void count_pending(void *context, const struct pending_entry *entry)
{
	unsigned *count = context;

	(void)entry;
	++*count;
}

/* What a server left in its folder for the next one, beside the store. */
static pep_status count_waiting(struct store_side *side, struct pep_error *err)
{
	AUTO(free_ptr) char *folder = NULL;
	struct pending *pending = NULL;
	pep_status status;

	if (asprintf(&folder, "%s/pending", side->config->data_dir) < 0) {
		folder = NULL;
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	side->waiting = spool_count(side->spool);
	if (access(folder, F_OK) != 0)
		return PEP_OK;
	status = pending_open(folder, &pending, err);
	if (status != PEP_OK)
		return status;
	pending_walk(pending, count_pending, &side->waiting);
	pending_close(pending);
	return PEP_OK;
}

int store_side_make_folder(const struct store_side *side)
{
	const char *data_dir = side->config->data_dir;

	if (mkdir(data_dir, 0750) == 0 || errno == EEXIST)
		return COMMAND_DONE;
	return command_complain(COMMAND_STORE, "%s: data folder %s cannot be made: %s; make it, or set server.data_dir",
				side->option, data_dir, strerror(errno));
}

int store_side_lock(struct store_side *side, const struct store_side *other)
{
	const char *data_dir = side->config->data_dir;
	AUTO(free_ptr) char *folder = NULL;
	struct pep_error err = {0};
	pep_status status;

	if (access(data_dir, F_OK) != 0 || (other && other->spool && is_same_folder(data_dir, other->config->data_dir)))
		return COMMAND_DONE;
	if (asprintf(&folder, "%s/spool", data_dir) < 0) {
		folder = NULL;
		return command_complain(COMMAND_FAILED, "out of memory");
	}
	status = spool_open(folder, &side->spool, &err);
	if (status == PEP_CONFLICT)
		return command_complain(COMMAND_STORE, "%s: a pep-server runs on data folder %s: stop it first", side->option,
					data_dir);
	if (status == PEP_OK)
		status = count_waiting(side, &err);
	if (status != PEP_OK)
		return command_complain(COMMAND_STORE, "%s: %s; run this as the user that the server runs as", side->option,
					err.message);
	return COMMAND_DONE;
}

int store_side_open(struct store_side *side)
{
	struct pep_error err = {0};
	pep_status status = storage_open(&side->context, &side->config->storage, &side->storage, &err);

	if (status == PEP_OK)
		return COMMAND_DONE;
	return command_complain(COMMAND_STORE, "%s: %s", side->option, err.message);
}

void store_side_close(struct store_side *side)
{
	storage_close(side->storage);
	spool_close(side->spool);
	config_free(side->config);
	*side = (struct store_side){.option = side->option};
}

static size_t count_options(const struct config_instance *instance)
{
	size_t count = 0;

	for (const struct config_option *option = instance->options; option; option = option->next)
		count++;
	return count;
}

bool store_side_same(const struct store_side *one, const struct store_side *other)
{
	const struct config_instance *a = &one->config->storage, *b = &other->config->storage;

	/* Relative paths are below the data folder. */
	if (strcmp(a->plugin, b->plugin) != 0 || count_options(a) != count_options(b) ||
	    strcmp(one->config->data_dir, other->config->data_dir) != 0)
		return false;
	for (const struct config_option *option = a->options; option; option = option->next) {
		const struct config_option *twin = options_find(b, option->key);

		if (!twin || strcmp(option->value, twin->value) != 0)
			return false;
	}
	return true;
}
