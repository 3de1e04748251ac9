/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/library.h"

#include "core/config/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

/* --- the neighbour: checking a list of options reads no secret --- */

pep_status secret_read(const char *source, const char *data_dir, char **ret_text, struct pep_error *ret_err)
{
	(void)source;
	(void)data_dir;
	(void)ret_text;
	(void)ret_err;
	abort();
}

void secret_free(char *text)
{
	(void)text;
	abort();
}

/* --- a plugin in memory that ends where its struct_size says, so that the sanitizer sees every byte read behind it --- */

static struct pep_error err;

static void a_function(void)
{
}

static void *copy_of(const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	return memcpy(copy, data, size);
}

/* A table whose functions are all there, of `size` bytes. */
static void *make_ops(size_t size, size_t first_function)
{
	unsigned char table[512] = {0};
	void (*function)(void) = a_function;
	uint32_t struct_size = (uint32_t)size;

	for (size_t at = first_function; at + sizeof(function) <= size; at += sizeof(function))
		memcpy(table + at, &function, sizeof(function));
	memcpy(table, &struct_size, sizeof(struct_size));
	return copy_of(table, size);
}

static pep_status read_with(int32_t kind, void *ops, const void *options, uint32_t option_size, struct library *library)
{
	struct pep_plugin plugin = {.struct_size = sizeof(plugin),
				    .abi_major = PEP_ABI_MAJOR,
				    .kind = kind,
				    .option_size = option_size,
				    .name = "it",
				    .version = "1",
				    .options = options,
				    .ops = ops};
	struct pep_plugin *exact = copy_of(&plugin, sizeof(plugin));
	pep_status status;

	err = (struct pep_error){0};
	status = library_read(exact, "it", library, &err);
	free(exact);
	free(ops);
	return status;
}

static void each_required_function_is_required(void **state)
{
	static const size_t storage[] = {
		offsetof(struct pep_storage_ops, open),      offsetof(struct pep_storage_ops, close),
		offsetof(struct pep_storage_ops, ping),      offsetof(struct pep_storage_ops, insert),
		offsetof(struct pep_storage_ops, update),    offsetof(struct pep_storage_ops, scan_open),
		offsetof(struct pep_storage_ops, scan_next), offsetof(struct pep_storage_ops, scan_close),
	};
	static const size_t injector[] = {
		offsetof(struct pep_injector_ops, open),
		offsetof(struct pep_injector_ops, close),
		offsetof(struct pep_injector_ops, self_test),
		offsetof(struct pep_injector_ops, inject),
	};
	struct library library;

	(void)state;
	for (size_t i = 0; i < sizeof(storage) / sizeof(storage[0]); i++) {
		char *ops = make_ops(sizeof(struct pep_storage_ops), offsetof(struct pep_storage_ops, open));

		memset(ops + storage[i], 0, sizeof(void (*)(void)));
		assert_int_equal(read_with(PEP_STORAGE, ops, NULL, 0, &library), PEP_INVALID);
		assert_non_null(strstr(err.message, "lacks the required function"));
	}
	for (size_t i = 0; i < sizeof(injector) / sizeof(injector[0]); i++) {
		char *ops = make_ops(sizeof(struct pep_injector_ops), offsetof(struct pep_injector_ops, open));

		memset(ops + injector[i], 0, sizeof(void (*)(void)));
		assert_int_equal(read_with(PEP_INJECTOR, ops, NULL, 0, &library), PEP_INVALID);
	}
}

static void a_shorter_table_has_no_later_functions(void **state)
{
	size_t size = offsetof(struct pep_storage_ops, now); /* a plugin that ends before the optional ones */
	struct library library;

	(void)state;
	assert_int_equal(read_with(PEP_STORAGE, make_ops(size, offsetof(struct pep_storage_ops, open)), NULL, 0, &library), PEP_OK);
	assert_non_null(library.ops.storage.scan_close);
	assert_null(library.ops.storage.now);
	assert_null(library.ops.storage.count);
	library_fini(&library);
	for (size = sizeof(uint32_t); size < offsetof(struct pep_storage_ops, now); size += 4)
		assert_int_equal(read_with(PEP_STORAGE, make_ops(size, 16), NULL, 0, &library), PEP_INVALID);
}

static void a_description_is_never_read_behind_its_end(void **state)
{
	struct library library;

	(void)state;
	for (uint32_t size = 8; size < sizeof(struct pep_plugin); size++) {
		struct pep_plugin plugin = {.struct_size = size, .abi_major = PEP_ABI_MAJOR, .kind = PEP_EXPORTER, .name = "it"};
		struct pep_plugin *exact = copy_of(&plugin, size);

		assert_int_equal(library_read(exact, "it", &library, &err), PEP_INVALID);
		free(exact);
	}
}

/* Options of a later release are longer: the stride is theirs, what we know is ours. */
static void longer_options_are_read_by_their_stride(void **state)
{
	const struct later {
		struct pep_option known;
		const char *unheard_of;
	} options[] = {
		{{.key = "a", .fallback = "1", .type = PEP_INT}, "x"}, {{.key = "b", .type = PEP_PATH}, "y"}, {{.key = NULL}, "z"}};
	struct library library;

	(void)state;
	assert_int_equal(
		read_with(PEP_STORAGE, make_ops(sizeof(struct pep_storage_ops), 16), options, sizeof(options[0]), &library),
		PEP_OK);
	assert_string_equal(library.options[0].key, "a");
	assert_string_equal(library.options[1].key, "b");
	assert_int_equal(library.options[1].type, PEP_PATH);
	assert_null(library.options[2].key);
	library_fini(&library);
}

static void a_list_without_end_is_refused(void **state)
{
	struct pep_option *options = calloc(300, sizeof(*options));
	struct library library;

	(void)state;
	assert_non_null(options);
	for (size_t i = 0; i < 300; i++)
		options[i] = (struct pep_option){.key = "a", .type = PEP_INT};
	assert_int_equal(read_with(PEP_STORAGE, make_ops(sizeof(struct pep_storage_ops), 16), options, sizeof(*options), &library),
			 PEP_INVALID);
	assert_non_null(strstr(err.message, "more than 256 options"));
	free(options);
}

static void long_texts_are_refused(void **state)
{
	static char help[2000];
	const struct pep_option options[] = {{.key = "a", .help = help, .type = PEP_INT}, {.key = NULL}};
	struct library library;

	(void)state;
	memset(help, 'x', sizeof(help) - 1);
	assert_int_equal(read_with(PEP_STORAGE, make_ops(sizeof(struct pep_storage_ops), 16), options, sizeof(*options), &library),
			 PEP_INVALID);
	assert_non_null(strstr(err.message, "a text of more than 1024 bytes"));
}

static void an_exporter_needs_little_and_forges_nothing(void **state)
{
	struct pep_exporter_ops *ops = make_ops(sizeof(*ops), offsetof(struct pep_exporter_ops, record));
	struct library library;

	(void)state;
	ops->media_type = "text/plain";
	ops->suffix = "txt";
	ops->drop = NULL; /* any function but record() may be absent */
	ops->profiles = NULL;
	assert_int_equal(read_with(PEP_EXPORTER, ops, NULL, 0, &library), PEP_OK);
	assert_non_null(library.ops.exporter.begin);
	library_fini(&library);
	ops = make_ops(sizeof(*ops), offsetof(struct pep_exporter_ops, record));
	ops->media_type = "text/plain\r\nEvil: yes";
	ops->suffix = "txt";
	ops->profiles = NULL;
	assert_int_equal(read_with(PEP_EXPORTER, ops, NULL, 0, &library), PEP_INVALID);
	assert_non_null(strstr(err.message, "gives no media_type"));
}

static void profiles_have_names_and_a_function(void **state)
{
	static const char *const names[][2] = {{"portal", NULL}, {"Portal", NULL}, {"", NULL}, {"a&b", NULL}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct pep_exporter_ops *ops = make_ops(sizeof(*ops), offsetof(struct pep_exporter_ops, record));
		struct library library;

		ops->media_type = "text/plain";
		ops->suffix = "txt";
		ops->profiles = names[i];
		assert_int_equal(read_with(PEP_EXPORTER, ops, NULL, 0, &library), i ? PEP_INVALID : PEP_OK);
		if (i == 0)
			library_fini(&library);
		ops = make_ops(sizeof(*ops), offsetof(struct pep_exporter_ops, record));
		ops->media_type = "text/plain";
		ops->suffix = "txt";
		ops->profiles = names[0];
		ops->begin_profile = NULL;
		assert_int_equal(read_with(PEP_EXPORTER, ops, NULL, 0, &library), PEP_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_required_function_is_required),
		cmocka_unit_test(a_shorter_table_has_no_later_functions),
		cmocka_unit_test(a_description_is_never_read_behind_its_end),
		cmocka_unit_test(longer_options_are_read_by_their_stride),
		cmocka_unit_test(a_list_without_end_is_refused),
		cmocka_unit_test(long_texts_are_refused),
		cmocka_unit_test(an_exporter_needs_little_and_forges_nothing),
		cmocka_unit_test(profiles_have_names_and_a_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
