/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_check.h"

#include <string.h>

const char *audit_fault_name(enum audit_fault fault)
{
	static const char *const names[] = {
		[AUDIT_SOUND] = "sound", [AUDIT_ALTERED] = "altered",     [AUDIT_REWRITTEN] = "rewritten",
		[AUDIT_LOST] = "lost",   [AUDIT_REORDERED] = "reordered", [AUDIT_DUPLICATED] = "duplicated",
		[AUDIT_CUT] = "cut",     [AUDIT_HEADLESS] = "headless",
	};

	return names[fault];
}

static bool is_event(const struct audit_line *line, const char *event)
{
	/* Behind the server's name; whoever puts such a text into another member still has to escape its quotes. */
	char text[48];
	int size = snprintf(text, sizeof(text), "\"event\":\"%s\"", event);

	return memmem(line->text, line->size, text, (size_t)size) != NULL;
}

static bool fail(struct audit_check *check, enum audit_fault fault, int64_t seq)
{
	check->fault = fault;
	check->fault_seq = seq;
	return false;
}

static void begin(struct audit_check *check, const struct audit_line *line)
{
	const char *after = check->after;

	if (!after && check->is_part && is_event(line, "segment"))
		after = line->prev;
	check->first_seq = line->seq;
	check->head = audit_genesis;
	if (after) {
		check->head.seq = line->seq - 1;
		memcpy(check->head.hash, after, AUDIT_HASH_SIZE);
	}
}

static enum audit_fault judge(const struct audit_check *check, const struct audit_line *line)
{
	int64_t expected = check->head.seq + 1;

	if (!audit_line_is_sealed(line))
		return AUDIT_ALTERED;
	if (line->seq < expected)
		return AUDIT_DUPLICATED; /* all before were there */
	if (line->seq > expected)
		return AUDIT_LOST;
	return audit_line_follows(line, &check->head) ? AUDIT_SOUND : AUDIT_REWRITTEN;
}

bool audit_check_line(struct audit_check *check, const char *text, size_t size, bool has_end)
{
	struct audit_line line;
	bool is_line = has_end && audit_line_read(text, size, &line);
	enum audit_fault fault;

	if (check->fault != AUDIT_SOUND) {
		if (check->fault == AUDIT_LOST && is_line && line.seq == check->fault_seq)
			check->fault = AUDIT_REORDERED;
		return false;
	}
	if (!is_line)
		return fail(check, has_end ? AUDIT_ALTERED : AUDIT_CUT, check->head.seq + 1);
	if (!check->first_seq)
		begin(check, &line);
	fault = judge(check, &line);
	if (fault != AUDIT_SOUND)
		return fail(check, fault, fault == AUDIT_DUPLICATED ? line.seq : check->head.seq + 1);
	check->head = audit_line_head(&line);
	check->torn_count += is_event(&line, "torn");
	if (check->wanted && memcmp(check->wanted, line.hash, AUDIT_HASH_SIZE) == 0)
		check->is_wanted_found = !check->wanted_seq || check->wanted_seq == line.seq;
	return true;
}

bool audit_check_end(struct audit_check *check)
{
	if (check->fault == AUDIT_SOUND && check->wanted && !check->is_wanted_found)
		return fail(check, AUDIT_HEADLESS, check->wanted_seq ? check->wanted_seq : check->head.seq + 1);
	return check->fault == AUDIT_SOUND;
}
