/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_walk.h"

#include "core/base/json.h"
#include "core/service/audit_reader.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct walk {
	char since[AUDIT_TIME_SIZE + 1];
	char pattern[80]; /* what a line of the event holds */
	void (*each)(void *context, const json_t *event, int64_t at_ms);
	void *context;
};

static int64_t time_ms(const char *text)
{
	char seconds[AUDIT_TIME_SIZE + 1] = "";
	struct tm parts = {0};

	memcpy(seconds, text, 19);
	if (!strptime(seconds, "%Y-%m-%dT%H:%M:%S", &parts))
		return 0;
	return (int64_t)timegm(&parts) * 1000 + INT64_C(100) * (text[20] - '0') + INT64_C(10) * (text[21] - '0') + (text[22] - '0');
}

static void show_line(const struct walk *walk, const struct audit_reader_line *text)
{
	struct pep_error ignored = {0};
	struct audit_line line;
	json_t *event = NULL;

	if (!audit_line_read(text->text, text->size, &line) || memcmp(line.time, walk->since, AUDIT_TIME_SIZE) < 0 ||
	    !memmem(line.text, line.size, walk->pattern, strlen(walk->pattern)) ||
	    json_parse_text(line.text, line.size, &event, &ignored) != PEP_OK)
		return;
	walk->each(walk->context, event, time_ms(line.time));
	json_decref(event);
}

pep_status audit_walk(const char *folder, const char *name, int64_t since_ms,
		      void (*each)(void *context, const json_t *event, int64_t at_ms), void *context, struct pep_error *err)
{
	struct walk walk = {.each = each, .context = context};
	struct audit_reader_line line = {.text = NULL};
	struct audit_reader *reader;
	pep_status status = audit_reader_open(folder, &reader, err);

	if (status != PEP_OK)
		return status;
	audit_time(since_ms, walk.since);
	(void)snprintf(walk.pattern, sizeof(walk.pattern), "\"event\":\"%s\"", name);
	status = audit_reader_seek(reader, 1, since_ms, err);
	while (status == PEP_OK && (status = audit_reader_next(reader, &line, err)) == PEP_OK && line.text)
		show_line(&walk, &line);
	audit_reader_close(reader);
	return status;
}
