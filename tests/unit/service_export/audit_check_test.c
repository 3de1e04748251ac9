/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_check_test.c - ten thousand ways to tamper with an audit, each of which is found; and the reader of its files.
 */
#include "core/service/audit_check.h"
#include "core/service/audit_folder.h"
#include "core/service/audit_reader.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LINES 60
#define TAMPERINGS 10000

/* A chain of some lines, and where each begins; line[LINES] is its end. */
struct chain {
	char *text;
	size_t line[LINES + 1];
	struct audit_head head;
};

/* Numbers that look random and are the same each time (xorshift). */
static uint64_t seed = 88172645463325252u;

static size_t pick(size_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % below);
}

static void make_chain(struct chain *chain)
{
	struct buffer out;
	char members[128], time[AUDIT_TIME_SIZE + 1];

	buffer_init(&out, 1 << 20);
	chain->head = audit_genesis;
	for (int i = 0; i < LINES; i++) {
		chain->line[i] = out.size;
		(void)snprintf(members, sizeof(members), "\"event\":\"%s\",\"serial\":\"S-%d\"", i == 7 ? "torn" : "provision",
			       i % 4);
		audit_time(1804055400000 + i * INT64_C(60000), time);
		audit_line_seal(&out, &chain->head, time, "line-1", members);
	}
	chain->line[LINES] = out.size;
	assert_false(out.failed);
	chain->text = out.data;
}

static int set_up(void **state)
{
	struct chain *chain = calloc(1, sizeof(*chain));

	make_chain(chain);
	*state = chain;
	return 0;
}

static int tear_down(void **state)
{
	struct chain *chain = *state;

	free(chain->text);
	free(chain);
	return 0;
}

static void check_text(struct audit_check *check, const char *text, size_t size)
{
	const char *end = text + size;

	check->head = audit_genesis;
	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((line_end ? line_end : end) - text);

		(void)audit_check_line(check, text, length, line_end != NULL);
		text += length + 1;
	}
	(void)audit_check_end(check);
}

static void what_was_written_is_sound(void **state)
{
	const struct chain *chain = *state;
	struct audit_check check = {.wanted = chain->head.hash, .wanted_seq = LINES};

	check_text(&check, chain->text, chain->line[LINES]);
	assert_int_equal(check.fault, AUDIT_SOUND);
	assert_int_equal(check.first_seq, 1);
	assert_int_equal(check.head.seq, LINES);
	assert_int_equal(check.torn_count, 1);
	check = (struct audit_check){.wanted = NULL};
	check_text(&check, chain->text, 0);
	assert_int_equal(check.fault, AUDIT_SOUND);
}

/* A copy with line `from` put before line `to`, and without it in its place unless it is `kept`. */
static size_t move_line(const struct chain *chain, size_t from, size_t to, bool kept, char *ret_text)
{
	size_t size = 0;

	for (size_t i = 0; i <= LINES; i++) {
		if (i == to) {
			memcpy(ret_text + size, chain->text + chain->line[from], chain->line[from + 1] - chain->line[from]);
			size += chain->line[from + 1] - chain->line[from];
		}
		if (i == LINES || (i == from && !kept))
			continue;
		memcpy(ret_text + size, chain->text + chain->line[i], chain->line[i + 1] - chain->line[i]);
		size += chain->line[i + 1] - chain->line[i];
	}
	return size;
}

static size_t without_line(const struct chain *chain, size_t gone, char *ret_text)
{
	size_t start = chain->line[gone], end = chain->line[gone + 1], all = chain->line[LINES];

	memcpy(ret_text, chain->text, start);
	memcpy(ret_text + start, chain->text + end, all - end);
	return all - (end - start);
}

struct tampering {
	size_t size;             /* of what came out */
	enum audit_fault fault;  /* as which it is to be found; AUDIT_SOUND: as any */
	int64_t seq;             /* 0: at any */
	bool shows_by_head_only; /* what is left is sound */
};

static struct tampering flip(const struct chain *chain, char *text)
{
	struct tampering tampering = {.size = chain->line[LINES]};
	size_t at = pick(tampering.size);

	memcpy(text, chain->text, tampering.size);
	text[at] = (char)(text[at] ^ (1 << pick(8)));
	for (size_t i = 0; i < LINES; i++)
		if (at >= chain->line[i])
			tampering.seq = (int64_t)i + 1;
	return tampering;
}

static struct tampering drop(const struct chain *chain, char *text)
{
	size_t gone = pick(LINES);

	return (struct tampering){.size = without_line(chain, gone, text),
				  .fault = gone == LINES - 1 ? AUDIT_HEADLESS : AUDIT_LOST,
				  .seq = gone == LINES - 1 ? 0 : (int64_t)gone + 1,
				  .shows_by_head_only = gone == LINES - 1};
}

static struct tampering swap(const struct chain *chain, char *text)
{
	size_t from = pick(LINES), to = pick(LINES - 1);
	struct tampering tampering = {.fault = AUDIT_REORDERED};

	to += to >= from ? 2 : 0; /* before itself, or before the next, it would not move */
	tampering.size = move_line(chain, from, to, false, text);
	/* Moved to the front, the one whose place it takes is the first that is not in its own. */
	tampering.seq = (int64_t)(from < to ? from : to) + 1;
	return tampering;
}

static struct tampering duplicate(const struct chain *chain, char *text)
{
	size_t which = pick(LINES), to = which + 1 + pick(LINES - which);

	return (struct tampering){
		.size = move_line(chain, which, to, true, text), .fault = AUDIT_DUPLICATED, .seq = (int64_t)which + 1};
}

static struct tampering truncate_it(const struct chain *chain, char *text)
{
	struct tampering tampering = {.size = pick(chain->line[LINES])};

	memcpy(text, chain->text, tampering.size);
	tampering.shows_by_head_only = tampering.size == 0 || text[tampering.size - 1] == '\n';
	tampering.fault = tampering.shows_by_head_only ? AUDIT_HEADLESS : AUDIT_CUT;
	return tampering;
}

static void every_tampering_is_found(void **state)
{
	static struct tampering (*const ways[])(const struct chain *chain, char *text) = {flip, drop, swap, duplicate, truncate_it};
	const struct chain *chain = *state;
	char *text = malloc(2 * chain->line[LINES]);

	assert_non_null(text);
	for (unsigned i = 0; i < TAMPERINGS; i++) {
		struct tampering tampering = ways[i % 5](chain, text);
		struct audit_check with_head = {.wanted = chain->head.hash, .wanted_seq = LINES}, without = {.wanted = NULL};

		check_text(&with_head, text, tampering.size);
		check_text(&without, text, tampering.size);
		if (with_head.fault == AUDIT_SOUND || (without.fault == AUDIT_SOUND) != tampering.shows_by_head_only ||
		    (tampering.fault != AUDIT_SOUND && with_head.fault != tampering.fault) ||
		    (tampering.seq && with_head.fault_seq != tampering.seq))
			fail_msg("tampering %u: %s at %lld, without a head %s; expected %s at %lld", i,
				 audit_fault_name(with_head.fault), (long long)with_head.fault_seq, audit_fault_name(without.fault),
				 audit_fault_name(tampering.fault), (long long)tampering.seq);
	}
	free(text);
}

/* Who can write the file can make a new chain of it: only a head that was published shows that. */
static void a_chain_that_was_made_anew_has_another_head(void **state)
{
	const struct chain *chain = *state;
	struct audit_head head = audit_genesis;
	struct audit_check check = {.wanted = chain->head.hash, .wanted_seq = LINES};
	struct buffer out;

	buffer_init(&out, 1 << 20);
	for (int i = 0; i < LINES + 5; i++)
		audit_line_seal(&out, &head, "2027-03-03T06:30:00.000Z", "line-1", "\"event\":\"provision\"");
	check_text(&check, out.data, out.size);
	assert_int_equal(check.fault, AUDIT_HEADLESS);
	check = (struct audit_check){.wanted = NULL};
	check_text(&check, out.data, out.size);
	assert_int_equal(check.fault, AUDIT_SOUND);
	buffer_fini(&out);
}

static void a_record_made_anew_does_not_continue(void **state)
{
	const struct chain *chain = *state;
	struct audit_head head = audit_genesis;
	struct audit_check check = {.wanted = NULL};
	struct buffer out;

	buffer_init(&out, 1 << 20);
	audit_line_seal(&out, &head, "2027-03-03T06:30:00.000Z", "line-1", "\"event\":\"provision\"");
	buffer_append(&out, chain->text + chain->line[1], chain->line[LINES] - chain->line[1]);
	check_text(&check, out.data, out.size);
	assert_int_equal(check.fault, AUDIT_REWRITTEN);
	assert_int_equal(check.fault_seq, 2);
	buffer_fini(&out);
}

static void files_that_were_moved_away_need_their_head(void **state)
{
	const struct chain *chain = *state;
	char hash[AUDIT_HASH_SIZE + 1] = "";
	struct audit_check check = {.after = hash};
	size_t start = chain->line[20];
	struct audit_line before;

	assert_true(audit_line_read(chain->text + chain->line[19], start - 1 - chain->line[19], &before));
	memcpy(hash, before.hash, AUDIT_HASH_SIZE);
	check_text(&check, chain->text + start, chain->line[LINES] - start);
	assert_int_equal(check.fault, AUDIT_SOUND);
	assert_int_equal(check.first_seq, 21);
	hash[5] = 'x';
	check = (struct audit_check){.after = hash};
	check_text(&check, chain->text + start, chain->line[LINES] - start);
	assert_int_equal(check.fault, AUDIT_REWRITTEN);
	check = (struct audit_check){.wanted = NULL};
	check_text(&check, chain->text + start, chain->line[LINES] - start);
	assert_int_equal(check.fault, AUDIT_LOST);
	assert_int_equal(check.fault_seq, 1);
}

/* --- the reader --- */

static void write_file(const char *folder, const char *name, const char *text, size_t size)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	(void)close(fd);
}

/* The seq of each line in turn, from `seq` on. Returns the first. */
static int64_t read_on(const char *path, int64_t seq, int64_t since_ms, bool seeks)
{
	struct audit_reader *reader = NULL;
	struct audit_reader_line text;
	struct audit_line line;
	struct pep_error err = {0};
	int64_t first = 0, last = 0;

	if (audit_reader_open(path, &reader, &err) != PEP_OK)
		fail_msg("%s", err.message);
	if (seeks)
		assert_int_equal(audit_reader_seek(reader, seq, since_ms, &err), PEP_OK);
	while (audit_reader_next(reader, &text, &err) == PEP_OK && text.text) {
		assert_true(text.has_end);
		assert_true(audit_line_read(text.text, text.size, &line));
		if (!first)
			first = line.seq;
		else
			assert_int_equal(line.seq, last + 1);
		last = line.seq;
	}
	assert_int_equal(last, LINES);
	audit_reader_close(reader);
	return first;
}

static void lines_come_from_all_files_in_order(void **state)
{
	const struct chain *chain = *state;
	char folder[] = "/tmp/pep-audit-read-XXXXXX", path[128];
	struct audit_reader *reader = NULL;
	struct pep_error err = {0};

	assert_non_null(mkdtemp(folder));
	assert_int_equal(audit_reader_open(folder, &reader, &err), PEP_NOT_FOUND);
	write_file(folder, "audit-000001.jsonl", chain->text, chain->line[10]);
	write_file(folder, "audit-000002.jsonl", chain->text + chain->line[10], chain->line[30] - chain->line[10]);
	write_file(folder, "audit.jsonl", chain->text + chain->line[30], chain->line[LINES] - chain->line[30]);
	write_file(folder, "audit-2.jsonl", "not ours", 8);
	assert_int_equal(read_on(folder, 0, 0, false), 1);
	for (int64_t seq = 1; seq <= LINES + 1; seq++) {
		int64_t first = read_on(folder, seq, 0, true);

		/* A file is small here, so it comes from its beginning. */
		assert_int_equal(first, seq <= 11 ? 1 : seq <= 31 ? 11 : 31);
	}
	/* One line a minute; it goes back by one. */
	assert_int_equal(read_on(folder, 1, 1804055400000 + INT64_C(2400000), true), 31);
	assert_int_equal(read_on(folder, 1, 1804055400000 + INT64_C(900000), true), 11);
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	assert_int_equal(read_on(path, 0, 0, false), 31);
	assert_int_equal(read_on(path, 40, 0, true), 31);
	(void)unlink(path);
	assert_int_equal(audit_reader_open(path, &reader, &err), PEP_NOT_FOUND);
	(void)snprintf(path, sizeof(path), "%s/audit-000001.jsonl", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/audit-000002.jsonl", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/audit-2.jsonl", folder);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

/* A file much larger than what is looked at: seeking comes close, and never too far. */
static void seeking_comes_close(void **state)
{
	char folder[] = "/tmp/pep-audit-seek-XXXXXX", path[128];
	struct audit_head head = audit_genesis;
	struct buffer out;

	(void)state;
	assert_non_null(mkdtemp(folder));
	buffer_init(&out, 8 << 20);
	for (int i = 0; i < 10000; i++)
		audit_line_seal(&out, &head, "2027-03-03T06:30:00.000Z", "line-1", "\"event\":\"provision\"");
	assert_false(out.failed);
	write_file(folder, "audit.jsonl", out.data, out.size);
	buffer_fini(&out);
	for (int64_t seq = 1; seq <= 10001; seq += 250) {
		struct audit_reader *reader;
		struct audit_reader_line text;
		struct audit_line line;

		assert_int_equal(audit_reader_open(folder, &reader, NULL), PEP_OK);
		assert_int_equal(audit_reader_seek(reader, seq, 0, NULL), PEP_OK);
		assert_int_equal(audit_reader_next(reader, &text, NULL), PEP_OK);
		assert_true(audit_line_read(text.text, text.size, &line));
		assert_true(line.seq <= seq && line.seq >= seq - 600);
		audit_reader_close(reader);
	}
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

/* What is longer than any line can be is given in pieces that have no end, and so are no records. */
static void a_file_without_lines_is_read_to_its_end(void **state)
{
	char folder[] = "/tmp/pep-audit-long-XXXXXX", path[128];
	size_t size = 5 * (size_t)AUDIT_LINE_LIMIT + 7, got = 0;
	struct audit_reader *reader;
	struct audit_reader_line text;
	char *data = malloc(size);

	(void)state;
	assert_non_null(data);
	memset(data, 'x', size);
	assert_non_null(mkdtemp(folder));
	write_file(folder, "audit.jsonl", data, size);
	free(data);
	assert_int_equal(audit_reader_open(folder, &reader, NULL), PEP_OK);
	while (audit_reader_next(reader, &text, NULL) == PEP_OK && text.text) {
		assert_false(text.has_end);
		got += text.size;
	}
	assert_int_equal(got, size);
	audit_reader_close(reader);
	(void)snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_sound),
		cmocka_unit_test(every_tampering_is_found),
		cmocka_unit_test(a_chain_that_was_made_anew_has_another_head),
		cmocka_unit_test(a_record_made_anew_does_not_continue),
		cmocka_unit_test(files_that_were_moved_away_need_their_head),
		cmocka_unit_test(lines_come_from_all_files_in_order),
		cmocka_unit_test(seeking_comes_close),
		cmocka_unit_test(a_file_without_lines_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
