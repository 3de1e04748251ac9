/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/audit.h"

#include "core/base/text.h"
#include "core/command/command.h"
#include "core/service/audit_check.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool is_hash(const char *text)
{
	return strlen(text) == AUDIT_HASH_SIZE && strspn(text, "0123456789abcdef") == AUDIT_HASH_SIZE;
}

/* "SEQ HASH" as the header has it, or the hash alone. */
static bool read_head(const char *text, struct audit_check *check)
{
	size_t digits = strspn(text, "0123456789");
	char seq[20] = "";

	if (is_hash(text)) {
		check->wanted = text;
		return true;
	}
	if (digits == 0 || digits >= sizeof(seq) || !strchr(" :", text[digits]) || !is_hash(text + digits + 1))
		return false;
	memcpy(seq, text, digits);
	check->wanted = text + digits + 1;
	return text_to_number(seq, 1, INT64_MAX, &check->wanted_seq);
}

static int check_all(struct audit_reader *reader, struct audit_check *check, struct audit_reader_line *ret_place)
{
	struct audit_reader_line line = {.text = NULL};
	struct pep_error err = {0};
	bool has_fault = false;

	for (;;) {
		if (audit_reader_next(reader, &line, &err) != PEP_OK)
			return command_complain(COMMAND_STORE, "%s", err.message);
		if (!line.text)
			break;
		/* The last line is on its way. */
		if (!line.has_end && !has_fault && audit_reader_is_written(reader))
			break;
		if (!audit_check_line(check, line.text, line.size, line.has_end) && !has_fault) {
			has_fault = true;
			*ret_place = line;
		}
		/* Others do not become clearer by what comes. */
		if (has_fault && check->fault != AUDIT_LOST)
			break;
	}
	return audit_check_end(check) ? COMMAND_DONE : COMMAND_DIFFERENT;
}

static const char *explain(const struct audit_check *check)
{
	static const char *const texts[] = {
		[AUDIT_ALTERED] = "has other bytes than were written, or is no record",
		[AUDIT_REWRITTEN] = "does not continue the record before it: one of the two was written anew",
		[AUDIT_LOST] = "is lost",
		[AUDIT_REORDERED] = "is not in its place, but further behind",
		[AUDIT_DUPLICATED] = "is there a second time",
		[AUDIT_CUT] = "is cut off in the middle; if the power was lost, the server tells of it when it starts again",
		[AUDIT_HEADLESS] = "is not what was published as the head: records were cut off at the end, or written anew",
	};

	if (check->fault == AUDIT_LOST && check->fault_seq == 1 && check->first_seq > 1 && !check->after)
		return "is not here: if earlier files were moved away, give the hash of their last record with --after";
	return texts[check->fault];
}

static int print_json(const struct audit_check *check, const struct audit_reader_line *place)
{
	bool is_sound = check->fault == AUDIT_SOUND;
	json_t *result = json_pack("{s:b, s:I, s:I, s:s, s:i}", "sound", is_sound, "first_seq", (json_int_t)check->first_seq, "seq",
				   (json_int_t)check->head.seq, "head", check->head.hash, "torn", (int)check->torn_count);
	int code = is_sound ? COMMAND_DONE : COMMAND_DIFFERENT;

	if (result && !is_sound)
		(void)json_object_set_new(result, "fault",
					  json_pack("{s:s, s:I, s:s*, s:I}", "kind", audit_fault_name(check->fault), "seq",
						    (json_int_t)check->fault_seq, "file", place->file, "line",
						    (json_int_t)place->number));
	if (!result || json_dumpf(result, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
		code = command_complain(COMMAND_FAILED, "the result cannot be written");
	json_decref(result);
	return code;
}

static int print_text(const struct audit_check *check, const struct audit_reader_line *place)
{
	if (check->fault == AUDIT_SOUND) {
		(void)printf("sound: records %" PRId64 " to %" PRId64 ", head %" PRId64 " %s\n", check->first_seq, check->head.seq,
			     check->head.seq, check->head.hash);
		if (check->torn_count)
			(void)printf("%u times a loss of power cut a write short; events \"torn\" hold what was left of it\n",
				     check->torn_count);
		return COMMAND_DONE;
	}
	(void)printf("NOT SOUND (%s): record %" PRId64 " %s", audit_fault_name(check->fault), check->fault_seq, explain(check));
	if (place->file)
		(void)printf("; see %s, line %" PRId64, place->file, place->number);
	(void)printf("\nup to there: records %" PRId64 " to %" PRId64 ", head %" PRId64 " %s\n", check->first_seq, check->head.seq,
		     check->head.seq, check->head.hash);
	return COMMAND_DIFFERENT;
}

int audit_verify(const struct audit_request *request)
{
	struct audit_check check = {.is_part = request->is_file, .after = request->after, .head = audit_genesis};
	struct audit_reader_line place = {.text = NULL};
	int code;

	if ((request->head && !read_head(request->head, &check)) || (request->after && !is_hash(request->after)))
		return command_complain(COMMAND_USAGE,
					"--head is \"SEQ HASH\" or HASH, --after is HASH: of 64 hex digits in lower case");
	code = check_all(request->reader, &check, &place);
	if (code != COMMAND_DONE && code != COMMAND_DIFFERENT)
		return code;
	return request->as_json ? print_json(&check, &place) : print_text(&check, &place);
}
