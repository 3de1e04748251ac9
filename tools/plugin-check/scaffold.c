/* SPDX-License-Identifier: Apache-2.0 */
#include "scaffold.h"

#include "core/base/cleanup.h"
#include "core/config/value.h"
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* C names have no dashes. */
static void make_symbol(const char *name, char symbol[40])
{
	size_t used = 0;

	if (*name >= '0' && *name <= '9')
		symbol[used++] = '_';
	for (; *name && used < 39; name++)
		symbol[used++] = *name;
	symbol[used] = '\0';
	for (char *at = symbol; *at; at++)
		if (*at == '-')
			*at = '_';
}

/* The text with @NAME@ and @SYMBOL@ replaced; false: the stream failed. */
static bool write_text(FILE *file, const char *text, size_t size, const char *name, const char *symbol)
{
	const char *end = text + size;

	while (text < end) {
		const char *at = memchr(text, '@', (size_t)(end - text));
		size_t before = (size_t)((at ? at : end) - text);

		if (fwrite(text, 1, before, file) != before)
			return false;
		text += before;
		if (!at)
			break;
		if (strncmp(text, "@NAME@", 6) == 0) {
			(void)fputs(name, file);
			text += 6;
		} else if (strncmp(text, "@SYMBOL@", 8) == 0) {
			(void)fputs(symbol, file);
			text += 8;
		} else {
			(void)fputc(*text++, file);
		}
	}
	return !ferror(file);
}

static pep_status write_file(const char *path, const struct template_file *template, const char *name, const char *symbol,
			     struct pep_error *err)
{
	FILE *file = fopen(path, "wxe");
	bool is_written;

	if (!file)
		return pep_fail(err, PEP_CONFLICT, errno, "%s cannot be made: %s; name an empty folder", path, strerror(errno));
	is_written = write_text(file, (const char *)template->bytes, template->size, name, symbol);
	if (fclose(file) != 0 || !is_written)
		return pep_fail(err, PEP_INTERNAL, errno, "%s cannot be written: %s", path, strerror(errno));
	return PEP_OK;
}

pep_status scaffold_make(const char *kind, const char *name, const char *folder, FILE *out, struct pep_error *err)
{
	char symbol[40];

	if (strcmp(kind, "exporter") != 0)
		return pep_fail(err, PEP_INVALID, 0, "--new %.32s: there is a template for: exporter", kind);
	if (!value_is_name(name))
		return pep_fail(err, PEP_INVALID, 0,
				"--new: a plugin's name is 1 to 32 lower-case letters, digits, dashes or underscores");
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return pep_fail(err, PEP_INVALID, errno, "%s cannot be made: %s", folder, strerror(errno));
	make_symbol(name, symbol);
	for (const struct template_file *template = template_files; template->name; template ++) {
		AUTO(free_ptr) char *path = NULL;
		bool is_source = strcmp(template->name, "plugin.c.in") == 0;
		pep_status status;

		if (asprintf(&path, "%s/%s%s", folder, is_source ? name : template->name, is_source ? ".c" : "") < 0) {
			path = NULL;
			return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
		}
		status = write_file(path, template, name, symbol, err);
		if (status != PEP_OK)
			return status;
		(void)fprintf(out, "%s\n", path);
	}
	(void)fprintf(out, "Next: cd %s && cmake -B build && cmake --build build && ctest --test-dir build\n", folder);
	return PEP_OK;
}
