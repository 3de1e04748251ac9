/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/moment.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/command/audit.h"
#include "core/command/command.h"

#include <stdio.h>
#include <string.h>

/* A line that is none is shown: what is wrong with it is for `verify` to say. */
static bool is_of(const struct audit_reader_line *line, const char *serial)
{
	json_t *json = NULL;
	bool is_same;

	if (json_parse_text(line->text, line->size, &json, NULL) != PEP_OK)
		return true;
	is_same = text_equal(json_string_value(json_object_get(json, "serial")), serial);
	json_decref(json);
	return is_same;
}

static bool is_wanted(const struct audit_reader_line *text, const char *since, const char *serial)
{
	struct audit_line line;

	if (since && audit_line_read(text->text, text->size, &line) && memcmp(line.time, since, AUDIT_TIME_SIZE) < 0)
		return false;
	return !serial || is_of(text, serial);
}

int audit_show(const struct audit_request *request)
{
	char since[AUDIT_TIME_SIZE + 1];
	struct audit_reader_line line = {.text = NULL};
	struct pep_error err = {0};
	int64_t since_ms = 0;
	pep_status status = PEP_OK;

	if (request->since && !moment_parse(request->since, &since_ms))
		return command_complain(COMMAND_USAGE, "--since is a date, a time of RFC 3339, or milliseconds since 1970");
	audit_time(since_ms, since);
	if (since_ms)
		status = audit_reader_seek(request->reader, 1, since_ms, &err);
	while (status == PEP_OK) {
		status = audit_reader_next(request->reader, &line, &err);
		if (status != PEP_OK || !line.text || (!line.has_end && audit_reader_is_written(request->reader)))
			break;
		if (is_wanted(&line, since_ms ? since : NULL, request->serial) &&
		    (fwrite(line.text, 1, line.size, stdout) != line.size || putchar('\n') == EOF))
			return command_complain(COMMAND_FAILED, "standard output cannot be written");
	}
	return status == PEP_OK ? COMMAND_DONE : command_complain(COMMAND_STORE, "%s", err.message);
}
