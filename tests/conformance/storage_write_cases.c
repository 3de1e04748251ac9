/* SPDX-License-Identifier: Apache-2.0
 *
 * What insert() and update() promise, one caller at a time.
 */
#include "storage_cases.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))
#define LONG_SIZE 400000u

/* The texts of a record are its last members, one after the other; the serial is number 0. */
static void set_text(struct pep_identity *id, size_t member, const char *text)
{
	(&id->serial)[member] = text;
}

static struct pep_identity plain(const char *serial)
{
	return (struct pep_identity){
		.struct_size = sizeof(struct pep_identity), .state = PEP_CLAIMED, .created_ms = 1, .serial = serial};
}

static void expect_stored(struct store_driver *driver, const struct pep_identity *id, int64_t revision)
{
	struct pep_identity expected = *id;
	struct arena arena = {0};
	const struct pep_identity *found = store_get(driver, &arena, id->serial);

	expected.revision = revision;
	assert_non_null(found);
	assert_same_identity(found, &expected);
	arena_fini(&arena);
}

static void expect_absent(struct store_driver *driver, const char *serial)
{
	struct arena arena = {0};

	assert_null(store_get(driver, &arena, serial));
	arena_fini(&arena);
}

static void table_is_complete(void **state)
{
	const struct store_driver *driver = *state;
	const struct pep_storage_ops *ops = driver->ops;

	assert_true(ops->struct_size >= offsetof(struct pep_storage_ops, now));
	assert_in_range(ops->threads, PEP_THREADS_SERIAL, PEP_THREADS_PARALLEL);
	assert_int_equal(ops->flags, driver->facts->flags);
	assert_true(ops->open && ops->close && ops->ping && ops->insert && ops->update);
	assert_true(ops->scan_open && ops->scan_next && ops->scan_close);
}

static void ping_works(void **state)
{
	struct store_driver *driver = *state;
	struct pep_error err = {0};

	assert_int_equal(driver->ops->ping(driver->store, &err), PEP_OK);
}

static void clock_is_near(void **state)
{
	struct store_driver *driver = *state;
	struct pep_error err = {0};
	int64_t now_ms = 0;

	if (!driver->ops->now)
		return;
	assert_int_equal(driver->ops->now(driver->store, &now_ms, &err), PEP_OK);
	assert_true(now_ms > INT64_C(1700000000000));
}

static void every_member_is_kept(void **state)
{
	struct store_driver *driver = *state;
	char texts[TEXT_COUNT][16];
	struct pep_identity id = {.struct_size = sizeof(id),
				  .state = PEP_ISSUED,
				  .revision = 77,
				  .created_ms = 11,
				  .deployed_ms = 12,
				  .lease_until_ms = 13,
				  .attempt = 14,
				  .contacted = 15,
				  .before = 16,
				  .generation = 17};

	for (size_t i = 0; i < TEXT_COUNT; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "text %zu", i);
		set_text(&id, i, texts[i]);
	}
	assert_int_equal(store_insert(driver, &id), PEP_OK);
	expect_stored(driver, &id, 1);
	id.revision = 1;
	for (size_t i = 1; i < TEXT_COUNT; i++)
		texts[i][0] = 'T';
	id.created_ms = 21;
	id.deployed_ms = 22;
	id.lease_until_ms = 23;
	id.attempt = 24;
	id.contacted = 25;
	id.before = 26;
	id.generation = 27;
	id.state = PEP_DEPLOYED;
	assert_int_equal(store_update(driver, &id), PEP_OK);
	expect_stored(driver, &id, 2);
}

static void absent_and_empty_differ(void **state)
{
	struct store_driver *driver = *state;
	struct pep_identity id = plain("all absent");

	assert_int_equal(store_insert(driver, &id), PEP_OK);
	expect_stored(driver, &id, 1);
	id.serial = "all empty";
	for (size_t i = 1; i < TEXT_COUNT; i++)
		set_text(&id, i, "");
	assert_int_equal(store_insert(driver, &id), PEP_OK);
	expect_stored(driver, &id, 1);
	/* And back. */
	for (size_t i = 1; i < TEXT_COUNT; i++)
		set_text(&id, i, NULL);
	id.revision = 1;
	assert_int_equal(store_update(driver, &id), PEP_OK);
	expect_stored(driver, &id, 2);
}

static void extremes_are_kept(void **state)
{
	struct store_driver *driver = *state;
	char serial[65] = "", *history = malloc(LONG_SIZE + 1);
	struct pep_identity id = plain(serial);

	assert_non_null(history);
	memset(serial, 'S', 64);
	serial[64] = '\0';
	memset(history, '[', LONG_SIZE);
	history[LONG_SIZE] = '\0';
	id.state = PEP_RETIRED;
	id.created_ms = INT64_MAX;
	id.deployed_ms = INT64_MIN;
	id.lease_until_ms = INT64_MAX;
	id.attempt = id.contacted = id.before = id.generation = UINT32_MAX;
	id.history = history;
	id.ou = "Gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x88 \xef\xbf\xbd";
	assert_int_equal(store_insert(driver, &id), PEP_OK);
	expect_stored(driver, &id, 1);
	id.revision = 1;
	id.created_ms = INT64_MIN;
	id.deployed_ms = INT64_MAX;
	id.lease_until_ms = INT64_MIN;
	history[LONG_SIZE / 2] = '\0';
	assert_int_equal(store_update(driver, &id), PEP_OK);
	expect_stored(driver, &id, 2);
	free(history);
}

/* Case, blanks, quotes and wildcards are just bytes. */
static void serials_are_bytes(void **state)
{
	static const char *const serials[] = {
		"x",  "X",   "x ",  " x",   "\xc3\xa4", "a\xcc\x88", "%",  "_",    "x%",
		"'",  "''",  "\"",  "; --", "$ne",      "{\"a\":1}", "\\", "\\x",  "0",
		"00", "0.0", "1e1", "10",   "NULL",     "null",      "?1", "true", "x\xf0\x9f\x90\x88"};
	struct store_driver *driver = *state;

	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct pep_identity id = plain(serials[i]);

		id.created_ms = (int64_t)i;
		id.dispatch_id = id.enrollment_id = id.reason = serials[i];
		expect_absent(driver, serials[i]);
		assert_int_equal(store_insert(driver, &id), PEP_OK);
	}
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct pep_identity id = plain(serials[i]);

		id.created_ms = (int64_t)i;
		id.dispatch_id = id.enrollment_id = id.reason = serials[i];
		expect_stored(driver, &id, 1);
	}
}

static void second_insert_is_refused(void **state)
{
	struct store_driver *driver = *state;
	struct pep_identity first = plain("one"), second = plain("one");

	first.ou = "first";
	second.ou = "second";
	assert_int_equal(store_insert(driver, &first), PEP_OK);
	assert_int_equal(store_insert(driver, &second), PEP_CONFLICT);
	expect_stored(driver, &first, 1);
}

/* `member`: dispatch_id or enrollment_id. */
static void check_unique(struct store_driver *driver, size_t member)
{
	struct pep_identity a = plain("a"), b = plain("b"), c = plain("c");

	set_text(&a, member, "key");
	set_text(&b, member, "key");
	set_text(&c, member, "KEY"); /* another one */
	assert_int_equal(store_insert(driver, &a), PEP_OK);
	assert_int_equal(store_insert(driver, &b), PEP_CONFLICT);
	expect_absent(driver, "b");
	assert_int_equal(store_insert(driver, &c), PEP_OK);
	/* By an update. */
	c.revision = 1;
	set_text(&c, member, "key");
	assert_int_equal(store_update(driver, &c), PEP_CONFLICT);
	set_text(&c, member, "KEY");
	expect_stored(driver, &c, 1);
	/* One's own is no obstacle. */
	a.revision = 1;
	a.state = PEP_FAILED;
	assert_int_equal(store_update(driver, &a), PEP_OK);
	expect_stored(driver, &a, 2);
	/* It is free again when its owner drops it. */
	a.revision = 2;
	set_text(&a, member, NULL);
	assert_int_equal(store_update(driver, &a), PEP_OK);
	assert_int_equal(store_insert(driver, &b), PEP_OK);
	expect_stored(driver, &b, 1);
	expect_stored(driver, &a, 3);
}

static void dispatch_ids_are_unique(void **state)
{
	check_unique(*state, 1);
}

static void enrollment_ids_are_unique(void **state)
{
	check_unique(*state, 2);
}

static void update_needs_the_revision(void **state)
{
	static const int64_t others[] = {0, 2, 4, -1, INT64_MAX, INT64_MIN};
	struct store_driver *driver = *state;
	struct pep_identity id = plain("one");

	assert_int_equal(store_insert(driver, &id), PEP_OK);
	for (id.revision = 1; id.revision < 3; id.revision++) {
		id.attempt = (uint32_t)id.revision;
		assert_int_equal(store_update(driver, &id), PEP_OK);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct pep_identity late = id;

		late.revision = others[i];
		late.attempt = 99;
		late.enrollment_id = "late";
		assert_int_equal(store_update(driver, &late), PEP_CONFLICT);
	}
	expect_stored(driver, &id, 3);
	/* The key of what was refused is free. */
	id.revision = 3;
	id.enrollment_id = "late";
	assert_int_equal(store_update(driver, &id), PEP_OK);
	expect_stored(driver, &id, 4);
}

static void update_makes_no_record(void **state)
{
	struct store_driver *driver = *state;
	struct pep_identity id = plain("nobody");

	for (id.revision = 0; id.revision < 3; id.revision++)
		assert_int_equal(store_update(driver, &id), PEP_CONFLICT);
	expect_absent(driver, "nobody");
	assert_int_equal(store_count(driver, SCAN_QUERY(.limit = 0)), 0);
}

static void bad_serials_are_refused(void **state)
{
	struct store_driver *driver = *state;
	char long_serial[66] = "";
	const char *const serials[] = {NULL, "", long_serial};

	memset(long_serial, 'S', 65);
	long_serial[65] = '\0';
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct pep_identity id = plain(serials[i]);

		assert_int_equal(store_insert(driver, &id), PEP_INVALID);
		assert_int_equal(store_update(driver, &id), PEP_INVALID);
	}
	assert_int_equal(store_count(driver, SCAN_QUERY(.limit = 0)), 0);
}

/* A server that was built with fewer members, or with more. */
static void sizes_are_honoured(void **state)
{
	struct store_driver *driver = *state;
	struct pep_identity id = plain("older"), expected = plain("older");
	struct {
		struct pep_identity id;
		char more[64];
	} newer = {.id = plain("newer")};
	struct pep_error err = {0};

	id.ou = "must not be looked at";
	id.struct_size = offsetof(struct pep_identity, dispatch_id);
	id.history = id.ou;
	id.dispatch_id = id.enrollment_id = id.ou;
	assert_int_equal(driver->ops->insert(driver->store, &id, &err), PEP_OK);
	expect_stored(driver, &expected, 1);

	newer.id.struct_size = sizeof(newer);
	newer.id.history = "[]";
	memset(newer.more, 0xff, sizeof(newer.more));
	assert_int_equal(driver->ops->insert(driver->store, &newer.id, &err), PEP_OK);
	newer.id.struct_size = sizeof(newer.id);
	expect_stored(driver, &newer.id, 1);
}

static void everything_is_there_after_reopening(void **state)
{
	struct store_driver *driver = *state;
	struct pep_identity id = plain("kept");

	id.dispatch_id = "d";
	assert_int_equal(store_insert(driver, &id), PEP_OK);
	id.revision = 1;
	id.enrollment_id = "e";
	assert_int_equal(store_update(driver, &id), PEP_OK);
	for (int i = 0; i < 3; i++) {
		const struct storage_facts *facts = driver->facts;
		unsigned number = driver->number;

		store_close(driver);
		store_open(driver, facts, number);
		expect_stored(driver, &id, 2);
	}
	id.revision = 2;
	assert_int_equal(store_update(driver, &id), PEP_OK);
	id.serial = "other";
	assert_int_equal(store_insert(driver, &id), PEP_CONFLICT);
}

static void instances_are_apart(void **state)
{
	struct store_driver *driver = *state, other;
	struct pep_identity id = plain("same");

	store_open(&other, driver->facts, driver->number + 1);
	id.ou = "here";
	assert_int_equal(store_insert(driver, &id), PEP_OK);
	expect_absent(&other, "same");
	id.ou = "there";
	assert_int_equal(store_insert(&other, &id), PEP_OK);
	expect_stored(&other, &id, 1);
	store_close(&other);
	id.ou = "here";
	expect_stored(driver, &id, 1);
	id.revision = 1;
	assert_int_equal(store_update(driver, &id), PEP_OK);
}

const struct storage_case storage_write_cases[] = {
	{"table_is_complete", table_is_complete},
	{"ping_works", ping_works},
	{"clock_is_near", clock_is_near},
	{"every_member_is_kept", every_member_is_kept},
	{"absent_and_empty_differ", absent_and_empty_differ},
	{"extremes_are_kept", extremes_are_kept},
	{"serials_are_bytes", serials_are_bytes},
	{"second_insert_is_refused", second_insert_is_refused},
	{"dispatch_ids_are_unique", dispatch_ids_are_unique},
	{"enrollment_ids_are_unique", enrollment_ids_are_unique},
	{"update_needs_the_revision", update_needs_the_revision},
	{"update_makes_no_record", update_makes_no_record},
	{"bad_serials_are_refused", bad_serials_are_refused},
	{"sizes_are_honoured", sizes_are_honoured},
	{"everything_is_there_after_reopening", everything_is_there_after_reopening},
	{"instances_are_apart", instances_are_apart},
	{NULL, NULL},
};
