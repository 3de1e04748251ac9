/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;
static struct pep_error err;

static pep_status read_bytes(const char *text, size_t size, struct parse_node **ret_root)
{
	/* A copy of the exact size: the sanitizer sees a read behind it. */
	char *copy = malloc(size ? size : 1);
	pep_status status;

	assert_non_null(copy);
	memcpy(copy, text, size);
	status = parse_text(&arena, "f.yaml", copy, size, ret_root, &err);
	free(copy);
	return status;
}

static struct parse_node *read_good(const char *text)
{
	struct parse_node *root = NULL;

	if (read_bytes(text, strlen(text), &root) != PEP_OK)
		fail_msg("refused: %s", err.message);
	assert_int_equal(root->kind, PARSE_MAP);
	return root;
}

static void assert_refused(const char *text, const char *message)
{
	struct parse_node *root = NULL;

	assert_int_not_equal(read_bytes(text, strlen(text), &root), PEP_OK);
	assert_null(root);
	if (!strstr(err.message, message))
		fail_msg("\"%s\" is not in \"%s\"", message, err.message);
}

static void every_node_knows_its_place(void **state)
{
	const struct parse_node *root = read_good("server:\n  port: 5151\n  list: [a, 'b c']\n# end\n");
	const struct parse_node *server = parse_find(root, "server"), *port, *list;

	(void)state;
	assert_non_null(server);
	assert_int_equal(server->key_place.line, 1);
	port = parse_find(server, "port");
	assert_string_equal(port->text, "5151");
	assert_string_equal(port->place.file, "f.yaml");
	assert_int_equal(port->key_place.line, 2);
	assert_int_equal(port->key_place.column, 3);
	assert_int_equal(port->place.line, 2);
	assert_int_equal(port->place.column, 9);
	list = parse_find(server, "list");
	assert_int_equal(list->kind, PARSE_LIST);
	assert_string_equal(list->first->text, "a");
	assert_string_equal(list->first->next->text, "b c");
	assert_null(list->first->next->next);
	assert_null(parse_find(server, "prot"));
}

static void everything_is_text(void **state)
{
	const struct parse_node *root = read_good("a: yes\nb: 010\nc: ~\nd: \"\"\ne:\nf: '0x10'\ng: 1.0\n");

	(void)state;
	assert_string_equal(parse_find(root, "a")->text, "yes");
	assert_string_equal(parse_find(root, "b")->text, "010");
	assert_string_equal(parse_find(root, "c")->text, "~");
	assert_string_equal(parse_find(root, "d")->text, "");
	assert_false(parse_find(root, "d")->is_absent);
	assert_true(parse_find(root, "e")->is_absent);
	assert_string_equal(parse_find(root, "f")->text, "0x10");
	assert_string_equal(parse_find(root, "g")->text, "1.0");
}

static void nothing_is_an_empty_map(void **state)
{
	(void)state;
	assert_null(read_good("")->first);
	assert_null(read_good("# only a comment\n")->first);
	assert_null(read_good("---\n")->first);
	assert_null(read_good("{}")->first);
	assert_non_null(read_good("\xef\xbb\xbf"
				  "a: b\n")
				->first); /* a byte order mark of UTF-8 */
}

static void faults_have_line_and_column(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key \"a\" is repeated, the first one is in line 1");
	assert_refused("s:\n  x: 1\n  'x': 2\n", "f.yaml:3:3: key \"x\" is repeated");
	assert_refused("a: [1, 2\nb: 3\n", "f.yaml:2:");
	assert_refused("\ta: 1\n", "f.yaml:1:1: not YAML");
	assert_refused("a: 1\n\x01: 2\n", "f.yaml:2:1: not YAML: control characters are not allowed");
	assert_refused("a: &x 1\n", "f.yaml:1:4: an anchor");
	assert_refused("a: *x\n", "f.yaml:1:4: an alias");
	assert_refused("a: !!int 1\n", "f.yaml:1:4: a tag");
	assert_refused("a: !x {b: c}\n", "f.yaml:1:4: a tag");
	assert_refused("a: &x [b]\n", "f.yaml:1:4: an anchor");
	assert_refused("a: 1\n---\nb: 2\n", "f.yaml:3:1: a second document");
	assert_refused("- a\n- b\n", "f.yaml:1:1: expected sections");
	assert_refused("word\n", "f.yaml:1:1: expected sections");
	assert_refused("[a]: 1\n", "f.yaml:1:1: a list or map has no place here");
	assert_refused("a: |\n  two\n  lines\n", "f.yaml:1:4: control characters or line breaks");
	assert_refused("a: \"x\\0y\"\n", "f.yaml:1:4: control characters");
	assert_refused("a: {b: {c: {d: {e: {f: {g: {h: {i: j}}}}}}}}\n", "a list or map has no place here");
}

static void only_utf8_is_read(void **state)
{
	static const char utf16[] = {'\xff', '\xfe', 'a', 0, ':', 0, ' ', 0, '1', 0};
	struct parse_node *root = NULL;

	(void)state;
	assert_refused("a: \xff\n", "f.yaml: not UTF-8");
	assert_int_equal(read_bytes(utf16, sizeof(utf16), &root), PEP_INVALID);
	assert_string_equal(parse_find(read_good("a: gr\xc3\xbc\xc3\x9f\n"), "a")->text, "gr\xc3\xbc\xc3\x9f");
}

/* `count` times a number between two texts. */
static char *repeated(const char *before, const char *after, unsigned count)
{
	size_t room = count * 16u + 1, size = 0;
	char *text = malloc(room);

	assert_non_null(text);
	for (unsigned i = 0; i < count; i++)
		size += (size_t)snprintf(text + size, room - size, "%s%08u%s", before, i, after);
	return text;
}

static void sizes_are_bounded(void **state)
{
	char *text = repeated("k", ": v\n", 257);

	(void)state;
	assert_refused(text, "more than 256 keys");
	free(text);
	text = repeated("- ", "\n", 257);
	assert_refused(text, "more than 256 entries");
	free(text);
	text = repeated("", "", 600);
	memcpy(text, "a: ", 3);
	assert_refused(text, "f.yaml:1:4: a value of 4797 bytes");
	free(text);
	text = calloc(1, PARSE_FILE_LIMIT + 2);
	assert_non_null(text);
	memset(text, '#', PARSE_FILE_LIMIT + 1);
	assert_refused(text, "f.yaml: over 1048576 bytes");
	free(text);
}

static void files_that_cannot_be_read_are_named(void **state)
{
	char folder[] = "/tmp/pep-parse-XXXXXX";
	char path[64];
	struct parse_node *root = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(parse_file(&arena, path, &root, &err), PEP_NOT_FOUND); /* and does not wait for a writer */
	assert_non_null(strstr(err.message, "not a regular file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(parse_file(&arena, path, &root, &err), PEP_NOT_FOUND);
	assert_non_null(strstr(err.message, path));
	assert_non_null(strstr(err.message, "No such file"));
	assert_int_equal(parse_file(&arena, folder, &root, &err), PEP_NOT_FOUND);
	assert_int_equal(rmdir(folder), 0);
	assert_null(root);
}

static int begin(void **state)
{
	(void)state;
	arena_init(&arena);
	err = (struct pep_error){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_node_knows_its_place, begin, end),
		cmocka_unit_test_setup_teardown(everything_is_text, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_an_empty_map, begin, end),
		cmocka_unit_test_setup_teardown(faults_have_line_and_column, begin, end),
		cmocka_unit_test_setup_teardown(only_utf8_is_read, begin, end),
		cmocka_unit_test_setup_teardown(sizes_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(files_that_cannot_be_read_are_named, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
