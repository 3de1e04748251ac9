/* SPDX-License-Identifier: Apache-2.0 */
#include "sqlite_place.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void sqlite_place_init(char *ret_folder)
{
	const char *parent = getenv("TMPDIR");

	(void)snprintf(ret_folder, SQLITE_PLACE_SIZE, "%s/pep-sqlite-XXXXXX", parent && *parent ? parent : "/tmp");
	if (!mkdtemp(ret_folder)) {
		perror(ret_folder);
		exit(1);
	}
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)where;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

void sqlite_place_fini(const char *folder)
{
	if (nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
		perror(folder);
}

void sqlite_place_values(const char *path, union pep_value *ret_values)
{
	ret_values[0].text = path;
	ret_values[1].number = 2048; /* cache_kib */
	ret_values[2].number = 64;   /* batch */
	ret_values[3].number = 64;   /* check_mib */
}
