/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include "core/base/cleanup.h"
#include "core/config/value.h"
#include "core/plugin/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

static pep_status make_folders(struct subject *subject, struct pep_error *err)
{
	const char *parent = getenv("TMPDIR");
	char path[sizeof(subject->folder) + 16];
	int size = snprintf(subject->folder, sizeof(subject->folder), "%s/pep-plugin-check-XXXXXX",
			    parent && *parent && strlen(parent) < 200 ? parent : "/tmp");

	if (size < 0 || (size_t)size >= sizeof(subject->folder) || !mkdtemp(subject->folder)) {
		subject->folder[0] = '\0';
		return pep_fail(err, PEP_INTERNAL, errno, "no temporary folder can be made: %s; set TMPDIR", strerror(errno));
	}
	(void)snprintf(path, sizeof(path), "%s/plugins", subject->folder);
	return mkdir(path, 0755) == 0 ? PEP_OK : pep_fail(err, PEP_INTERNAL, errno, "%s: %s", path, strerror(errno));
}

static pep_status copy_file(const char *from, const char *to, struct pep_error *err)
{
	AUTO(close_fd) int source = open(from, O_RDONLY | O_CLOEXEC);
	AUTO(close_fd) int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char buffer[65536];
	ssize_t size;

	if (source < 0)
		return pep_fail(err, PEP_NOT_FOUND, errno, "%s cannot be opened: %s", from, strerror(errno));
	if (target < 0)
		return pep_fail(err, PEP_INTERNAL, errno, "%s cannot be made: %s", to, strerror(errno));
	while ((size = read(source, buffer, sizeof(buffer))) > 0)
		if (write(target, buffer, (size_t)size) != size)
			return pep_fail(err, PEP_INTERNAL, errno, "%s cannot be written: %s", to, strerror(errno));
	if (size < 0)
		return pep_fail(err, PEP_NOT_FOUND, errno, "%s cannot be read: %s", from, strerror(errno));
	return fchmod(target, 0644) == 0 ? PEP_OK : pep_fail(err, PEP_INTERNAL, errno, "%s: %s", to, strerror(errno));
}

static pep_status name_plugin(struct subject *subject, const char *path, struct pep_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t size = strlen(base);

	if (size > 3 && strcmp(base + size - 3, ".so") == 0)
		subject->name = strndup(base, size - 3);
	if (!subject->name || !value_is_name(subject->name))
		return pep_fail(
			err, PEP_INVALID, 0,
			"%s: a plugin's file is NAME.so, its name 1 to 32 lower-case letters, digits, dashes or underscores", path);
	return PEP_OK;
}

static pep_status read_settings(struct subject *subject, const char *const *settings, size_t count, struct pep_error *err)
{
	static const struct config_place place = {.file = "--set"};

	subject->options = calloc(count + 1, sizeof(*subject->options));
	if (!subject->options)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const char *equals = strchr(settings[i], '=');
		char *key = equals ? strndup(settings[i], (size_t)(equals - settings[i])) : NULL;

		if (!key)
			return pep_fail(err, PEP_INVALID, 0, "--set %s: write KEY=VALUE", settings[i]);
		subject->options[i] = (struct config_option){.key = key,
							     .value = equals + 1,
							     .is_secret_source = options_is_source(equals + 1),
							     .key_place = place,
							     .value_place = place,
							     .next = i + 1 < count ? &subject->options[i + 1] : NULL};
	}
	subject->config = (struct config_instance){
		.name = subject->name, .plugin = subject->name, .place = place, .options = count ? subject->options : NULL};
	return PEP_OK;
}

pep_status subject_init(const char *path, const char *const *settings, size_t setting_count, struct subject *ret_subject,
			struct pep_error *err)
{
	pep_status status;

	*ret_subject = (struct subject){0};
	status = name_plugin(ret_subject, path, err);
	if (status == PEP_OK)
		status = read_settings(ret_subject, settings, setting_count, err);
	if (status == PEP_OK)
		status = make_folders(ret_subject, err);
	if (status == PEP_OK && asprintf(&ret_subject->file, "%s/plugins/%s.so", ret_subject->folder, ret_subject->name) < 0) {
		ret_subject->file = NULL;
		status = pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	if (status == PEP_OK && ret_subject->file)
		status = copy_file(path, ret_subject->file, err);
	if (status != PEP_OK)
		subject_fini(ret_subject);
	return status;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)where;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

void subject_fini(struct subject *subject)
{
	if (*subject->folder)
		(void)nftw(subject->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	for (struct config_option *option = subject->options; option && option->key; option = option->next) {
		free((char *)option->key); /* ours since read_settings() */
		if (!option->next)
			break;
	}
	free(subject->options);
	free(subject->file);
	free(subject->name);
	*subject = (struct subject){0};
}

pep_status subject_load(struct subject *subject, struct pep_error *err)
{
	struct instance_context context;
	char room[sizeof(subject->folder) + 16];

	context = subject_context(subject, room, sizeof(room));
	return loader_load(context.plugin_dir, subject->name, 0, &subject->library, err);
}

pep_status subject_values(const struct subject *subject, unsigned number, struct option_values **ret_values, struct pep_error *err)
{
	char data_dir[sizeof(subject->folder) + 32];

	(void)snprintf(data_dir, sizeof(data_dir), "%s/data-%u", subject->folder, number);
	if (mkdir(data_dir, 0700) != 0 && errno != EEXIST)
		return pep_fail(err, PEP_INTERNAL, errno, "%s cannot be made: %s", data_dir, strerror(errno));
	return options_read(&subject->config, subject->library->options, data_dir, ret_values, err);
}

struct instance_context subject_context(const struct subject *subject, char *room, size_t size)
{
	(void)snprintf(room, size, "%s/plugins", subject->folder);
	return (struct instance_context){.plugin_dir = room, .data_dir = subject->folder};
}
