/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"

#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

/* jansson's hooks take no context, so what they saw is kept for each thread. */
static _Thread_local bool memory_failed;

static void *watched_malloc(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		memory_failed = true;
	return memory;
}

static void watched_free(void *memory)
{
	free(memory);
}

/* Before main(): the hooks are for the whole process and must not change while a thread reads. */
__attribute__((constructor)) static void watch_memory(void)
{
	json_set_alloc_funcs(watched_malloc, watched_free);
}

pep_status json_parse_text(const char *text, size_t size, json_t **ret_json, struct pep_error *err)
{
	json_error_t error = {0};
	json_t *json;

	memory_failed = false;
	json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (memory_failed) {
		json_decref(json);
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading JSON");
	}
	if (!json) {
		/* It quotes what it has read, which may end inside a character. */
		bool is_clean = text_is_printable(error.text, strlen(error.text));

		return pep_fail(err, PEP_INVALID, 0, "%s (line %d, column %d)", is_clean ? error.text : "not valid JSON",
				error.line, error.column);
	}
	*ret_json = json;
	return PEP_OK;
}
