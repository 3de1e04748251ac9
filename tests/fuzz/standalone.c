/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target once over every file of a folder, without a fuzzer. No file is a failure: then the folder is the wrong one.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* NULL: it cannot be opened or read. In a piece of memory of its exact size, so that a sanitizer sees a byte too far. */
static uint8_t *read_file(FILE *file, size_t *ret_size)
{
	struct stat about;
	uint8_t *data;

	if (!file || fstat(fileno(file), &about) < 0)
		return NULL;
	*ret_size = (size_t)about.st_size;
	data = malloc(*ret_size ? *ret_size : 1);
	if (data && fread(data, 1, *ret_size, file) != *ret_size) {
		free(data);
		return NULL;
	}
	return data;
}

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size;
	uint8_t *data = read_file(file, &size);

	if (file)
		(void)fclose(file);
	if (!data) {
		(void)fprintf(stderr, "read %s: it cannot be opened or read\n", path);
		return -1;
	}
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

/* How many were run; negative: one could not be. */
static int run_folder(const char *folder)
{
	DIR *entries = opendir(folder);
	const struct dirent *entry;
	char path[4096];
	int count = 0;

	while (entries && count >= 0 && (entry = readdir(entries))) {
		int ran;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		ran = run_file(path);
		count = ran < 0 ? -1 : count + ran;
	}
	if (entries)
		(void)closedir(entries);
	return count;
}

int main(int argc, char **argv)
{
	int count = argc == 2 ? run_folder(argv[1]) : 0;

	if (count <= 0) {
		(void)fprintf(stderr, "usage: %s FOLDER, with at least one file in it\n", argv[0]);
		return 1;
	}
	(void)printf("%d inputs\n", count);
	return 0;
}
