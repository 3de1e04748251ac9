/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum store_verdict add(struct store *store, enum store_kind kind, const char *name, const char *value)
{
	struct span part = span_text(value);

	return store_add(store, kind, span_text(name), &part, 1);
}

static void kinds_have_names_of_their_own(void **state)
{
	struct store store;

	(void)state;
	assert_true(store_open(&store, NULL));
	assert_int_equal(add(&store, STORE_PARAMETER, "a", "1"), STORE_GOOD);
	assert_int_equal(add(&store, STORE_PRIVATE_KEY, "a", "2"), STORE_GOOD);
	assert_int_equal(add(&store, STORE_PARAMETER, "a", "3"), STORE_EXISTS);
	assert_true(span_equal(store_find_text(&store, STORE_PARAMETER, "a")->parts[0], span_text("1")));
	assert_true(span_equal(store_find_text(&store, STORE_PRIVATE_KEY, "a")->parts[0], span_text("2")));
	assert_null(store_find_text(&store, STORE_CERTIFICATE, "a"));
	store_erase(&store);
	assert_null(store_find_text(&store, STORE_PARAMETER, "a"));
	assert_int_equal(add(&store, STORE_PARAMETER, "a", "3"), STORE_GOOD);
	store_close(&store);
}

static void names(void **state)
{
	char name[102];

	(void)state;
	memset(name, 'n', sizeof(name));
	assert_int_equal(store_check_name((struct span){(uint8_t *)name, 100}), STORE_GOOD);
	assert_int_equal(store_check_name((struct span){(uint8_t *)name, 101}), STORE_NAME_TOO_LONG);
	assert_int_equal(store_check_name(span_text("")), STORE_NAME_EMPTY);
	assert_int_equal(store_check_name(span_text("mbed.Az09-_")), STORE_GOOD);
	assert_int_equal(store_check_name(span_text("../x")), STORE_NAME_INVALID);
	assert_int_equal(store_check_name(span_text("a b")), STORE_NAME_INVALID);
	assert_int_equal(store_check_name(span_text("a~2")), STORE_NAME_INVALID);
	assert_int_equal(store_check_name((struct span){(const uint8_t *)"a\0b", 3}), STORE_NAME_INVALID);
}

static void room_is_limited(void **state)
{
	struct store store;
	size_t size = 40u << 20;
	uint8_t *big = calloc(1, size);
	struct span part = {big, size};
	size_t count = 0;
	char name[16];

	(void)state;
	assert_non_null(big);
	assert_true(store_open(&store, NULL));
	assert_int_equal(store_add(&store, STORE_PARAMETER, span_text("a"), &part, 1), STORE_GOOD);
	assert_int_equal(store_add(&store, STORE_PARAMETER, span_text("b"), &part, 1), STORE_FAILED);
	store_erase(&store);
	do
		(void)snprintf(name, sizeof(name), "n%zu", count++);
	while (count < 10000 && add(&store, STORE_PARAMETER, name, "") == STORE_GOOD);
	assert_int_equal(count, 4097);
	store_close(&store);
	free(big);
}

static size_t read_file(const char *folder, const char *name, char *ret_data, size_t room)
{
	char path[256];
	FILE *file;
	size_t size;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file)
		return SIZE_MAX;
	size = fread(ret_data, 1, room, file);
	(void)fclose(file);
	return size;
}

static void items_are_files(void **state)
{
	char folder[] = "/tmp/pep-sim-store-XXXXXX";
	char target[64], data[16];
	struct span chain[2] = {span_text("leaf"), span_text("root")};
	struct store store;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(target, sizeof(target), "%s/mine", folder);
	assert_int_equal(close(open(target, O_CREAT | O_WRONLY, 0600)), 0);
	assert_true(store_open(&store, folder));
	assert_int_equal(add(&store, STORE_PARAMETER, "a.b", "value"), STORE_GOOD);
	assert_int_equal(store_add(&store, STORE_CERTIFICATE, span_text("c"), chain, 2), STORE_GOOD);
	assert_int_equal(read_file(folder, "a.b.param", data, sizeof(data)), 5);
	assert_memory_equal(data, "value", 5);
	assert_int_equal(read_file(folder, "c.crt", data, sizeof(data)), 4);
	assert_memory_equal(data, "leaf", 4);
	assert_int_equal(read_file(folder, "c~2.crt", data, sizeof(data)), 4);
	assert_memory_equal(data, "root", 4);
	store_erase(&store);
	assert_int_equal(read_file(folder, "a.b.param", data, sizeof(data)), SIZE_MAX);
	assert_int_equal(read_file(folder, "c~2.crt", data, sizeof(data)), SIZE_MAX);
	assert_int_equal(read_file(folder, "mine", data, sizeof(data)), 0);
	store_close(&store);
	assert_int_equal(unlink(target), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void no_file_is_written_through_a_link(void **state)
{
	char folder[] = "/tmp/pep-sim-store-XXXXXX";
	char victim[64], trap[64], data[16];
	struct store store;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(victim, sizeof(victim), "%s/victim", folder);
	(void)snprintf(trap, sizeof(trap), "%s/a.param", folder);
	assert_int_equal(close(open(victim, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(symlink(victim, trap), 0);
	assert_true(store_open(&store, folder));
	assert_int_equal(add(&store, STORE_PARAMETER, "a", "value"), STORE_FAILED);
	assert_null(store_find_text(&store, STORE_PARAMETER, "a"));
	assert_int_equal(read_file(folder, "victim", data, sizeof(data)), 0);
	store_close(&store);
	assert_int_equal(unlink(trap), 0);
	assert_int_equal(unlink(victim), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_folder_that_cannot_be(void **state)
{
	struct store store;

	(void)state;
	assert_false(store_open(&store, "/nowhere/at/all"));
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_names_of_their_own),
		cmocka_unit_test(names),
		cmocka_unit_test(room_is_limited),
		cmocka_unit_test(items_are_files),
		cmocka_unit_test(no_file_is_written_through_a_link),
		cmocka_unit_test(a_folder_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
