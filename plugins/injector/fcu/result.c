/* SPDX-License-Identifier: Apache-2.0 */
#include "result.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ends[] = {
	[RESULT_EXITED] = "exited",       [RESULT_SIGNALLED] = "signalled",     [RESULT_OVERDUE] = "overdue",
	[RESULT_CANCELLED] = "cancelled", [RESULT_NOT_STARTED] = "not-started",
};
enum { END_COUNT = sizeof(ends) / sizeof(ends[0]) };

size_t result_print(const struct result *result, char *text, size_t room)
{
	const struct output_found *found = &result->found;
	int size = snprintf(text, room, "pep-fcu-run 1\nserial %s\nend %s %d\nfound %u %s %s\noutput\n", result->serial,
			    ends[result->end], result->number, found->identities, found->malformed ? "malformed" : "whole",
			    found->identities ? found->identity : "-");
	size_t used = (size_t)size;
	size_t kept;

	if (size < 0 || used >= room)
		return 0;
	kept = result->output_size < room - used ? result->output_size : room - used;
	if (kept)
		memcpy(text + used, result->output + (result->output_size - kept), kept);
	return used + kept;
}

/* A whole number at `text`, from 0. */
static bool read_number(const char *text, int *ret_number)
{
	char *end = NULL;
	long number;

	if (*text < '0' || *text > '9')
		return false;
	number = strtol(text, &end, 10);
	if (*end || number > INT_MAX)
		return false;
	*ret_number = (int)number;
	return true;
}

/* The next line, copied; *rest is what follows it. */
static bool next_line(const char **rest, const char *end, char *line, size_t room)
{
	const char *newline = memchr(*rest, '\n', (size_t)(end - *rest));
	size_t size;

	if (!newline)
		return false;
	size = (size_t)(newline - *rest);
	if (size >= room || memchr(*rest, '\0', size))
		return false;
	memcpy(line, *rest, size);
	line[size] = '\0';
	*rest = newline + 1;
	return true;
}

/* The line's text behind `key` and a blank. */
static bool next_value(const char **rest, const char *end, const char *key, char *value, size_t room)
{
	size_t size = strlen(key);
	char line[512];

	if (!next_line(rest, end, line, sizeof(line)) || strncmp(line, key, size) != 0 || line[size] != ' ' ||
	    strlen(line + size + 1) >= room)
		return false;
	memcpy(value, line + size + 1, strlen(line + size + 1) + 1);
	return true;
}

/* A serial is one line without control characters: it goes into sentences. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool read_end(const char *value, struct result *result)
{
	for (int end = RESULT_EXITED; end < END_COUNT; end++) {
		size_t size = strlen(ends[end]);

		if (strncmp(value, ends[end], size) != 0 || value[size] != ' ')
			continue;
		result->end = (enum result_end)end;
		return read_number(value + size + 1, &result->number);
	}
	return false;
}

static bool read_found(const char *value, struct output_found *found)
{
	const char *identity;

	if (value[0] < '0' || value[0] > '2' || value[1] != ' ')
		return false;
	found->identities = (unsigned)(value[0] - '0');
	found->malformed = strncmp(value + 2, "malformed ", 10) == 0;
	if (!found->malformed && strncmp(value + 2, "whole ", 6) != 0)
		return false;
	identity = value + 2 + (found->malformed ? 10 : 6);
	if (!found->identities)
		return strcmp(identity, "-") == 0;
	if (!output_is_identity(identity, strlen(identity)))
		return false;
	memcpy(found->identity, identity, sizeof(found->identity));
	return true;
}

bool result_read(const char *text, size_t size, struct result *ret_result)
{
	const char *end = text + size;
	struct result result = {0};
	char line[256];

	if (!next_line(&text, end, line, sizeof(line)) || strcmp(line, "pep-fcu-run 1") != 0)
		return false;
	if (!next_value(&text, end, "serial", result.serial, sizeof(result.serial)) || !is_plain(result.serial))
		return false;
	if (!next_value(&text, end, "end", line, sizeof(line)) || !read_end(line, &result))
		return false;
	if (!next_value(&text, end, "found", line, sizeof(line)) || !read_found(line, &result.found))
		return false;
	if (!next_line(&text, end, line, sizeof(line)) || strcmp(line, "output") != 0)
		return false;
	result.output = text;
	result.output_size = (size_t)(end - text);
	*ret_result = result;
	return true;
}
