/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/cleanup.h"
#include "core/config/file.h"
#include "core/config/parse.h"

#include <string.h>

pep_status parse_file(struct arena *arena, const char *path, struct parse_node **ret_root, struct pep_error *err)
{
	AUTO(free_ptr) char *text = NULL;
	const char *file = arena_text(arena, path);
	size_t size = 0;
	pep_status status;

	if (!file)
		return pep_fail(err, PEP_NO_MEMORY, 0, "%s: out of memory while reading the configuration", path);
	status = file_read(path, PARSE_FILE_LIMIT, &text, &size, err);
	if (status != PEP_OK)
		return status;
	status = parse_text(arena, file, text, size, ret_root, err);
	explicit_bzero(text, size); /* somebody may have written a secret into it by mistake */
	return status;
}
