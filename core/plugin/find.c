/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/find.h"

#include "core/base/cleanup.h"
#include "core/config/value.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SUFFIX ".so"

/* Whoever may write to a plugin, or put another in its place, could run code in the server. */
static pep_status check_trust(const char *path, const struct stat *info, struct pep_error *err)
{
	if (info->st_uid != 0 && info->st_uid != geteuid())
		return pep_fail(err, PEP_INVALID, 0, "%s belongs to user %u, not to root or to the server's user; change its owner",
				path, (unsigned)info->st_uid);
	if (info->st_mode & (S_IWGRP | S_IWOTH))
		return pep_fail(err, PEP_INVALID, 0, "%s can be written by others than its owner; run: chmod go-w %s", path, path);
	return PEP_OK;
}

static pep_status open_folder(const char *folder, int *ret_fd, struct pep_error *err)
{
	AUTO(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat info;
	pep_status status;

	if (fd < 0 || fstat(fd, &info))
		return pep_fail(err, PEP_NOT_FOUND, errno, "plugin folder %s cannot be opened: %s; set server.plugin_dir", folder,
				strerror(errno));
	status = check_trust(folder, &info, err);
	if (status != PEP_OK)
		return status;
	*ret_fd = fd;
	fd = -1;
	return PEP_OK;
}

/* Why open() did not give a file. */
static pep_status not_opened(const char *path, const char *name, int number, struct pep_error *err)
{
	if (number == ENOENT)
		return pep_fail(err, PEP_NOT_FOUND, number,
				"no plugin \"%s\": there is no %s; pep-server --list-plugins shows the names", name, path);
	if (number == ELOOP)
		return pep_fail(err, PEP_INVALID, number, "%s is a symbolic link; put the file itself there", path);
	return pep_fail(err, PEP_INVALID, number, "%s cannot be opened: %s", path, strerror(number));
}

pep_status find_open(const char *folder, const char *name, int *ret_fd, struct pep_error *err)
{
	AUTO(free_ptr) char *path = NULL;
	AUTO(close_fd) int folder_fd = -1;
	AUTO(close_fd) int fd = -1;
	struct stat info;
	pep_status status;

	if (!value_is_name(name))
		return pep_fail(err, PEP_INVALID, 0,
				"a plugin's name is 1 to 32 lower-case letters, digits, dashes or underscores");
	status = open_folder(folder, &folder_fd, err);
	if (status != PEP_OK)
		return status;
	if (asprintf(&path, "%s/%s" SUFFIX, folder, name) < 0) {
		path = NULL;
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while looking for plugin \"%s\"", name);
	}
	/* One component without a slash: O_NOFOLLOW is all that it takes to stay in the folder. O_NONBLOCK: a FIFO must not hold us. */
	fd = openat(folder_fd, path + strlen(folder) + 1, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &info))
		return not_opened(path, name, errno, err);
	if (!S_ISREG(info.st_mode))
		return pep_fail(err, PEP_INVALID, 0, "%s is not a regular file", path);
	status = check_trust(path, &info, err);
	if (status != PEP_OK)
		return status;
	*ret_fd = fd;
	fd = -1;
	return PEP_OK;
}

/* NAME of "NAME.so", in memory of its own; NULL with *ret_status PEP_OK: another file. */
static char *plugin_name(const char *file, pep_status *ret_status)
{
	size_t size = strlen(file), suffix = strlen(SUFFIX);
	char *name;

	*ret_status = PEP_OK;
	if (size <= suffix || strcmp(file + size - suffix, SUFFIX) != 0)
		return NULL;
	name = strndup(file, size - suffix);
	if (!name)
		*ret_status = PEP_NO_MEMORY;
	if (name && value_is_name(name))
		return name;
	free(name);
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static pep_status read_names(DIR *stream, char ***names, size_t *count)
{
	const struct dirent *entry;

	while ((entry = readdir(stream))) {
		pep_status status;
		char *name = plugin_name(entry->d_name, &status);
		char **more;

		if (status != PEP_OK)
			return status;
		if (!name)
			continue;
		more = realloc(*names, (*count + 1) * sizeof(**names));
		if (!more) {
			free(name);
			return PEP_NO_MEMORY;
		}
		*names = more;
		more[(*count)++] = name;
	}
	return PEP_OK;
}

pep_status find_all(const char *folder, char ***ret_names, size_t *ret_count, struct pep_error *err)
{
	char **names = NULL;
	size_t count = 0;
	DIR *stream;
	int fd = -1;
	pep_status status = open_folder(folder, &fd, err);

	if (status != PEP_OK)
		return status;
	stream = fdopendir(fd);
	if (!stream) {
		close_fd(&fd);
		return pep_fail(err, PEP_NO_MEMORY, errno, "plugin folder %s cannot be read: %s", folder, strerror(errno));
	}
	status = read_names(stream, &names, &count);
	(void)closedir(stream);
	if (status != PEP_OK) {
		find_free(names, count);
		return pep_fail(err, status, 0, "out of memory while reading plugin folder %s", folder);
	}
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	*ret_names = names;
	*ret_count = count;
	return PEP_OK;
}

void find_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}
