/* SPDX-License-Identifier: Apache-2.0 */
#include "redact.h"

#include <stdbool.h>
#include <string.h>

/* Stands in the text for a byte that is to go; the text itself has none, see clean(). */
#define GONE '\0'

static void clean(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\n') || text[i] == 0x7f)
			text[i] = '?';
}

static char *find(char *text, size_t size, const char *what)
{
	return memmem(text, size, what, strlen(what));
}

/* The end of the line in which `at` is. */
static char *line_end(char *at, const char *end)
{
	char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline : at + (end - at);
}

/* Whole blocks of PEM. One that began before the text or goes on behind it is taken from or to there. */
static void drop_keys(char *text, size_t size)
{
	const char *end = text + size;
	char *from = text; /* what lies before is done */
	char *at = text;

	while ((at = find(at, (size_t)(end - at), "PRIVATE KEY-----"))) {
		char *line = at;
		char *stop;

		while (line > from && line[-1] != '\n')
			line--;
		if (find(line, (size_t)(at - line), "-----END ")) { /* its beginning is not here */
			stop = line_end(at, end);
			line = from;
		} else {
			stop = find(at, (size_t)(end - at), "-----END ");
			stop = stop ? line_end(stop, end) : text + size;
		}
		memset(line, GONE, (size_t)(stop - line));
		from = stop;
		at = stop;
	}
}

static void drop_secret(char *text, size_t size, const char *secret)
{
	const char *end = text + size;
	size_t secret_size = strlen(secret);

	if (secret_size < REDACT_SECRET_MIN)
		return;
	for (char *at = find(text, size, secret); at; at = find(at, (size_t)(end - at), secret)) {
		memset(at, GONE, secret_size);
		at += secret_size;
	}
}

/* Digits of base64 and hex, and the backslash of bytes as Python prints them. */
static bool is_of_run(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '+' ||
	       byte == '/' || byte == '=' || byte == '\\';
}

static void drop_runs(char *text, size_t size)
{
	size_t start = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && is_of_run(text[i]))
			continue;
		if (i - start >= REDACT_RUN_MIN)
			memset(text + start, GONE, i - start);
		start = i + 1;
	}
}

/* Each stretch of what is to go becomes as many stars as fit, at most three. */
static size_t squeeze(char *text, size_t size)
{
	size_t used = 0;
	unsigned stars = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] != GONE) {
			stars = 0;
			text[used++] = text[i];
		} else if (stars < 3) {
			stars++;
			text[used++] = '*';
		}
	}
	return used;
}

size_t redact_text(char *text, size_t size, const char *const *secrets)
{
	clean(text, size);
	drop_keys(text, size);
	for (; *secrets; secrets++)
		drop_secret(text, size, *secrets);
	drop_runs(text, size);
	return squeeze(text, size);
}
