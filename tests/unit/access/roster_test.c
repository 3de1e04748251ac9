/* SPDX-License-Identifier: Apache-2.0
 *
 * roster_test.c - the file of tokens: read, found in, changed by several at once.
 */
#include "core/access/roster.h"
#include "core/access/roster_file.h"
#include "core/access/scope.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 4
#define CHANGES 25

static char folder[] = "/tmp/pep-roster-XXXXXX"; /* for the threads, too */
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/tokens", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
}

static void fill(struct access_entry *entry, const char *name)
{
	char token[TOKEN_ROOM];

	token_make(token, entry->id);
	token_digest(token, strlen(token), entry->digest);
	(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
	entry->scopes = SCOPE_READ;
	entry->created_ms = 1700000000000;
}

static void add(struct roster *roster, const char *name)
{
	struct access_entry *entry = roster_append(roster);

	assert_non_null(entry);
	fill(entry, name);
}

/* [any thread] */
static bool add_to_file(const char *name)
{
	struct roster_file file;
	struct pep_error err = {0};
	struct access_entry *entry;
	bool good = roster_file_open(path, folder, &file, &err) == PEP_OK;

	entry = good ? roster_append(file.roster) : NULL;
	if (entry)
		fill(entry, name);
	good = entry && roster_file_write(&file, &err) == PEP_OK;
	roster_file_close(&file);
	return good;
}

static struct roster *read_file(void)
{
	struct roster *roster = NULL;
	struct pep_error err = {0};

	if (roster_read(path, &roster, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return roster;
}

static void what_was_written_is_read(void **state)
{
	struct roster *roster;
	struct stat about;

	(void)state;
	assert_true(add_to_file("one"));
	assert_true(add_to_file("two"));
	assert_true(add_to_file("three"));
	roster = read_file();
	assert_int_equal(roster->count, 3);
	assert_string_equal(roster->entries[1].name, "two");
	for (size_t i = 0; i < 3; i++) {
		assert_ptr_equal(roster_find(roster, roster->entries[i].digest, false), &roster->entries[i]);
		assert_null(roster_find(roster, roster->entries[i].digest, true)); /* a token is no certificate */
	}
	roster_remove(roster, 0);
	assert_int_equal(roster->count, 2);
	assert_string_equal(roster->entries[0].name, "two");
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	roster_free(roster);
}

static void *change_often(void *name)
{
	for (unsigned i = 0; i < CHANGES; i++)
		if (!add_to_file(name))
			return NULL;
	return name;
}

static void no_change_is_lost(void **state)
{
	pthread_t threads[THREADS];
	struct roster *roster;
	char name[] = "many";
	void *result;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, change_often, name), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, name);
	}
	roster = read_file();
	assert_int_equal(roster->count, THREADS * CHANGES);
	roster_free(roster);
}

static void others_rights_are_refused(void **state)
{
	struct roster *roster = NULL;
	struct roster_file file;
	struct pep_error err = {0};

	(void)state;
	assert_true(add_to_file("one"));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(roster_read(path, &roster, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "chmod 600"));
	assert_int_equal(roster_file_open(path, folder, &file, &err), PEP_INVALID);
	roster_file_close(&file);
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(roster_read(path, &roster, &err), PEP_INVALID);
}

/* What an administrator lends to the server's group by root:pep, 0640, stays lent. */
static void the_group_of_roots_file_reads_it_after_a_change(void **state)
{
	struct stat about;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(add_to_file("one"));
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(chown(path, 0, 12345), 0);
	assert_true(add_to_file("two"));
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0640);
	assert_int_equal(about.st_gid, 12345);
}

static void a_file_that_is_not_there_says_what_makes_it(void **state)
{
	struct roster *roster = NULL;
	struct roster_file file;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(roster_read(path, &roster, &err), PEP_NOT_FOUND);
	assert_non_null(strstr(err.message, "pep-server token add"));
	assert_int_equal(roster_file_open(path, NULL, &file, &err), PEP_NOT_FOUND);
	roster_file_close(&file);
}

static void a_wrong_line_is_named(void **state)
{
	static const char text[] = "\n{}\n";
	struct roster *roster = NULL;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(roster_parse("F", text, sizeof(text) - 1, &roster, &err), PEP_INVALID);
	assert_memory_equal(err.message, "F:2: ", 5);
}

static void the_same_twice_is_refused(void **state)
{
	struct roster roster = {0}, *read = NULL;
	struct pep_error err = {0};
	struct buffer text;

	(void)state;
	add(&roster, "one");
	buffer_init(&text, 65536);
	entry_write(&text, &roster.entries[0]);
	entry_write(&text, &roster.entries[0]);
	assert_int_equal(roster_parse("F", text.data, text.size, &read, &err), PEP_INVALID);
	assert_memory_equal(err.message, "F:2: ", 5);
	buffer_fini(&text);
	free(roster.entries);
}

static void there_is_a_limit(void **state)
{
	struct roster roster = {0}, *read = NULL;
	struct pep_error err = {0};
	struct buffer text;

	(void)state;
	buffer_init(&text, 4u << 20);
	for (unsigned i = 0; i < ROSTER_COUNT_MAX; i++) {
		add(&roster, "many");
		entry_write(&text, &roster.entries[i]);
	}
	assert_null(roster_append(&roster));
	assert_int_equal(roster_parse("F", text.data, text.size, &read, &err), PEP_OK);
	assert_int_equal(read->count, ROSTER_COUNT_MAX);
	roster_free(read);
	buffer_text(&text, "{}\n");
	assert_int_equal(roster_parse("F", text.data, text.size, &read, &err), PEP_LIMIT);
	buffer_fini(&text);
	free(roster.entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_was_written_is_read, remove_file),
		cmocka_unit_test_teardown(no_change_is_lost, remove_file),
		cmocka_unit_test_teardown(others_rights_are_refused, remove_file),
		cmocka_unit_test_teardown(the_group_of_roots_file_reads_it_after_a_change, remove_file),
		cmocka_unit_test_teardown(a_file_that_is_not_there_says_what_makes_it, remove_file),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(the_same_twice_is_refused),
		cmocka_unit_test(there_is_a_limit),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
