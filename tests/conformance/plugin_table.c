/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin_table.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

typedef const struct pep_plugin *(*probe_function)(uint16_t host_major);

static void check_name(const struct pep_plugin *plugin, const char *file)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	size_t size = strspn(plugin->name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	assert_in_range(size, 1, 32);
	assert_int_equal(plugin->name[size], '\0');
	assert_memory_equal(base, plugin->name, size);
	assert_string_equal(base + size, ".so");
	assert_non_null(plugin->version);
	assert_true(*plugin->version);
}

static void check_options(const struct pep_plugin *plugin)
{
	if (!plugin->options)
		return;
	assert_true(plugin->option_size >= sizeof(struct pep_option));
	for (const struct pep_option *option = plugin->options; option->key;
	     option = (const struct pep_option *)((const char *)option + plugin->option_size)) {
		size_t size = strspn(option->key, "abcdefghijklmnopqrstuvwxyz0123456789_");

		assert_true(option->key[0] >= 'a' && option->key[0] <= 'z');
		assert_int_equal(option->key[size], '\0');
		assert_in_range(option->type, PEP_STRING, PEP_SECRET);
		assert_true(option->min <= option->max);
		assert_non_null(option->help);
		assert_null(strchr(option->help, '\n'));
	}
}

const struct pep_plugin *plugin_table_load(const char *file, int32_t kind)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const struct pep_plugin *plugin;
	probe_function probe;

	if (!library)
		fail_msg("cannot load %s: %s", file, dlerror());
	probe = (probe_function)dlsym(library, "pep_plugin_probe"); /* POSIX lets a symbol be a function */
	assert_non_null(probe);
	assert_null(probe(PEP_ABI_MAJOR + 1));
	assert_null(probe(0));
	plugin = probe(PEP_ABI_MAJOR);
	assert_non_null(plugin);
	assert_ptr_equal(plugin, probe(PEP_ABI_MAJOR));
	assert_int_equal(plugin->abi_major, PEP_ABI_MAJOR);
	assert_true(plugin->struct_size >= sizeof(*plugin));
	assert_int_equal(plugin->kind, kind);
	assert_non_null(plugin->ops);
	check_name(plugin, file);
	check_options(plugin);
	return plugin;
}

static void ignore_log(const struct pep_host *host, int32_t syslog_level, const char *line)
{
	(void)host;
	(void)syslog_level;
	assert_non_null(line);
	assert_null(strchr(line, '\n'));
}

static bool never_stopping(const struct pep_host *host)
{
	(void)host;
	return false;
}

struct pep_host plugin_table_host(void)
{
	return (struct pep_host){.struct_size = sizeof(struct pep_host), .log = ignore_log, .stopping = never_stopping};
}
