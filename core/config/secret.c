/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/secret.h"

#include "core/base/cleanup.h"
#include "core/config/file.h"

#include <stdlib.h>
#include <string.h>

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading a secret");
}

static pep_status read_variable(const char *source, char **ret_text, struct pep_error *err)
{
	AUTO(free_ptr) char *name = strndup(source + 2, strlen(source) - 3);
	const char *value = name ? getenv(name) : NULL;
	char *text;

	if (!name)
		return no_memory(err);
	if (!value)
		return pep_fail(err, PEP_INVALID, 0, "the environment has no %s; set it, or use file:PATH", name);
	text = strdup(value);
	if (!text)
		return no_memory(err);
	*ret_text = text;
	return PEP_OK;
}

static pep_status read_file(const char *path, const char *data_dir, char **ret_text, struct pep_error *err)
{
	AUTO(free_ptr) char *full = NULL;
	char *text;
	size_t size;
	pep_status status;

	if (asprintf(&full, "%s%s%s", path[0] == '/' ? "" : data_dir, path[0] == '/' ? "" : "/", path) < 0) {
		full = NULL;
		return no_memory(err);
	}
	status = file_read_private(full, SECRET_LIMIT, &text, &size, err);
	if (status != PEP_OK)
		return status;
	if (memchr(text, '\0', size)) {
		explicit_bzero(text, size);
		free(text);
		return pep_fail(err, PEP_INVALID, 0, "%s: holds a NUL byte; a secret is text", full);
	}
	while (size && (text[size - 1] == '\n' || text[size - 1] == '\r'))
		text[--size] = '\0';
	*ret_text = text;
	return PEP_OK;
}

pep_status secret_read(const char *source, const char *data_dir, char **ret_text, struct pep_error *err)
{
	if (strncmp(source, "file:", 5) == 0)
		return read_file(source + 5, data_dir, ret_text, err);
	return read_variable(source, ret_text, err);
}

void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}
