/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_cases.h"

#include "elf_file.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void open_file(const void *path, struct elf_file *ret_file)
{
	struct pep_error err = {0};

	if (elf_open(path, ret_file, &err) != PEP_OK)
		suite_fail("%s", err.message);
}

static bool begins_with_any(const char *text, const char *const *beginnings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* What a compiler adds by itself for sanitizers and coverage. */
static bool is_of_a_tool(const char *name)
{
	static const char *const beginnings[] = {"__asan_", "__odr_asan", "__ubsan_",  "__tsan_",  "__msan_", "__sanitizer_",
						 "__gcov_", "__llvm_",    "__sancov_", "__start_", "__stop_"};

	return begins_with_any(name, beginnings, COUNT(beginnings));
}

static void is_a_shared_object(void *path)
{
	struct elf_file file;

	open_file(path, &file);
	elf_close(&file);
}

static void exports_one_symbol(void *path)
{
	/* Of linkers. */
	static const char *const harmless[] = {"_init", "_fini", "_end", "_edata", "__bss_start", "__end__", "_bss_end__"};
	bool has_probe = false;
	struct elf_file file;
	struct elf_symbol symbol;

	open_file(path, &file);
	for (size_t i = 0; i < file.symbol_count; i++) {
		bool is_harmless = false;

		if (!elf_symbol(&file, i, &symbol) || !symbol.is_defined)
			continue;
		for (size_t j = 0; j < COUNT(harmless); j++)
			is_harmless |= strcmp(symbol.name, harmless[j]) == 0;
		if (strcmp(symbol.name, "pep_plugin_probe") == 0)
			has_probe = symbol.is_code;
		/* Weak ones with C++ names are the compiler's copies of templates and inline functions. */
		else if (!is_harmless && !is_of_a_tool(symbol.name) && !(symbol.is_weak && strncmp(symbol.name, "_Z", 2) == 0))
			suite_fail("it exports %s; compile with -fvisibility=hidden, and make it static", symbol.name);
	}
	suite_expect(has_probe, "it exports no function pep_plugin_probe(); include <pep/plugin.h> where it is defined");
	elf_close(&file);
}

static void cannot_be_patched(void *path)
{
	struct elf_file file;

	open_file(path, &file);
	suite_expect(file.has_relro, "it has no RELRO segment; link with -Wl,-z,relro");
	suite_expect(file.binds_now, "symbols are looked up late, so that their table stays writable; link with -Wl,-z,now");
	suite_expect(!file.has_text_relocations, "it has text relocations; compile every file with -fPIC");
	suite_expect(!file.has_executable_stack, "it wants an executable stack; link with -Wl,-z,noexecstack");
	suite_expect(!file.has_writable_code, "a segment is writable and executable; do not link with -N");
	elf_close(&file);
}

/* One entry is the C runtime's own (frame_dummy). */
static void runs_nothing_when_loaded(void *path)
{
	size_t count;
	bool has_tool = false;
	struct elf_file file;
	struct elf_symbol symbol;

	open_file(path, &file);
	for (size_t i = 0; i < file.symbol_count && !has_tool; i++)
		has_tool = elf_symbol(&file, i, &symbol) && is_of_a_tool(symbol.name);
	count = file.constructor_size / sizeof(void *);
	if (has_tool)
		suite_skip("it was built with a sanitizer or for coverage, which add constructors of their own");
	suite_expect(count <= 1, "%zu constructors run before the server can refuse it; do that work in open()", count - 1);
	elf_close(&file);
}

/* They change or end the whole process, which is the server's. */
static void leaves_the_process_alone(void *path)
{
	static const char *const forbidden[] = {"exit",   "_Exit", "quick_exit", "setlocale", "setenv", "unsetenv",
						"putenv", "chdir", "umask",      "daemon",    "system", "gets",
						"signal", "alarm", "setuid",     "setgid",    "fork",   "strtok"};
	struct elf_file file;
	struct elf_symbol symbol;

	open_file(path, &file);
	for (size_t i = 0; i < file.symbol_count; i++) {
		if (!elf_symbol(&file, i, &symbol) || symbol.is_defined)
			continue;
		for (size_t j = 0; j < COUNT(forbidden); j++)
			suite_expect(strcmp(symbol.name, forbidden[j]) != 0,
				     "it calls %s(), which is about the whole process: the server's", symbol.name);
	}
	elf_close(&file);
}

/* A path of its own would let another file than the system's be loaded into the server. */
static void finds_libraries_as_others_do(void *path)
{
	struct elf_file file;

	open_file(path, &file);
	suite_expect(!file.run_path || *file.run_path == '/' || !*file.run_path,
		     "its library path (RUNPATH) \"%s\" is relative; link without -rpath", file.run_path);
	for (size_t i = 0; i < file.library_count; i++)
		suite_expect(!strchr(file.libraries[i], '/'), "it needs \"%s\" by a path; link it with -l", file.libraries[i]);
	elf_close(&file);
}

const struct suite_case elf_cases[] = {
	{"is_a_shared_object", "an ELF file for this machine, linked with -shared", is_a_shared_object},
	{"exports_one_symbol", "pep_plugin_probe() and nothing else: names of plugins must never meet", exports_one_symbol},
	{"cannot_be_patched", "full RELRO, no text relocations, no executable stack, no writable code", cannot_be_patched},
	{"runs_nothing_when_loaded", "no constructors: a plugin does nothing before open()", runs_nothing_when_loaded},
	{"leaves_the_process_alone", "it does not end the process, nor change its folder, locale, environment or signals",
	 leaves_the_process_alone},
	{"finds_libraries_as_others_do", "the libraries that it needs are found where the system has them",
	 finds_libraries_as_others_do},
	{NULL, NULL, NULL},
};
