/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/history.h"

#include "core/base/cleanup.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <string.h>

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static bool is_history(const json_t *array)
{
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		if (!json_is_integer(json_object_get(item, "attempt")))
			return false;
	}
	return json_is_array(array);
}

/* NULL: *ret_status tells why. The caller's. */
static json_t *parse(const char *history, pep_status *ret_status)
{
	struct pep_error ignored = {0};
	json_t *array = NULL;

	if (!history) {
		*ret_status = PEP_NO_MEMORY; /* if it fails */
		return json_array();
	}
	*ret_status = json_parse_text(history, strlen(history), &array, &ignored);
	if (!array || is_history(array))
		return array;
	json_decref(array);
	*ret_status = PEP_INVALID;
	return NULL;
}

static json_t *find(const json_t *array, uint32_t attempt)
{
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		if (json_integer_value(json_object_get(item, "attempt")) == (json_int_t)attempt)
			return item;
	}
	return NULL;
}

static bool is_delivered(const json_t *item)
{
	return text_equal(json_string_value(json_object_get(item, "ended")), HISTORY_DELIVERED);
}

/* Text that is not UTF-8 cannot stand in JSON; it could only be a reason, which may be missed. */
static bool set_text(json_t *item, const char *key, const char *text)
{
	if (!text || !text_is_utf8(text, strlen(text)))
		return true;
	return json_object_set_new(item, key, json_string(text)) == 0;
}

static bool set_number(json_t *item, const char *key, int64_t number)
{
	return number == 0 || json_object_set_new(item, key, json_integer(number)) == 0;
}

static bool fill(json_t *item, const struct history_entry *entry)
{
	bool keep = is_delivered(item);

	return set_number(item, "attempt", entry->attempt) && set_number(item, "generation", entry->generation) &&
	       set_text(item, "enrollmentID", entry->enrollment_id) && set_text(item, "_id", entry->dispatch_id) &&
	       set_number(item, "deployedAt", entry->deployed_ms) && set_text(item, "ended", keep ? NULL : entry->ended) &&
	       set_text(item, "reason", entry->reason);
}

/* The entry of an attempt, a new one if it has none; NULL: out of memory. Belongs to the array. */
static json_t *find_or_add(json_t *array, uint32_t attempt)
{
	json_t *item = find(array, attempt);

	if (item)
		return item;
	item = json_object();
	return json_array_append_new(array, item) == 0 ? item : NULL;
}

static pep_status print(struct arena *arena, const json_t *array, const char **ret_history)
{
	char room[2048]; /* enough for most, so that they are printed once */
	size_t size = json_dumpb(array, room, sizeof(room), JSON_COMPACT);
	char *text = size ? arena_alloc(arena, size + 1) : NULL;

	if (!text)
		return PEP_NO_MEMORY;
	if (size <= sizeof(room))
		memcpy(text, room, size);
	else if (json_dumpb(array, text, size, JSON_COMPACT) != size)
		return PEP_NO_MEMORY;
	text[size] = '\0';
	*ret_history = text;
	return PEP_OK;
}

pep_status history_put(struct arena *arena, const char *history, const struct history_entry *entry, const char **ret_history)
{
	pep_status status;
	AUTO(drop_json) json_t *array = parse(history, &status);
	json_t *item;

	if (!array)
		return status;
	item = find_or_add(array, entry->attempt);
	if (!item || !fill(item, entry))
		return PEP_NO_MEMORY;
	return print(arena, array, ret_history);
}

bool history_delivered(const char *history, uint32_t attempt)
{
	pep_status status;
	AUTO(drop_json) json_t *array = history ? parse(history, &status) : NULL;

	return array && is_delivered(find(array, attempt));
}

uint32_t history_attempt_of(const char *history, const char *enrollment_id)
{
	pep_status status;
	AUTO(drop_json) json_t *array = history && enrollment_id ? parse(history, &status) : NULL;
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		if (text_equal(json_string_value(json_object_get(item, "enrollmentID")), enrollment_id))
			return (uint32_t)json_integer_value(json_object_get(item, "attempt"));
	}
	return 0;
}

bool history_in_doubt(const char *history, uint32_t attempt)
{
	pep_status status;
	AUTO(drop_json) json_t *array = history ? parse(history, &status) : NULL;
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		if (json_integer_value(json_object_get(item, "attempt")) >= (json_int_t)attempt &&
		    text_equal(json_string_value(json_object_get(item, "ended")), HISTORY_IN_DOUBT))
			return true;
	}
	return history && !array;
}
