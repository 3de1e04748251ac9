/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/loader.h"

#include "core/plugin/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <dirent.h>
#include <unistd.h>

static const struct instance_context context = {.plugin_dir = ABI_PLUGIN_DIR, .data_dir = "/nowhere"};
static struct pep_error err;

static void assert_refused(const char *name, const char *message)
{
	const struct library *library = NULL;

	err = (struct pep_error){0};
	assert_int_not_equal(loader_load(ABI_PLUGIN_DIR, name, 0, &library, &err), PEP_OK);
	assert_null(library);
	if (!strstr(err.message, message))
		fail_msg("%s: \"%s\" is not in \"%s\"", name, message, err.message);
	if (!strstr(err.message, name))
		fail_msg("%s is not named in \"%s\"", name, err.message);
	assert_null(strchr(err.message, '\n'));
}

static void broken_plugins_are_refused_with_one_line(void **state)
{
	(void)state;
	assert_refused("short", "its description is cut short (40 of 48 bytes)");
	assert_refused("tiny", "impossible size (4 bytes)");
	assert_refused("huge", "impossible size (4294967295 bytes)");
	assert_refused("major", "made for plugin ABI 2.0, this server has 1.");
	assert_refused("kind", "is of kind 9, which this server does not know");
	assert_refused("other_name", "calls itself \"somebody_else\"");
	assert_refused("bad_name", "gives no name of its own, or one that is not allowed");
	assert_refused("null_name", "gives no name of its own");
	assert_refused("null_version", "gives no version");
	assert_refused("null_ops", "gives no functions (ops is NULL)");
	assert_refused("short_ops", "its table of functions has 24 bytes, the least is 32");
	assert_refused("threads", "unknown thread model 9");
	assert_refused("no_function", "lacks the required function record()");
	assert_refused("no_media_type", "gives no media_type");
	assert_refused("option_size", "its options have an impossible size (3 bytes)");
	assert_refused("option_type", "option \"x\" has type 99");
	assert_refused("option_key", "option 0 has a key that is not allowed");
	assert_refused("option_nameless", "option 0 has a key that is not allowed");
	assert_refused("no_symbol", "exports no pep_plugin_probe()");
	assert_refused("null_probe", "cannot serve a server of plugin ABI 1");
	assert_refused("absent", "there is no");
}

/* What they do, they do in a child process; with a sanitizer that process ends itself. */
static void crashing_plugins_are_refused_and_we_live(void **state)
{
	static const char *const names[] = {"ctor_crash", "ctor_abort", "probe_crash", "wild_answer",
					    "wild_name",  "wild_ops",   "wild_options"};
	const struct library *library = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		err = (struct pep_error){0};
		assert_int_equal(loader_load(ABI_PLUGIN_DIR, names[i], 0, &library, &err), PEP_INVALID);
		assert_non_null(strstr(err.message, names[i]));
		if (!strstr(err.message, "crashes when it is loaded") && !strstr(err.message, "ends the process"))
			fail_msg("%s", err.message);
		assert_non_null(strstr(err.message, "run pep-plugin-check"));
	}
	assert_refused("ctor_exit", "ends the process when it is loaded (exit code 0)");
	assert_null(library);
}

static void a_plugin_that_never_comes_back_is_refused(void **state)
{
	const struct library *library = NULL;

	(void)state;
	assert_int_equal(loader_load(ABI_PLUGIN_DIR "-slow", "ctor_hang", 0, &library, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "did not come back within 10 s"));
}

static void a_plugin_of_a_later_minor_loads(void **state)
{
	const struct library *library = NULL;

	(void)state;
	if (loader_load(ABI_PLUGIN_DIR, "later", PEP_EXPORTER, &library, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_int_equal(library->plugin.abi_minor, 7);
	assert_int_equal(library->plugin.struct_size, sizeof(struct pep_plugin)); /* ours, not its own */
	assert_int_equal(library->ops.exporter.struct_size, sizeof(struct pep_exporter_ops));
}

static void the_kind_must_be_the_one_asked_for(void **state)
{
	const struct library *library = NULL;

	(void)state;
	assert_int_equal(loader_load(ABI_PLUGIN_DIR, "frozen_exporter", PEP_STORAGE, &library, &err), PEP_INVALID);
	assert_string_equal(err.message,
			    "plugin \"frozen_exporter\" is of kind exporter, but named as storage; name it in its own section");
	assert_int_equal(loader_load(ABI_PLUGIN_DIR, "frozen_exporter", PEP_EXPORTER, &library, &err), PEP_OK);
	assert_null(library->options);
}

static size_t open_files(void)
{
	DIR *stream = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(stream);
	while (readdir(stream))
		count++;
	assert_int_equal(closedir(stream), 0);
	return count;
}

/* The linker knows a library by its path, and ours are /proc/self/fd/N: no two plugins may ever be taken for each other. */
static void plugins_are_never_mixed_up(void **state)
{
	const struct library *exporter = NULL, *injector = NULL, *again = NULL;
	size_t files;

	(void)state;
	assert_int_equal(loader_load(ABI_PLUGIN_DIR, "frozen_exporter", 0, &exporter, &err), PEP_OK);
	assert_int_equal(loader_load(ABI_PLUGIN_DIR, "frozen_injector", 0, &injector, &err), PEP_OK);
	assert_string_equal(exporter->plugin.name, "frozen_exporter");
	assert_string_equal(injector->plugin.name, "frozen_injector");
	files = open_files();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(loader_load(ABI_PLUGIN_DIR, i % 2 ? "frozen_exporter" : "frozen_injector", 0, &again, &err),
				 PEP_OK);
		assert_ptr_equal(again, i % 2 ? exporter : injector);
	}
	assert_int_equal(open_files(), files);
}

static void a_second_name_of_a_loaded_file_is_refused(void **state)
{
	char folder[] = ABI_PLUGIN_DIR "-XXXXXX";
	char path[sizeof(folder) + 16];
	const struct library *library = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/alias.so", folder);
	assert_int_equal(loader_load(ABI_PLUGIN_DIR, "frozen_exporter", 0, &library, &err), PEP_OK);
	assert_int_equal(link(ABI_PLUGIN_DIR "/frozen_exporter.so", path), 0);
	assert_int_equal(loader_load(folder, "alias", 0, &library, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "\"alias\" calls itself \"frozen_exporter\""));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void a_file_that_is_no_library_is_refused(void **state)
{
	char folder[] = ABI_PLUGIN_DIR "-XXXXXX";
	char path[sizeof(folder) + 16];
	const struct library *library = NULL;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/text.so", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs("not a library", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(loader_load(folder, "text", 0, &library, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "plugin \"text\" cannot be loaded: "));
	assert_null(strstr(err.message, "/proc/self/fd"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void storage_of_1_0_works(void **state)
{
	struct config_option option = {.key = "serial", .value = "OLD-7"};
	const struct config_instance config = {.name = "old", .plugin = "frozen_storage", .options = &option};
	const struct pep_identity *id = NULL;
	struct pep_identity new_record = {.struct_size = sizeof(new_record), .serial = "X"};
	struct arena arena = {0};
	struct storage *storage;
	int64_t now = 0;

	(void)state;
	if (storage_open(&context, &config, &storage, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_string_equal(storage_name(storage), "frozen_storage");
	assert_int_equal(storage_ping(storage, &err), PEP_OK);
	assert_int_equal(storage_get(storage, &arena, "OLD-7", &id, &err), PEP_OK);
	assert_string_equal(id->serial, "OLD-7");
	assert_string_equal(id->history, "[]");
	assert_int_equal(id->struct_size, sizeof(*id));
	err = (struct pep_error){0};
	assert_int_equal(storage_insert(storage, &new_record, &err), PEP_CONFLICT);
	assert_true(err.message[0] != '\0');
	assert_int_equal(storage_now(storage, &now, &err), PEP_OK);
	assert_true(now > 1600000000000);
	arena_fini(&arena);
	storage_close(storage);
}

static pep_status witness_contacted(struct pep_witness *witness, struct pep_error *ret_err)
{
	(void)ret_err;
	(*(int *)witness->ctx)++;
	return PEP_OK;
}

static pep_status witness_issued(struct pep_witness *witness, const char *enrollment_id, struct pep_error *ret_err)
{
	assert_string_equal(enrollment_id, "A-FROZEN");
	return witness_contacted(witness, ret_err);
}

static void injector_of_1_0_works(void **state)
{
	const struct config_instance config = {.name = "old", .plugin = "frozen_injector"};
	const struct pep_target target = {.struct_size = sizeof(target), .port = 7777, .ip = "10.0.0.5"};
	const struct pep_identity id = {.struct_size = sizeof(id), .serial = "OLD-7"};
	int calls = 0;
	struct pep_witness witness = {
		.struct_size = sizeof(witness), .ctx = &calls, .contacted = witness_contacted, .issued = witness_issued};
	struct pep_injection injection;
	struct injector *injector;

	(void)state;
	if (injector_open(&context, &config, &injector, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_int_equal(injector_inject(injector, &target, &id, 1000, &witness, &injection, &err), PEP_OK);
	assert_int_equal(calls, 2);
	assert_int_equal(injection.outcome, PEP_DELIVERED);
	assert_string_equal(injection.detail, "OLD-7 at 10.0.0.5:7777");
	assert_int_equal(injector_adopt(injector, &id, 1000, &injection, &err), PEP_UNSUPPORTED);
	injector_forget(injector, &id);
	injector_close(injector);
}

static pep_status sink_write(struct pep_sink *sink, const void *data, size_t size)
{
	assert_int_equal(size, 5);
	assert_memory_equal(data, "OLD-7", size);
	(*(int *)sink->ctx)++;
	return PEP_OK;
}

static void exporter_of_1_0_works(void **state)
{
	const struct config_instance config = {.name = "old", .plugin = "frozen_exporter"};
	const struct pep_identity id = {.struct_size = sizeof(id), .serial = "OLD-7"};
	int calls = 0;
	struct pep_sink sink = {.struct_size = sizeof(sink), .ctx = &calls, .write = sink_write};
	struct exporter *exporter;
	struct exporter_run *run;

	(void)state;
	if (exporter_open(&context, &config, &exporter, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_string_equal(exporter_suffix(exporter), "txt");
	assert_int_equal(exporter_begin(exporter, NULL, &sink, &run, &err), PEP_OK);
	assert_int_equal(exporter_record(run, &sink, &id, &err), PEP_OK);
	assert_int_equal(exporter_end(run, &sink, &err), PEP_OK);
	exporter_drop(run);
	assert_int_equal(calls, 1);
	exporter_close(exporter);
}

struct text {
	char bytes[32];
	size_t size;
};

static pep_status sink_append(struct pep_sink *sink, const void *data, size_t size)
{
	struct text *text = sink->ctx;

	assert_true(text->size + size < sizeof(text->bytes));
	memcpy(text->bytes + text->size, data, size);
	text->size += size;
	return PEP_OK;
}

static void exporter_of_1_1_works(void **state)
{
	const struct config_instance config = {.name = "old", .plugin = "frozen_exporter_1_1"};
	const struct pep_identity good = {.struct_size = sizeof(good), .serial = "OLD-7", .enrollment_id = "A-1"};
	const struct pep_identity bad = {.struct_size = sizeof(bad), .serial = "OLD-8"};
	struct text text = {{0}, 0};
	struct pep_sink sink = {.struct_size = sizeof(sink), .ctx = &text, .write = sink_append};
	struct exporter *exporter;
	struct exporter_run *run;
	int64_t wait_ms = 0;
	bool more = true;

	(void)state;
	if (exporter_open(&context, &config, &exporter, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_string_equal(exporter_suffix(exporter), "html");
	assert_string_equal(exporter_media_type(exporter), "text/html");
	assert_string_equal(exporter_profiles(exporter)[1], "two");
	assert_int_equal(exporter_begin(exporter, "two", &sink, &run, &err), PEP_OK);
	assert_int_equal(exporter_check(run, &good, &err), PEP_OK);
	assert_int_equal(exporter_check(run, &bad, &err), PEP_INVALID);
	assert_int_equal(exporter_record(run, &sink, &good, &err), PEP_OK);
	assert_int_equal(exporter_rest(run, &sink, &more, &err), PEP_OK);
	assert_false(more);
	exporter_drop(run);
	assert_string_equal(text.bytes, "twoOLD-7.");
	assert_int_equal(exporter_deliver(exporter, &good, &wait_ms, &err), PEP_OK);
	assert_int_equal(wait_ms, 5);
	exporter_close(exporter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_plugins_are_refused_with_one_line),
		cmocka_unit_test(crashing_plugins_are_refused_and_we_live),
		cmocka_unit_test(a_plugin_that_never_comes_back_is_refused),
		cmocka_unit_test(a_plugin_of_a_later_minor_loads),
		cmocka_unit_test(the_kind_must_be_the_one_asked_for),
		cmocka_unit_test(plugins_are_never_mixed_up),
		cmocka_unit_test(a_second_name_of_a_loaded_file_is_refused),
		cmocka_unit_test(a_file_that_is_no_library_is_refused),
		cmocka_unit_test(storage_of_1_0_works),
		cmocka_unit_test(injector_of_1_0_works),
		cmocka_unit_test(exporter_of_1_0_works),
		cmocka_unit_test(exporter_of_1_1_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
