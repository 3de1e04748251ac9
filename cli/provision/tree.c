/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/tree.h"

#include "cli/provision/copy.h"
#include "core/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder on its way out, or one that is not whole yet. Names of ours, so that a later run finds them. */
#define GONE_SUFFIX ".pep-gone"
#define NEW_SUFFIX ".pep-new"
#define DEPTH_LIMIT 64

static int fail(struct failure *err, const char *what, const struct spot *spot, int error)
{
	bool link = error == ELOOP || error == ENOTDIR;

	return failure_set(err, EXIT_LOCAL_FILE, "local_file", "cannot %s %s/%s: %s", what, spot->base, spot->rel,
			   link ? "a symbolic link, or a file instead of a folder, is in the way; remove it, or give the real path"
				: strerror(error));
}

bool spot_make(const char *base, const char *rel, struct spot *ret_spot)
{
	struct spot spot = {.base = strdup(base), .rel = calloc(1, strlen(rel) + 1)};
	char *end = spot.rel;

	for (size_t size; spot.base && spot.rel && *rel; rel += size) {
		rel += strspn(rel, "/");
		size = strcspn(rel, "/");
		if ((size == 1 && rel[0] == '.') || (size == 2 && rel[0] == '.' && rel[1] == '.') || size > NAME_MAX) {
			spot_fini(&spot);
			return false;
		}
		if (!size)
			break;
		if (end != spot.rel)
			*end++ = '/';
		memcpy(end, rel, size);
		end += size;
	}
	if (!spot.base || !spot.rel || !spot.rel[0]) {
		spot_fini(&spot);
		return false;
	}
	*ret_spot = spot;
	return true;
}

void spot_fini(struct spot *spot)
{
	free(spot->base);
	free(spot->rel);
	*spot = (struct spot){0};
}

char *spot_path(const struct spot *spot)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", spot->base, spot->rel) < 0 ? NULL : path;
}

/* The folder that the first `size` bytes of rel lead to. -1: errno. */
static int walk(const struct spot *spot, size_t size, bool make, mode_t mode)
{
	int fd = open(spot->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;
	char name[NAME_MAX + 1];
	const char *part = spot->rel;

	while (fd >= 0 && part < spot->rel + size) {
		size_t part_size = strcspn(part, "/");
		bool last = part + part_size >= spot->rel + size;

		(void)snprintf(name, sizeof(name), "%.*s", (int)part_size, part);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && errno == ENOENT && make && mkdirat(fd, name, last ? mode : 0755) == 0) {
			(void)fsync(fd);
			next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		}
		int error = errno;

		(void)close(fd);
		errno = error;
		fd = next;
		part += part_size + (part[part_size] == '/');
	}
	return fd;
}

static const char *name_of(const struct spot *spot)
{
	const char *slash = strrchr(spot->rel, '/');

	return slash ? slash + 1 : spot->rel;
}

static size_t parent_size(const struct spot *spot)
{
	size_t size = (size_t)(name_of(spot) - spot->rel);

	return size ? size - 1 : 0;
}

static int open_parent(const struct spot *spot)
{
	return walk(spot, parent_size(spot), false, 0);
}

int tree_open(const struct spot *spot)
{
	return walk(spot, strlen(spot->rel), false, 0);
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

/* Empties a folder, which stays. Takes `fd` over. 0, or an errno. */
static int empty(int fd, dev_t device, int depth)
{
	AUTO(close_folder) DIR *folder = fdopendir(fd);
	const struct dirent *entry;
	struct stat status;
	int error = 0, inner;

	if (!folder) {
		error = errno;
		(void)close(fd);
		return error;
	}
	if (depth > DEPTH_LIMIT)
		return ELOOP;
	while (!error && (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
			return errno;
		if (!S_ISDIR(status.st_mode)) {
			error = unlinkat(dirfd(folder), entry->d_name, 0) == 0 ? 0 : errno;
			continue;
		}
		if (status.st_dev != device)
			return EXDEV;
		inner = openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = inner < 0 ? errno : empty(inner, device, depth + 1);
		if (!error && unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR) != 0)
			error = errno;
	}
	return error;
}

/* A file or a folder with all that is in it, by its name in `parent`. 0, or an errno; ENOENT: none. */
static int remove_entry(int parent, const char *name)
{
	struct stat status;
	int fd, error;

	if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (S_ISLNK(status.st_mode))
		return ELOOP;
	if (!S_ISDIR(status.st_mode))
		return unlinkat(parent, name, 0) == 0 ? 0 : errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		return errno;
	error = empty(fd, status.st_dev, 0);
	/* A mount point stays, and is empty. */
	if (!error && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != EBUSY)
		error = errno;
	return error;
}

/* The name of what is on its way out, or in. False: too long. */
static bool other_name(const struct spot *spot, const char *suffix, char ret_name[NAME_MAX + 1])
{
	return snprintf(ret_name, NAME_MAX + 1, ".%s%s", name_of(spot), suffix) <= NAME_MAX;
}

static int remove_in(int parent, const struct spot *spot, bool *was_there)
{
	char gone[NAME_MAX + 1];
	struct stat status;
	int error;

	*was_there = false;
	if (!other_name(spot, GONE_SUFFIX, gone))
		return ENAMETOOLONG;
	/* What an earlier run did not finish. */
	error = remove_entry(parent, gone);
	if (error && error != ENOENT)
		return error;
	if (fstatat(parent, name_of(spot), &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : errno;
	if (S_ISLNK(status.st_mode))
		return ELOOP;
	*was_there = true;
	if (renameat(parent, name_of(spot), parent, gone) != 0)
		return errno == EBUSY ? remove_entry(parent, name_of(spot)) : errno;
	(void)fsync(parent);
	error = remove_entry(parent, gone);
	(void)fsync(parent);
	return error;
}

int tree_remove(const struct spot *spot, bool *ret_was_there, struct failure *err)
{
	AUTO(close_fd) int parent = open_parent(spot);
	bool was_there = false;
	int error;

	if (parent < 0)
		error = errno == ENOENT ? 0 : errno;
	else
		error = remove_in(parent, spot, &was_there);
	if (error)
		return fail(err, "remove", spot, error);
	*ret_was_there = was_there;
	return EXIT_OK;
}

int tree_check(const struct spot *spot, struct failure *err)
{
	AUTO(close_fd) int parent = open_parent(spot);
	struct stat status;

	if (parent < 0)
		return errno == ENOENT ? EXIT_OK : fail(err, "remove", spot, errno);
	if (fstatat(parent, name_of(spot), &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? EXIT_OK : fail(err, "remove", spot, errno);
	if (S_ISLNK(status.st_mode))
		return fail(err, "remove", spot, ELOOP);
	return faccessat(parent, ".", W_OK, AT_EACCESS) == 0 ? EXIT_OK : fail(err, "remove", spot, errno);
}

void tree_flush(const struct spot *spot)
{
	AUTO(close_fd) int parent = open_parent(spot);

	if (parent < 0)
		return;
	copy_flush(parent, name_of(spot));
	(void)fsync(parent);
}

int tree_make_parents(const struct spot *spot, struct failure *err)
{
	AUTO(close_fd) int fd = walk(spot, parent_size(spot), true, 0755);

	return fd < 0 ? fail(err, "make the folder of", spot, errno) : EXIT_OK;
}

int tree_make(const struct spot *spot, struct failure *err)
{
	AUTO(close_fd) int fd = walk(spot, strlen(spot->rel), true, 0700);

	return fd < 0 ? fail(err, "make the folder", spot, errno) : EXIT_OK;
}

/* Over the border of a file system: a copy under another name, flushed, renamed; then the original goes. */
static int move_by_copy(int from_parent, const char *from_name, int to_parent, const struct spot *to)
{
	char fresh[NAME_MAX + 1];
	int error;

	if (!other_name(to, NEW_SUFFIX, fresh))
		return ENAMETOOLONG;
	error = remove_entry(to_parent, fresh);
	if (error && error != ENOENT)
		return error;
	error = copy_folder(from_parent, from_name, to_parent, fresh);
	if (!error && renameat(to_parent, fresh, to_parent, name_of(to)) != 0)
		error = errno;
	(void)fsync(to_parent);
	return error;
}

static int move(int from_parent, const struct spot *from, int to_parent, const struct spot *to)
{
	bool was_there;
	struct stat status;
	int error;

	if (fstatat(from_parent, name_of(from), &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (!S_ISDIR(status.st_mode))
		return ENOTDIR;
	error = remove_in(to_parent, to, &was_there);
	if (error)
		return error;
	/* The program that wrote it may not have flushed it: on the gateway it is the only copy there is. */
	copy_flush(from_parent, name_of(from));
	if (renameat(from_parent, name_of(from), to_parent, name_of(to)) == 0) {
		(void)fsync(to_parent);
		(void)fsync(from_parent);
		return 0;
	}
	if (errno != EXDEV)
		return errno;
	error = move_by_copy(from_parent, name_of(from), to_parent, to);
	/* By its rename first: half an original must never be taken for a whole one. */
	return error ? error : remove_in(from_parent, from, &was_there);
}

int tree_move(const struct spot *from, const struct spot *to, struct failure *err)
{
	AUTO(close_fd) int from_parent = open_parent(from);
	AUTO(close_fd) int to_parent = -1;
	int error;

	if (from_parent < 0)
		return fail(err, "move", from, errno);
	to_parent = open_parent(to);
	if (to_parent < 0)
		return fail(err, "open the folder of", to, errno);
	error = move(from_parent, from, to_parent, to);
	return error ? fail(err, "put the credentials in their place", to, error) : EXIT_OK;
}

bool tree_is_filled(const struct spot *spot, const char *inner)
{
	int fd = tree_open(spot);
	AUTO(close_folder) DIR *folder = NULL;
	const struct dirent *entry;
	struct stat status;

	if (fd < 0)
		return false;
	folder = fdopendir(fd);
	if (!folder) {
		(void)close(fd);
		return false;
	}
	if (inner)
		return fstatat(dirfd(folder), inner, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return true;
	return false;
}
