/* SPDX-License-Identifier: Apache-2.0
 *
 * Notes: small texts with a revision each, beside the records. For stores that keep them.
 */
#include "storage_cases.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WRITERS 8u
#define ROUNDS 40u

/* As the server does: into a room of the contract's size, poisoned, with nothing behind it that may be touched. */
static int64_t read_note(struct store_driver *driver, const char *name, char *ret_text)
{
	char *own_name = strdup(name);
	int64_t revision = -1;
	struct pep_error err = {0};

	if (!own_name)
		abort();
	memset(ret_text, '#', PEP_NOTE_SIZE + 1);
	if (driver->ops->note_read(driver->store, own_name, ret_text, &revision, &err) != PEP_OK) {
		(void)fprintf(stderr, "note_read() failed: %s\n", err.message);
		abort();
	}
	memset(own_name, '#', strlen(own_name));
	free(own_name);
	return revision;
}

static pep_status write_note(struct store_driver *driver, const char *name, int64_t revision, const char *text)
{
	char *own_name = strdup(name), *own_text = strdup(text);
	struct pep_error err = {0};
	pep_status status;

	if (!own_name || !own_text)
		abort();
	status = driver->ops->note_write(driver->store, own_name, revision, own_text, &err);
	memset(own_name, '#', strlen(own_name));
	memset(own_text, '#', strlen(own_text));
	free(own_name);
	free(own_text);
	if (status != PEP_OK && (err.status != status || !err.message[0])) {
		(void)fprintf(stderr, "note_write() returned %d with an error of status %d: \"%s\"\n", (int)status, (int)err.status,
			      err.message);
		abort();
	}
	return status;
}

static char *new_text(void)
{
	char *text = malloc(PEP_NOTE_SIZE + 2);

	assert_non_null(text);
	return text;
}

static void expect(struct store_driver *driver, const char *name, int64_t revision, const char *expected)
{
	char *text = new_text();

	assert_int_equal(read_note(driver, name, text), revision);
	assert_string_equal(text, expected);
	free(text);
}

static void a_note_that_is_not_there_is_empty(void **state)
{
	expect(*state, "push.mes", 0, "");
	assert_int_equal(write_note(*state, "push.mes", 1, "x"), PEP_CONFLICT);
	assert_int_equal(write_note(*state, "push.mes", 7, "x"), PEP_CONFLICT);
	expect(*state, "push.mes", 0, "");
}

static void a_note_is_made_and_replaced(void **state)
{
	assert_int_equal(write_note(*state, "push.mes", 0, "one"), PEP_OK);
	expect(*state, "push.mes", 1, "one");
	assert_int_equal(write_note(*state, "push.mes", 1, "a much longer second text"), PEP_OK);
	expect(*state, "push.mes", 2, "a much longer second text");
	assert_int_equal(write_note(*state, "push.mes", 2, ""), PEP_OK);
	expect(*state, "push.mes", 3, "");
	/* The same text is a new revision all the same. */
	assert_int_equal(write_note(*state, "push.mes", 3, ""), PEP_OK);
	expect(*state, "push.mes", 4, "");
}

static void another_revision_changes_nothing(void **state)
{
	assert_int_equal(write_note(*state, "n", 0, "first"), PEP_OK);
	assert_int_equal(write_note(*state, "n", 0, "again"), PEP_CONFLICT);
	assert_int_equal(write_note(*state, "n", 2, "ahead"), PEP_CONFLICT);
	assert_int_equal(write_note(*state, "n", 1, "second"), PEP_OK);
	assert_int_equal(write_note(*state, "n", 1, "behind"), PEP_CONFLICT);
	expect(*state, "n", 2, "second");
}

static void names_are_apart(void **state)
{
	static const char longest[] = "0123456789abcdefghijklmnopqrstuvwxyz._-0123456789abcdefghijklmno";

	assert_int_equal(strlen(longest), 64);
	assert_int_equal(write_note(*state, "a", 0, "of a"), PEP_OK);
	assert_int_equal(write_note(*state, "a.b", 0, "of a.b"), PEP_OK);
	assert_int_equal(write_note(*state, longest, 0, "of the longest"), PEP_OK);
	assert_int_equal(write_note(*state, "a", 1, "of a again"), PEP_OK);
	expect(*state, "a", 2, "of a again");
	expect(*state, "a.b", 1, "of a.b");
	expect(*state, longest, 1, "of the longest");
	expect(*state, "a.", 0, "");
}

static void a_text_may_be_long_and_hold_anything_but_nul(void **state)
{
	static const char awkward[] = "{\"a\":\"'\\\";--$1 %s \xc3\xa4\xf0\x9f\x98\x80\n\t\x01";
	char *text = new_text();

	memset(text, 'x', PEP_NOTE_SIZE);
	memcpy(text, awkward, sizeof(awkward) - 1);
	text[PEP_NOTE_SIZE] = '\0';
	assert_int_equal(write_note(*state, "n", 0, text), PEP_OK);
	expect(*state, "n", 1, text);
	text[PEP_NOTE_SIZE] = 'x';
	text[PEP_NOTE_SIZE + 1] = '\0';
	assert_int_equal(write_note(*state, "n", 1, text), PEP_LIMIT);
	assert_int_equal(write_note(*state, "m", 0, text), PEP_LIMIT);
	text[PEP_NOTE_SIZE] = '\0';
	expect(*state, "n", 1, text);
	expect(*state, "m", 0, "");
	free(text);
}

static void notes_and_records_do_not_meet(void **state)
{
	struct store_driver *driver = *state;
	const struct pep_identity id = {.struct_size = sizeof(id),
					.state = PEP_FAILED,
					.created_ms = 1,
					.attempt = 1,
					.generation = 1,
					.serial = "push.mes"};

	assert_int_equal(write_note(driver, "push.mes", 0, "note"), PEP_OK);
	assert_int_equal(store_count(driver, SCAN_QUERY(.limit = 0)), 0);
	assert_int_equal(store_insert(driver, &id), PEP_OK);
	expect(driver, "push.mes", 1, "note");
	assert_int_equal(store_count(driver, SCAN_QUERY(.limit = 0)), 1);
}

static void a_note_outlives_its_store(void **state)
{
	struct store_driver *driver = *state;
	const struct storage_facts *facts = driver->facts;
	unsigned number = driver->number;

	if (!(facts->flags & PEP_STORAGE_DURABLE))
		skip();
	assert_int_equal(write_note(driver, "n", 0, "kept"), PEP_OK);
	assert_int_equal(write_note(driver, "n", 1, "kept, too"), PEP_OK);
	store_close(driver);
	store_open(driver, facts, number);
	expect(driver, "n", 2, "kept, too");
	assert_int_equal(write_note(driver, "n", 2, "and on"), PEP_OK);
}

/* --- many writers of one note --- */

struct crowd {
	struct store_driver *driver;
	pthread_barrier_t barrier;
	atomic_uint wins[ROUNDS], odd;
};

static void *write_rounds(void *context)
{
	struct crowd *crowd = context;
	char text[32];

	for (unsigned round = 0; round < ROUNDS; round++) {
		pep_status status;

		(void)snprintf(text, sizeof(text), "round %u", round);
		(void)pthread_barrier_wait(&crowd->barrier);
		status = write_note(crowd->driver, "n", (int64_t)round, text);
		atomic_fetch_add(status == PEP_OK ? &crowd->wins[round] : &crowd->odd, status != PEP_CONFLICT);
	}
	return NULL;
}

static void one_writer_wins(void **state)
{
	struct store_driver *driver = *state;
	struct crowd crowd = {.driver = driver};
	unsigned count = driver->ops->threads == PEP_THREADS_PARALLEL ? WRITERS : 1;
	pthread_t threads[WRITERS];
	char last[32];

	assert_int_equal(pthread_barrier_init(&crowd.barrier, NULL, count), 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_rounds, &crowd), 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	(void)pthread_barrier_destroy(&crowd.barrier);
	assert_int_equal(atomic_load(&crowd.odd), 0);
	for (unsigned round = 0; round < ROUNDS; round++)
		assert_int_equal(atomic_load(&crowd.wins[round]), 1);
	(void)snprintf(last, sizeof(last), "round %u", ROUNDS - 1);
	expect(driver, "n", ROUNDS, last);
}

const struct storage_case storage_note_cases[] = {
	{"a_note_that_is_not_there_is_empty", a_note_that_is_not_there_is_empty},
	{"a_note_is_made_and_replaced", a_note_is_made_and_replaced},
	{"another_revision_changes_nothing", another_revision_changes_nothing},
	{"names_are_apart", names_are_apart},
	{"a_text_may_be_long_and_hold_anything_but_nul", a_text_may_be_long_and_hold_anything_but_nul},
	{"notes_and_records_do_not_meet", notes_and_records_do_not_meet},
	{"a_note_outlives_its_store", a_note_outlives_its_store},
	{"one_writer_wins", one_writer_wins},
	{NULL, NULL},
};
