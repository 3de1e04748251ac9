/* SPDX-License-Identifier: Apache-2.0
 *
 * pending_test.c - notes of attempts that may outlive their server: there before the tool can start, gone when its outcome is recorded.
 */
#include "fixture.h"

#include "core/service/pending.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
	unsigned count;
	char serial[80], nonce[40], owner[80];
	uint32_t attempt;
	struct pending *settle_in;
};

static void see(void *context, const struct pending_entry *entry)
{
	struct seen *seen = context;

	seen->count++;
	seen->attempt = entry->attempt;
	(void)snprintf(seen->serial, sizeof(seen->serial), "%s", entry->serial);
	(void)snprintf(seen->nonce, sizeof(seen->nonce), "%s", entry->nonce);
	(void)snprintf(seen->owner, sizeof(seen->owner), "%s", entry->owner);
	if (seen->settle_in)
		assert_true(pending_settle(seen->settle_in, entry->nonce));
}

static struct pending *open_in(const struct fixture *fixture)
{
	struct pending *pending = NULL;
	struct pep_error err = {0};

	assert_int_equal(pending_open(fixture->folder, &pending, &err), PEP_OK);
	return pending;
}

static void a_note_survives_a_restart(void **state)
{
	static const struct pending_entry entry = {.serial = "GW 1 = x", .nonce = "0a", .owner = "line-1/1", .attempt = UINT32_MAX};
	struct pending *pending = open_in(*state);
	struct pep_error err = {0};
	struct seen seen = {0};

	assert_false(pending_has(pending, "0a"));
	assert_int_equal(pending_put(pending, &entry, &err), PEP_OK);
	pending_close(pending);
	pending = open_in(*state);
	assert_true(pending_has(pending, "0a"));
	pending_walk(pending, see, &seen);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.serial, entry.serial);
	assert_string_equal(seen.nonce, entry.nonce);
	assert_string_equal(seen.owner, entry.owner);
	assert_true(seen.attempt == UINT32_MAX);
	assert_true(pending_settle(pending, "0a"));
	assert_true(pending_settle(pending, "0a"));
	assert_false(pending_has(pending, "0a"));
	pending_walk(pending, see, &seen);
	assert_int_equal(seen.count, 1);
	pending_close(pending);
	pending_close(NULL);
}

static unsigned count_files(const char *folder)
{
	DIR *list = opendir(folder);
	unsigned count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	(void)closedir(list);
	return count - 2;
}

static void what_is_settled_is_there_until_it_is_removed(void **state)
{
	static const struct pending_entry entry = {.serial = "GW-1", .nonce = "0a", .owner = "line-1/1", .attempt = 7};
	struct fixture *fixture = *state;
	struct pending *pending = open_in(fixture);
	struct pep_error err = {0};
	struct seen seen = {0};
	unsigned before = count_files(fixture->folder);
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/.0b", fixture->folder); /* its write was cut short */
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(pending_put(pending, &entry, &err), PEP_OK);
	pending_walk_settled(pending, see, &seen);
	assert_int_equal(seen.count, 0);
	assert_true(pending_settle(pending, "0a"));
	pending_close(pending);
	pending = open_in(fixture);
	pending_walk(pending, see, &seen);
	assert_int_equal(seen.count, 0);
	pending_walk_settled(pending, see, &seen);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.serial, "GW-1");
	assert_string_equal(seen.nonce, "0a");
	assert_int_equal(seen.attempt, 7);
	pending_remove(pending, "0a");
	pending_remove(pending, "0a");
	assert_int_equal(count_files(fixture->folder), before);
	pending_close(pending);
}

static void a_walk_may_settle(void **state)
{
	struct pending *pending = open_in(*state);
	struct seen seen = {.settle_in = pending};
	struct pep_error err = {0};
	char nonce[33];

	for (unsigned i = 0; i < 50; i++) {
		struct pending_entry entry = {.serial = "S", .nonce = nonce, .owner = "o/1", .attempt = i + 1};

		(void)snprintf(nonce, sizeof(nonce), "%032u", i);
		assert_int_equal(pending_put(pending, &entry, &err), PEP_OK);
	}
	pending_walk(pending, see, &seen);
	assert_int_equal(seen.count, 50);
	seen.count = 0;
	pending_walk(pending, see, &seen);
	assert_int_equal(seen.count, 0);
	pending_close(pending);
}

static void what_cannot_be_understood_is_kept(void **state)
{
	static const char *const texts[] = {
		"",
		"attempt 1\n",
		"attempt 1\nowner o\n",
		"attempt 1\nowner o\nserial S",
		"attempt 0\nowner o\nserial S\n",
		"attempt 4294967296\nowner o\nserial S\n",
		"attempt x\nowner o\nserial S\n",
		"attempts 1\nowner o\nserial S\n",
		"attempt 1\nserial S\nowner o\n",
	};
	struct fixture *fixture = *state;
	struct pending *pending = open_in(fixture);
	struct seen seen = {0};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char path[128];
		FILE *file;

		(void)snprintf(path, sizeof(path), "%s/%02u", fixture->folder, i);
		file = fopen(path, "w");
		assert_non_null(file);
		assert_true(fputs(texts[i], file) >= 0);
		assert_int_equal(fclose(file), 0);
	}
	pending_walk(pending, see, &seen);
	assert_int_equal(seen.count, 0);
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char nonce[8];

		(void)snprintf(nonce, sizeof(nonce), "%02u", i);
		assert_true(pending_has(pending, nonce));
	}
	pending_close(pending);
}

static void names_lead_nowhere_else(void **state)
{
	static const char *const nonces[] = {"", ".", "..", "../x", "a/b", "A", ".lock", NULL};
	struct pending *pending = open_in(*state);
	struct pep_error err = {0};

	for (size_t i = 0; nonces[i]; i++) {
		struct pending_entry entry = {.serial = "S", .nonce = nonces[i], .owner = "o/1", .attempt = 1};

		assert_int_equal(pending_put(pending, &entry, &err), PEP_INTERNAL);
		assert_false(pending_has(pending, nonces[i]));
	}
	assert_false(pending_has(pending, NULL));
	pending_close(pending);
}

static void what_cannot_be_noted_is_an_error(void **state)
{
	static const struct pending_entry entry = {.serial = "S", .nonce = "0a", .owner = "line-1/1", .attempt = 1};
	struct fixture *fixture = *state;
	struct pending *pending = open_in(fixture);
	struct pep_error err = {0};
	char path[128];

	/* A folder in the place of the temporary file: it cannot be opened for writing, whoever we are. */
	(void)snprintf(path, sizeof(path), "%s/.0a", fixture->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(pending_put(pending, &entry, &err), PEP_INTERNAL);
	assert_false(pending_has(pending, "0a"));
	assert_non_null(strstr(err.message, "serial S"));
	assert_int_equal(rmdir(path), 0);
	pending_close(pending);
}

static void a_folder_that_cannot_be_used(void **state)
{
	struct pending *pending = NULL;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(pending_open("/proc/none/pending", &pending, &err), PEP_UNAVAILABLE);
	assert_null(pending);
	assert_non_null(strstr(err.message, "/proc/none/pending"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_note_survives_a_restart),
		TEST(what_is_settled_is_there_until_it_is_removed),
		TEST(a_walk_may_settle),
		TEST(what_cannot_be_understood_is_kept),
		TEST(names_lead_nowhere_else),
		TEST(what_cannot_be_noted_is_an_error),
		TEST(a_folder_that_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
