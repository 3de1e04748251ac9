/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ledger.h"

#include "cli/file.h"
#include "cli/part.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_LIMIT 65536u
#define VERSION 1

static void free_json(json_t **value)
{
	json_decref(*value);
}

static bool copy_id(json_t *content, const char *key, char ret_id[25])
{
	const char *text = json_string_value(json_object_get(content, key));
	size_t size = text ? strlen(text) : 1;

	if ((size != 0 && size != 24) || strspn(text, "0123456789abcdef") != size)
		return false;
	memcpy(ret_id, text, size + 1);
	return true;
}

/* Absent in what an older pep-cli has written. Shown to people and never sent. */
static void copy_head(json_t *content, char ret_head[86])
{
	const char *text = json_string_value(json_object_get(content, "audit_head"));

	if (text && strlen(text) < 86 && strspn(text, "0123456789abcdef ") == strlen(text))
		(void)snprintf(ret_head, 86, "%s", text);
}

static bool copy_suffix(json_t *content, char ret_suffix[33])
{
	const char *text = json_string_value(json_object_get(content, "suffix"));

	if (!text || strlen(text) > 32 || strchr(text, '/'))
		return false;
	(void)snprintf(ret_suffix, 33, "%s", text);
	return true;
}

/* False: it is not what ledger_save() writes. */
static bool read_content(json_t *content, struct ledger *ret_ledger)
{
	struct ledger ledger = {0};
	json_int_t number, limit;
	int version, is_whole;

	if (json_unpack(content, "{s:i, s:I, s:b, s:I}", "version", &version, "number", &number, "whole", &is_whole, "limit",
			&limit) != 0 ||
	    version != VERSION || number < 0 || limit < 0 || !copy_id(content, "since", ledger.since) ||
	    !copy_id(content, "last", ledger.last) || !copy_id(content, "cursor", ledger.cursor) ||
	    !copy_suffix(content, ledger.suffix))
		return false;
	ledger.number = number;
	ledger.is_whole = is_whole;
	ledger.limit = limit;
	copy_head(content, ledger.audit_head);
	*ret_ledger = ledger;
	return true;
}

int ledger_load(const char *path, json_t *request, struct ledger *ret_ledger, struct failure *err)
{
	AUTO(free_json) json_t *content = NULL;
	AUTO(free_ptr) char *data = NULL;
	struct ledger ledger = {.is_whole = true};
	size_t size = 0;
	int error = file_load_private(path, FILE_LIMIT, &data, &size);

	if (error && error != ENOENT)
		return failure_set(err, EXIT_LOCAL_FILE, "local_file",
				   "cannot read %s: %s; it must be a file of yours that nobody else can write", path,
				   strerror(error));
	if (!error) {
		content = json_loadb(data, size, 0, NULL);
		if (!read_content(content, &ledger))
			return failure_set(err, EXIT_LOCAL_FILE, "local_file",
					   "%s is not what pep-cli writes there; export into another folder", path);
		if (!json_equal(json_object_get(content, "request"), request))
			return failure_set(err, EXIT_USAGE, "usage",
					   "the files beside %s are of another server or other options; export into another folder",
					   path);
	}
	*ret_ledger = ledger;
	return EXIT_OK;
}

int ledger_save(const char *path, json_t *request, const struct ledger *ledger, struct failure *err)
{
	AUTO(free_json)
	json_t *content = json_pack("{s:i, s:O, s:I, s:s, s:b, s:s, s:s, s:s, s:I, s:s}", "version", VERSION, "request", request,
				    "number", (json_int_t)ledger->number, "suffix", ledger->suffix, "whole", (int)ledger->is_whole,
				    "since", ledger->since, "last", ledger->last, "cursor", ledger->cursor, "limit",
				    (json_int_t)ledger->limit, "audit_head", ledger->audit_head);
	AUTO(free_ptr) char *text = content ? json_dumps(content, JSON_INDENT(1)) : NULL;

	if (!text)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	return part_save(path, text, strlen(text), err);
}
