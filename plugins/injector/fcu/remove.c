/* SPDX-License-Identifier: Apache-2.0 */
#include "remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 }; /* folders in folders; each holds a descriptor */

static void remove_content(int folder, unsigned depth);

static void remove_entry(int parent, const char *name, unsigned depth)
{
	int folder;

	if (unlinkat(parent, name, 0) == 0 || depth == 0)
		return;
	folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return;
	remove_content(folder, depth - 1);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

/* Closes `folder`. */
static void remove_content(int folder, unsigned depth)
{
	DIR *list = fdopendir(folder);

	if (!list) {
		(void)close(folder);
		return;
	}
	for (const struct dirent *entry = readdir(list); entry; entry = readdir(list))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_entry(dirfd(list), entry->d_name, depth);
	(void)closedir(list);
}

void remove_tree(int parent, const char *name)
{
	remove_entry(parent, name, DEPTH_MAX);
}
