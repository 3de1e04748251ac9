/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target once over every file of a folder, without a fuzzer. No file is a failure: then the folder is not the right one.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX ((size_t)1 << 20)

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *data = malloc(INPUT_MAX);
	size_t size = file && data ? fread(data, 1, INPUT_MAX, file) : 0;
	char *exact = realloc(data, size ? size : 1); /* so that a sanitizer sees a byte too far */

	if (!file || !exact || ferror(file)) {
		(void)fprintf(stderr, "read %s: it cannot be opened or read\n", path);
		free(exact ? exact : data);
		if (file)
			(void)fclose(file);
		return -1;
	}
	(void)fclose(file);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)exact, size);
	free(exact);
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
