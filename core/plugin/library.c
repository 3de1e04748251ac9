/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/library.h"

#include "core/base/text.h"
#include "core/config/options.h"
#include "core/config/value.h"
#include "core/plugin/widen.h"

#include <stdlib.h>
#include <string.h>

/* Up to which member a struct reached in release 1.0. A shorter one is damaged. */
#define SIZE_UP_TO(type, member) (offsetof(struct type, member) + sizeof(((struct type *)NULL)->member))
#define SIZE_LIMIT 65536u /* of anything that a newer release may have made of it */
#define TEXT_LIMIT 1024u  /* bytes of a text in a plugin */
#define PROFILES_LIMIT 32u

struct required {
	const char *name;
	size_t offset;
};
#define REQUIRED(type, member)                  \
	{                                       \
#member, offsetof(type, member) \
	}

static const struct required storage_required[] = {
	REQUIRED(struct pep_storage_ops, open),      REQUIRED(struct pep_storage_ops, close),
	REQUIRED(struct pep_storage_ops, ping),      REQUIRED(struct pep_storage_ops, insert),
	REQUIRED(struct pep_storage_ops, update),    REQUIRED(struct pep_storage_ops, scan_open),
	REQUIRED(struct pep_storage_ops, scan_next), REQUIRED(struct pep_storage_ops, scan_close),
};
static const struct required injector_required[] = {
	REQUIRED(struct pep_injector_ops, open),
	REQUIRED(struct pep_injector_ops, close),
	REQUIRED(struct pep_injector_ops, self_test),
	REQUIRED(struct pep_injector_ops, inject),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
static const struct kind {
	const char *name;
	size_t ops_size, least_size; /* ours; up to the last required function */
	const struct required *required;
	size_t required_count;
} kinds[] = {
	[PEP_STORAGE] = {"storage", sizeof(struct pep_storage_ops), SIZE_UP_TO(pep_storage_ops, scan_close), storage_required,
			 COUNT(storage_required)},
	[PEP_INJECTOR] = {"injector", sizeof(struct pep_injector_ops), SIZE_UP_TO(pep_injector_ops, inject), injector_required,
			  COUNT(injector_required)},
	[PEP_EXPORTER] = {"exporter", sizeof(struct pep_exporter_ops), SIZE_UP_TO(pep_exporter_ops, record), NULL, 0},
};

const char *library_kind_name(int32_t kind)
{
	return kind >= PEP_STORAGE && kind <= PEP_EXPORTER ? kinds[kind].name : "plugin of an unknown kind";
}

/* It ends, and can be shown in one line. */
static bool is_text(const char *text, size_t limit)
{
	size_t size = text ? strnlen(text, limit + 1) : 0;

	return text && size <= limit && text_is_printable(text, size);
}

/* The first eight bytes are the same in every ABI. */
static pep_status check_abi(const struct pep_plugin *theirs, struct pep_error *err)
{
	if (theirs->struct_size < offsetof(struct pep_plugin, kind) || theirs->struct_size > SIZE_LIMIT)
		return pep_fail(err, PEP_INVALID, 0, "its description has an impossible size (%u bytes); compile it again",
				theirs->struct_size);
	if (theirs->abi_major != PEP_ABI_MAJOR)
		return pep_fail(err, PEP_INVALID, 0,
				"made for plugin ABI %u.%u, this server has %u.%u; compile it with this server's headers",
				theirs->abi_major, theirs->abi_minor, PEP_ABI_MAJOR, PEP_ABI_MINOR);
	if (theirs->struct_size < SIZE_UP_TO(pep_plugin, ops))
		return pep_fail(err, PEP_INVALID, 0, "its description is cut short (%u of %zu bytes); compile it again",
				theirs->struct_size, SIZE_UP_TO(pep_plugin, ops));
	return PEP_OK;
}

static pep_status check_plugin(const struct pep_plugin *plugin, const char *name, struct pep_error *err)
{
	if (!plugin->name || !value_is_name(plugin->name))
		return pep_fail(err, PEP_INVALID, 0, "gives no name of its own, or one that is not allowed");
	if (strcmp(plugin->name, name) != 0)
		return pep_fail(err, PEP_INVALID, 0, "calls itself \"%s\"; the file must have the plugin's own name", plugin->name);
	if (plugin->kind < PEP_STORAGE || plugin->kind > PEP_EXPORTER)
		return pep_fail(err, PEP_INVALID, 0, "is of kind %d, which this server does not know; a newer server may",
				(int)plugin->kind);
	if (!is_text(plugin->version, TEXT_LIMIT))
		return pep_fail(err, PEP_INVALID, 0, "gives no version of its own");
	return PEP_OK;
}

static pep_status read_ops(const struct pep_plugin *plugin, struct library *library, struct pep_error *err)
{
	const struct kind *kind = &kinds[plugin->kind];
	uint32_t size, threads;

	if (!plugin->ops)
		return pep_fail(err, PEP_INVALID, 0, "gives no functions (ops is NULL)");
	memcpy(&size, plugin->ops, sizeof(size));
	if (size < kind->least_size || size > SIZE_LIMIT)
		return pep_fail(err, PEP_INVALID, 0, "its table of functions has %u bytes, the least is %zu; compile it again",
				size, kind->least_size);
	widen(&library->ops, kind->ops_size, plugin->ops, size);
	memcpy(&threads, (const char *)&library->ops + sizeof(size), sizeof(threads));
	if (threads > PEP_THREADS_PARALLEL)
		return pep_fail(err, PEP_INVALID, 0, "has the unknown thread model %u", threads);
	for (size_t i = 0; i < kind->required_count; i++) {
		void (*function)(void);

		memcpy(&function, (const char *)&library->ops + kind->required[i].offset, sizeof(function));
		if (!function)
			return pep_fail(err, PEP_INVALID, 0, "lacks the required function %s()", kind->required[i].name);
	}
	return PEP_OK;
}

static pep_status check_exporter(const struct pep_exporter_ops *ops, struct pep_error *err)
{
	if (!is_text(ops->media_type, 128) || !*ops->media_type || !is_text(ops->suffix, 16) || !*ops->suffix)
		return pep_fail(err, PEP_INVALID, 0, "gives no media_type or no suffix");
	if (!ops->record && !ops->deliver)
		return pep_fail(err, PEP_INVALID, 0, "lacks the required function record(), and deliver(), which would do, too");
	if (ops->profiles && !ops->begin_profile)
		return pep_fail(err, PEP_INVALID, 0, "has profiles and no begin_profile()");
	for (size_t i = 0; ops->profiles && ops->profiles[i]; i++)
		if (i == PROFILES_LIMIT || !value_is_name(ops->profiles[i]))
			return pep_fail(err, PEP_INVALID, 0, "has over %u profiles, or one with a name that is not allowed",
					PROFILES_LIMIT);
	return PEP_OK;
}

static const char *option_at(const struct pep_plugin *plugin, size_t i)
{
	return (const char *)plugin->options + i * plugin->option_size;
}

static size_t count_options(const struct pep_plugin *plugin)
{
	size_t count = 0;
	const char *key;

	for (; count <= OPTIONS_LIMIT; count++) {
		memcpy(&key, option_at(plugin, count), sizeof(key));
		if (!key)
			break;
	}
	return count;
}

static pep_status read_options(const struct pep_plugin *plugin, struct library *library, struct pep_error *err)
{
	size_t count;

	if (!plugin->options)
		return PEP_OK;
	if (plugin->option_size < SIZE_UP_TO(pep_option, type) || plugin->option_size > SIZE_LIMIT ||
	    plugin->option_size % _Alignof(struct pep_option))
		return pep_fail(err, PEP_INVALID, 0, "its options have an impossible size (%u bytes); compile it again",
				plugin->option_size);
	count = count_options(plugin);
	if (count > OPTIONS_LIMIT)
		return pep_fail(err, PEP_INVALID, 0, "more than %u options, or their list has no end", OPTIONS_LIMIT);
	library->options = calloc(count + 1, sizeof(*library->options));
	if (!library->options)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading its options");
	for (size_t i = 0; i < count; i++) {
		struct pep_option *option = &library->options[i];

		memcpy(option, option_at(plugin, i), plugin->option_size < sizeof(*option) ? plugin->option_size : sizeof(*option));
		if (!is_text(option->key, TEXT_LIMIT) || (option->fallback && !is_text(option->fallback, TEXT_LIMIT)) ||
		    (option->help && !is_text(option->help, TEXT_LIMIT)))
			return pep_fail(err, PEP_INVALID, 0,
					"option %zu has a text of more than %u bytes, or of more than one line", i, TEXT_LIMIT);
	}
	return options_check(library->options, err);
}

pep_status library_read(const struct pep_plugin *theirs, const char *name, struct library *ret_library, struct pep_error *err)
{
	struct library library = {0};
	pep_status status;

	if (!theirs)
		return pep_fail(err, PEP_INVALID, 0,
				"cannot serve a server of plugin ABI %u; compile it with this server's headers", PEP_ABI_MAJOR);
	status = check_abi(theirs, err);
	if (status != PEP_OK)
		return status;
	widen(&library.plugin, sizeof(library.plugin), theirs, theirs->struct_size);
	status = check_plugin(&library.plugin, name, err);
	if (status == PEP_OK)
		status = read_ops(&library.plugin, &library, err);
	if (status == PEP_OK && library.plugin.kind == PEP_EXPORTER)
		status = check_exporter(&library.ops.exporter, err);
	if (status == PEP_OK)
		status = read_options(&library.plugin, &library, err);
	if (status != PEP_OK) {
		library_fini(&library);
		return status;
	}
	*ret_library = library;
	return PEP_OK;
}

void library_fini(struct library *library)
{
	free(library->options);
	*library = (struct library){0};
}
