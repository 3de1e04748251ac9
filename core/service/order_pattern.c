/* SPDX-License-Identifier: Apache-2.0
 *
 * order_pattern.c - is the pattern of an order one that costs little? It comes from people, and regcomp() of glibc has no bounds of its own:
 * it writes repetitions out, follows what may be empty by recursion, until the stack of the thread ends, and for ever where that is
 * repeated: ((a*)*){300}.
 */
#include "core/service/order.h"

#include <string.h>

#define PARTS_MAX 2048u

/* A piece of the pattern. */
struct part {
	unsigned size;      /* in characters, when its repetitions are written out */
	bool may_be_empty;  /* what it matches */
	bool has_empty_way; /* of a group: one of its alternatives before this one may be empty */
};

struct look {
	struct part groups[ORDER_PATTERN_MAX + 1]; /* the open ones, outermost first, without `last` */
	size_t open;
	struct part last; /* what a repetition would be of */
	const char *fault;
};

/* Decimal digits as a number, or PARTS_MAX + 1 if it is more. */
static unsigned count_of(const char *digits)
{
	unsigned count = 0;

	for (; *digits >= '0' && *digits <= '9' && count <= PARTS_MAX; digits++)
		count = count * 10 + (unsigned)(*digits - '0');
	return count <= PARTS_MAX ? count : PARTS_MAX + 1;
}

/* How many copies does {...} make? Of {2,5} five, of {2,} three. */
static unsigned copies_of(const char *digits)
{
	const char *comma = digits + strspn(digits, "0123456789");
	unsigned least = count_of(digits) + (*comma == ',');
	unsigned most = *comma == ',' ? count_of(comma + 1) : 1;

	return most > least ? most : least;
}

/* [...] up to its end, or that of the text. A bracket stands for itself in front, and in [:alpha:] and its like. */
static const char *end_of_list(const char *at)
{
	at += at[1] == '^' ? 2 : 1;
	for (at += *at == ']'; *at && *at != ']'; at++) {
		char kind = at[1];

		if (at[0] != '[' || !kind || !strchr(":.=", kind))
			continue;
		for (at += 2; at[0] && !(at[0] == kind && at[1] == ']');)
			at++;
		if (!*at++)
			return at - 1;
	}
	return at;
}

/* The last part is done with, and another takes its place. */
static void add(struct look *look, unsigned size, bool may_be_empty)
{
	struct part *group = &look->groups[look->open];

	group->size += look->last.size;
	group->may_be_empty &= look->last.may_be_empty;
	look->last = (struct part){.size = size, .may_be_empty = may_be_empty};
}

static void open_group(struct look *look)
{
	add(look, 0, true);
	look->groups[++look->open] = (struct part){.may_be_empty = true};
}

static void next_way(struct look *look)
{
	struct part *group = &look->groups[look->open];

	add(look, 1, true);
	group->has_empty_way |= group->may_be_empty;
	group->may_be_empty = true;
}

static void close_group(struct look *look)
{
	if (!look->open) {
		look->fault = "with a ( for each )"; /* a)|(b would stand outside of ours */
		return;
	}
	next_way(look);
	look->last.size += look->groups[look->open].size;
	look->last.may_be_empty = look->groups[look->open--].has_empty_way;
}

static void repeat(struct look *look, const char *at)
{
	struct part *part = &look->last;
	unsigned copies = *at == '{' ? copies_of(at + 1) : *at == '+' ? 2 : 1;

	if (*at != '?' && part->may_be_empty)
		look->fault = "without repetitions of what may be empty, such as (a*)*";
	part->size = (part->size + 1) * copies;
	part->may_be_empty |= *at == '*' || *at == '?' || (*at == '{' && count_of(at + 1) == 0);
}

/* The part that begins there; returns where it ends. */
static const char *take_part(struct look *look, const char *at)
{
	switch (*at) {
	case '(':
		open_group(look);
		return at + 1;
	case ')':
		close_group(look);
		return at + 1;
	case '|':
		next_way(look);
		return at + 1;
	case '*':
	case '+':
	case '?':
	case '{':
		repeat(look, at);
		at += *at == '{' ? strcspn(at, "}") : 0;
		break;
	case '[':
		add(look, 1, false);
		at = end_of_list(at);
		break;
	case '\\':
		/* A letter may stand for a place (\b, of GNU), a digit for a group. */
		at += at[1] != '\0';
		add(look, 1, strchr("bB<>`'", *at) != NULL);
		if (*at >= '0' && *at <= '9')
			look->fault = "without references to an earlier group";
		break;
	default:
		add(look, 1, *at == '^' || *at == '$');
		break;
	}
	return *at ? at + 1 : at;
}

const char *order_pattern_fault(const char *pattern)
{
	struct look look = {.groups = {{.may_be_empty = true}}, .last = {.may_be_empty = true}};

	if (strlen(pattern) > ORDER_PATTERN_MAX)
		return "at most 256 bytes";
	while (*pattern && !look.fault) {
		pattern = take_part(&look, pattern);
		if (look.groups[look.open].size + look.last.size > PARTS_MAX)
			look.fault = "smaller: with all repetitions written out, it may have 2048 characters";
	}
	return look.fault;
}
