/* SPDX-License-Identifier: Apache-2.0
 *
 * progress_test.c - what is kept of a subscriber can be read again, always fits into a note, and is refused when it is damaged.
 */
#include "core/service/progress.h"

#include <pep/storage.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

static void make_id(unsigned number, char ret_id[PROGRESS_ID_SIZE])
{
	(void)snprintf(ret_id, PROGRESS_ID_SIZE, "%024x", number);
}

static char *write(const struct progress *progress)
{
	struct buffer text;

	buffer_init(&text, PEP_NOTE_SIZE + 1);
	progress_write(progress, &text);
	assert_true(text.size <= PEP_NOTE_SIZE);
	buffer_byte(&text, '\0');
	assert_false(text.failed);
	return text.data;
}

/* As large as it can get: letters whose every byte is escaped, and more ids than fit. */
static void fill(struct progress *progress, unsigned dead_count, unsigned told_count)
{
	char id[PROGRESS_ID_SIZE];

	make_id(7, progress->cursor);
	memset(progress->holder, '"', sizeof(progress->holder) - 1);
	progress->until_ms = INT64_MAX;
	progress->dead_count = dead_count;
	for (unsigned i = 0; i < dead_count; i++) {
		struct dead_letter *letter = &progress->dead[i];

		memset(letter->serial, '\\', sizeof(letter->serial) - 1);
		memset(letter->reason, '"', sizeof(letter->reason) - 1);
		make_id(i, letter->dispatch_id);
		letter->since_ms = INT64_MAX;
	}
	for (unsigned i = 0; i < told_count; i++) {
		make_id(8 + i, id);
		assert_true(told_add(&progress->told, id));
	}
}

static void it_is_read_as_it_was_written(void **state)
{
	static const unsigned sizes[][2] = {{0, 0}, {1, 1}, {64, 100}, {3, 1000}};
	struct pep_error err = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct progress *progress = calloc(1, sizeof(*progress)), *read = calloc(1, sizeof(*read));
		char *text;

		assert_non_null(progress);
		assert_non_null(read);
		fill(progress, sizes[i][0], sizes[i][1]);
		text = write(progress);
		assert_int_equal(progress_read(text, read, &err), PEP_OK);
		assert_string_equal(read->cursor, progress->cursor);
		assert_string_equal(read->holder, progress->holder);
		assert_int_equal(read->until_ms, progress->until_ms);
		assert_int_equal(read->dead_count, progress->dead_count);
		assert_memory_equal(read->dead, progress->dead, sizeof(read->dead));
		assert_int_equal(read->told.count, progress->told.count);
		if (read->told.count)
			assert_memory_equal(read->told.ids, progress->told.ids, read->told.count * sizeof(*read->told.ids));
		free(text);
		progress_fini(progress);
		progress_fini(read);
		free(progress);
		free(read);
	}
}

static void it_always_fits_and_keeps_the_newest(void **state)
{
	struct progress *progress = calloc(1, sizeof(*progress)), *read = calloc(1, sizeof(*read));
	struct pep_error err = {0};
	char *text;

	(void)state;
	assert_non_null(progress);
	assert_non_null(read);
	fill(progress, PROGRESS_DEAD_MAX, 20000);
	text = write(progress);
	assert_true(strlen(text) > PEP_NOTE_SIZE - 64);
	assert_int_equal(progress_read(text, read, &err), PEP_OK);
	assert_in_range(read->told.count, 1000, 3000);
	assert_string_equal(read->told.ids[read->told.count - 1], progress->told.ids[progress->told.count - 1]);
	assert_int_equal(read->dead_count, PROGRESS_DEAD_MAX);
	free(text);
	progress_fini(progress);
	progress_fini(read);
	free(progress);
	free(read);
}

#define GOOD_CURSOR "\"cursor\":\"000000000000000000000001\""
#define REST ",\"holder\":\"\",\"until_ms\":0"

static void what_is_damaged_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"null",
		"{}",
		"{\"format\":2," GOOD_CURSOR REST ",\"dead\":[],\"told\":\"\"}",
		"{\"format\":1,\"cursor\":\"00000000000000000000000g\"" REST ",\"dead\":[],\"told\":\"\"}",
		"{\"format\":1,\"cursor\":\"0001\"" REST ",\"dead\":[],\"told\":\"\"}",
		"{\"format\":1," GOOD_CURSOR REST ",\"dead\":{},\"told\":\"\"}",
		"{\"format\":1," GOOD_CURSOR REST ",\"dead\":[1],\"told\":\"\"}",
		"{\"format\":1," GOOD_CURSOR REST
		",\"dead\":[{\"serial\":\"S\",\"id\":\"1\",\"since_ms\":0,\"reason\":\"\"}],\"told\":\"\"}",
		"{\"format\":1," GOOD_CURSOR REST ",\"dead\":[],\"told\":\"00\"}",
		"{\"format\":1," GOOD_CURSOR REST ",\"dead\":[],\"told\":\"00000000000000000000000x\"}",
		"{\"format\":1," GOOD_CURSOR REST ",\"dead\":[],\"told\":",
	};
	struct progress *progress = calloc(1, sizeof(*progress));
	struct pep_error err = {0};

	(void)state;
	assert_non_null(progress);
	make_id(42, progress->cursor);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (progress_read(texts[i], progress, &err) != PEP_INVALID)
			fail_msg("was read: %s", texts[i]);
		assert_string_equal(progress->cursor, "00000000000000000000002a");
	}
	assert_int_equal(progress_read("{\"format\":1," GOOD_CURSOR REST ",\"dead\":[],\"told\":\"\"}", progress, &err), PEP_OK);
	progress_fini(progress);
	free(progress);
}

/* Against a table of flags. */
static void told_is_a_sorted_set(void **state)
{
	struct told told = {0};
	bool *there = calloc(4096, sizeof(*there));
	size_t count = 0;
	char id[PROGRESS_ID_SIZE];
	uint32_t seed = 1;

	(void)state;
	assert_non_null(there);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned number;

		seed = seed * 1664525U + 1013904223U;
		number = seed >> 20;
		make_id(number, id);
		assert_int_equal(told_has(&told, id), there[number]);
		if (step % 997 == 0) {
			told_forget(&told, id);
			for (unsigned i = 0; i <= number; i++) {
				count -= there[i];
				there[i] = false;
			}
		} else {
			assert_true(told_add(&told, id));
			count += !there[number];
			there[number] = true;
		}
		assert_int_equal(told.count, count);
	}
	for (size_t i = 1; i < told.count; i++)
		assert_true(strcmp(told.ids[i - 1], told.ids[i]) < 0);
	told_fini(&told);
	free(there);
}

static void told_has_a_limit(void **state)
{
	struct told told = {0};
	char id[PROGRESS_ID_SIZE];

	(void)state;
	for (unsigned i = 0; i < TOLD_MAX; i++) {
		make_id(i, id);
		assert_true(told_add(&told, id));
	}
	assert_int_equal(told_reserve(&told, 5), 0);
	make_id(TOLD_MAX, id);
	assert_false(told_add(&told, id));
	told_forget(&told, told.ids[9]);
	assert_int_equal(told_reserve(&told, 64), 10);
	assert_true(told_add(&told, id));
	told_fini(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_read_as_it_was_written),
		cmocka_unit_test(it_always_fits_and_keeps_the_newest),
		cmocka_unit_test(what_is_damaged_is_refused),
		cmocka_unit_test(told_is_a_sorted_set),
		cmocka_unit_test(told_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
