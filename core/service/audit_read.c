/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_read.h"

#include "core/base/cleanup.h"
#include "core/base/json.h"
#include "core/service/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* From here on it is quicker to read on than to jump. */
#define NEAR_ENOUGH 65536

struct walk {
	char since[AUDIT_TIME_SIZE + 1];
	char pattern[80]; /* what a line of the event holds */
	void (*each)(void *context, const json_t *event, int64_t at_ms);
	void *context;
	char text[AUDIT_LINE_LIMIT + 2]; /* the line that is looked at */
	struct audit_line line;
};

/* The next line that has the form of one. False: the end. */
static bool next_line(struct walk *walk, FILE *file)
{
	while (fgets(walk->text, sizeof(walk->text), file)) {
		size_t size = strcspn(walk->text, "\n");

		walk->text[size] = '\0';
		if (audit_line_read(walk->text, size, &walk->line))
			return true;
	}
	return false;
}

static bool is_since(const struct walk *walk)
{
	return memcmp(walk->line.time, walk->since, AUDIT_TIME_SIZE) >= 0;
}

/* Lines are in the order of time: a place before the first one that matters, not far from it. */
static off_t find_start(struct walk *walk, FILE *file, off_t size)
{
	off_t low = 0;
	off_t high = size;

	while (high - low > NEAR_ENOUGH) {
		off_t middle = low + (high - low) / 2;

		if (fseeko(file, middle, SEEK_SET) != 0)
			return low;
		/* The rest of a line that it is in has not the form of one. */
		if (!next_line(walk, file) || is_since(walk))
			high = middle;
		else
			low = middle;
	}
	return low;
}

static int64_t time_ms(const char *text)
{
	char seconds[AUDIT_TIME_SIZE + 1] = "";
	struct tm parts = {0};

	memcpy(seconds, text, 19);
	if (!strptime(seconds, "%Y-%m-%dT%H:%M:%S", &parts))
		return 0;
	return (int64_t)timegm(&parts) * 1000 + INT64_C(100) * (text[20] - '0') + INT64_C(10) * (text[21] - '0') + (text[22] - '0');
}

static void show_line(const struct walk *walk)
{
	struct pep_error ignored = {0};
	json_t *event = NULL;

	if (!is_since(walk) || !strstr(walk->text, walk->pattern) ||
	    json_parse_text(walk->line.text, walk->line.size, &event, &ignored) != PEP_OK)
		return;
	walk->each(walk->context, event, time_ms(walk->line.time));
	json_decref(event);
}

/* A file that is not there, or cannot be read, has nothing to show. */
static void walk_file(struct walk *walk, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct stat status;

	if (!file) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    fseeko(file, find_start(walk, file, status.st_size), SEEK_SET) == 0)
		while (next_line(walk, file))
			show_line(walk);
	(void)fclose(file);
}

static pep_status walk_folder(struct walk *walk, const char *folder, struct pep_error *err)
{
	AUTO(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(free_ptr) unsigned *numbers = NULL;
	size_t count = 0;
	pep_status status;

	if (fd < 0)
		return pep_fail(err, PEP_NOT_FOUND, errno, "read the audit in %s: %s", folder, strerror(errno));
	status = audit_folder_list(fd, &numbers, &count, err);
	if (status != PEP_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		char file[AUDIT_NAME_SIZE];

		audit_folder_name(numbers[i], file);
		walk_file(walk, fd, file);
	}
	walk_file(walk, fd, AUDIT_FILE_NAME);
	return PEP_OK;
}

pep_status audit_walk(const char *folder, const char *name, int64_t since_ms,
		      void (*each)(void *context, const json_t *event, int64_t at_ms), void *context, struct pep_error *err)
{
	struct walk *walk = malloc(sizeof(*walk)); /* a line is too much for a stack */
	pep_status status;

	if (!walk)
		return pep_fail(err, PEP_NO_MEMORY, 0, "read the audit in %s: out of memory", folder);
	walk->each = each;
	walk->context = context;
	audit_time(since_ms, walk->since);
	(void)snprintf(walk->pattern, sizeof(walk->pattern), "\"event\":\"%s\"", name);
	status = walk_folder(walk, folder, err);
	free(walk);
	return status;
}
