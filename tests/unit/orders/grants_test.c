/* SPDX-License-Identifier: Apache-2.0
 *
 * grants_test.c - how many grants there is room for, and who makes room. The store is played: one note, and records that have or no
 * longer have what their grant replaces.
 */
#include "core/service/grants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char note[PEP_NOTE_SIZE + 1];
static int64_t note_revision;
static unsigned used_below; /* records of these numbers have another enrollment id */

bool storage_has_notes(const struct storage *storage)
{
	(void)storage;
	return true;
}

const char *storage_name(const struct storage *storage)
{
	(void)storage;
	abort();
}

pep_status storage_note_read(struct storage *storage, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	(void)storage, (void)err;
	assert_string_equal(name, GRANTS_NOTE);
	memcpy(text, note, strlen(note) + 1);
	*ret_revision = note_revision;
	return PEP_OK;
}

pep_status storage_note_write(struct storage *storage, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	(void)storage, (void)err;
	assert_string_equal(name, GRANTS_NOTE);
	assert_int_equal(revision, note_revision);
	assert_true(strlen(text) <= PEP_NOTE_SIZE);
	memcpy(note, text, strlen(text) + 1);
	note_revision++;
	return PEP_OK;
}

pep_status storage_get(struct storage *storage, struct arena *arena, const char *serial, const struct pep_identity **ret_id,
		       struct pep_error *err)
{
	struct pep_identity *record = arena_alloc(arena, sizeof(*record));

	(void)storage, (void)err;
	assert_non_null(record);
	*record =
		(struct pep_identity){.struct_size = sizeof(*record),
				      .enrollment_id = strtoul(serial + 3, NULL, 10) < used_below ? "A-new" : "A-0123456789abcdef"};
	*ret_id = record;
	return PEP_OK;
}

static pep_status put(unsigned number, const char *reason, struct pep_error *err)
{
	char serial[65];
	const struct grant grant = {.serial = serial,
				    .enrollment_id = "A-0123456789abcdef",
				    .reason = reason,
				    .actor = "anna",
				    .request_id = "7f3c9a2e41d05b68",
				    .granted_ms = 1700000000000};

	(void)snprintf(serial, sizeof(serial), "GW-%06u", number);
	return grants_put(NULL, &grant, err);
}

static bool is_there(unsigned number)
{
	struct pep_error err = {0};
	json_t *grant = NULL;
	char serial[65];
	bool found;

	(void)snprintf(serial, sizeof(serial), "GW-%06u", number);
	assert_int_equal(grants_find(NULL, serial, "A-0123456789abcdef", &grant, &err), PEP_OK);
	found = grant != NULL;
	json_decref(grant);
	return found;
}

static int set_up(void **state)
{
	(void)state;
	note[0] = '\0';
	note_revision = 0;
	used_below = 0;
	return 0;
}

/* With this reason; ends when one is refused. */
static unsigned fill(const char *reason, struct pep_error *err)
{
	unsigned count = 0;
	pep_status status = PEP_OK;

	while (count < 2000 && status == PEP_OK) {
		status = put(count, reason, err);
		count += status == PEP_OK;
	}
	assert_int_equal(status, PEP_LIMIT);
	assert_non_null(strstr(err->message, "not used up"));
	return count;
}

static void two_hundred_fit_and_what_is_used_makes_room(void **state)
{
	struct pep_error err = {0};
	unsigned count = fill("RMA 4711, new mainboard", &err);
	char text[16];

	(void)state;
	assert_true(count >= 200);
	(void)snprintf(text, sizeof(text), " %u grants", count);
	assert_non_null(strstr(err.message, text));
	assert_true(is_there(0) && is_there(9) && is_there(count - 1));
	/* One that is there can be given anew, and another taken back. */
	assert_int_equal(put(7, "RMA 4711, new mainboard", &err), PEP_OK);
	assert_int_equal(grants_drop(NULL, "GW-000009", &err), PEP_OK);
	assert_int_equal(put(count, "RMA 4711, new mainboard", &err), PEP_OK);
	assert_false(is_there(9));
	assert_int_equal(put(count + 1, "RMA 4711, new mainboard", &err), PEP_LIMIT);
	used_below = 5;
	assert_int_equal(put(count + 1, "RMA 4711, new mainboard", &err), PEP_OK);
	assert_false(is_there(4));
	assert_true(is_there(5) && is_there(count + 1));
}

/* What JSON doubles counts as it is written. */
static void the_longest_reasons(void **state)
{
	char reason[GRANTS_REASON_MAX + 1];
	struct pep_error err = {0};

	(void)state;
	memset(reason, '"', GRANTS_REASON_MAX);
	reason[GRANTS_REASON_MAX] = '\0';
	assert_in_range(fill(reason, &err), 50, 199);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(two_hundred_fit_and_what_is_used_makes_room, set_up),
		cmocka_unit_test_setup(the_longest_reasons, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
