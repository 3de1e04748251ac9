/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_walk.h"

#include "core/base/json.h"
#include "core/service/audit_reader.h"

#include <string.h>
#include <time.h>

static int64_t time_ms(const char *text)
{
	char seconds[AUDIT_TIME_SIZE + 1] = "";
	struct tm parts = {0};

	memcpy(seconds, text, 19);
	if (!strptime(seconds, "%Y-%m-%dT%H:%M:%S", &parts))
		return 0;
	return (int64_t)timegm(&parts) * 1000 + INT64_C(100) * (text[20] - '0') + INT64_C(10) * (text[21] - '0') + (text[22] - '0');
}

static void show_line(const struct audit_walk *walk, const char *since, const struct audit_reader_line *text)
{
	struct pep_error ignored = {0};
	struct audit_line line;
	json_t *event = NULL;

	if (!memmem(text->text, text->size, walk->pattern, strlen(walk->pattern)) ||
	    !audit_line_read(text->text, text->size, &line) || line.seq < walk->since_seq ||
	    memcmp(line.time, since, AUDIT_TIME_SIZE) < 0 || json_parse_text(line.text, line.size, &event, &ignored) != PEP_OK)
		return;
	walk->each(walk->context, event, time_ms(line.time));
	json_decref(event);
}

static void note_first(const struct audit_reader_line *text, struct audit_walked *walked)
{
	struct audit_line line;

	if (walked->first_seq || !audit_line_read(text->text, text->size, &line))
		return;
	walked->first_seq = line.seq;
	walked->first_ms = time_ms(line.time);
}

pep_status audit_walk(const char *folder, const struct audit_walk *walk, struct audit_walked *ret_walked, struct pep_error *err)
{
	struct audit_walked walked = {.first_seq = 0};
	struct audit_reader_line line = {.text = NULL};
	char since[AUDIT_TIME_SIZE + 1];
	struct audit_reader *reader;
	int64_t count = 0;
	pep_status status = audit_reader_open(folder, &reader, err);

	if (status != PEP_OK)
		return status;
	audit_time(walk->since_ms, since);
	status = audit_reader_seek(reader, walk->since_seq > 1 ? walk->since_seq : 1, walk->since_ms, err);
	while (status == PEP_OK && (!walk->line_limit || count < walk->line_limit)) {
		status = audit_reader_next(reader, &line, err);
		walked.is_end = status == PEP_OK && !line.text;
		if (status != PEP_OK || !line.text)
			break;
		count++;
		note_first(&line, &walked);
		show_line(walk, since, &line);
	}
	audit_reader_close(reader);
	if (ret_walked)
		*ret_walked = walked;
	return status;
}
