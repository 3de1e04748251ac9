/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/order.h"

#include "core/base/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct order_field order_fields[ORDER_FIELD_COUNT] = {
	{"hardwareVersion", offsetof(struct pep_identity, hardware_version)},
	{"radioConfig", offsetof(struct pep_identity, radio_config)},
	{"ledConfig", offsetof(struct pep_identity, led_config)},
	{"category", offsetof(struct pep_identity, category)},
	{"apiAddress", offsetof(struct pep_identity, api_address)},
	{"gatewayServicesAddress", offsetof(struct pep_identity, gateway_services_address)},
	{"OU", offsetof(struct pep_identity, ou)},
};

bool order_is_name(const char *text)
{
	size_t size = strlen(text);

	return size >= 1 && size <= ORDER_NAME_MAX && text[0] != '.' &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

bool order_compile(const char *pattern, regex_t *ret_regex, const char **ret_hint)
{
	char whole[ORDER_PATTERN_MAX + 8];

	*ret_hint = order_pattern_fault(pattern);
	if (*ret_hint)
		return false;
	(void)snprintf(whole, sizeof(whole), "^(%s)$", pattern);
	if (*pattern && regcomp(ret_regex, whole, REG_EXTENDED | REG_NOSUB) == 0)
		return true;
	*ret_hint = "a POSIX extended regular expression";
	return false;
}

bool order_matches(const regex_t *regex, const char *serial)
{
	return regexec(regex, serial, 0, NULL, 0) == 0;
}

static int compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

bool order_lists(const struct order *order, const char *serial)
{
	return order->serial_count &&
	       bsearch(&serial, order->serials, order->serial_count, sizeof(*order->serials), compare) != NULL;
}

void order_sort(struct order *order)
{
	if (order->serial_count)
		qsort(order->serials, order->serial_count, sizeof(*order->serials), compare);
}

/* --- as JSON --- */

static bool set_text(json_t *json, const char *key, const char *text)
{
	return !text || json_object_set_new(json, key, json_string(text)) == 0;
}

static bool set_number(json_t *json, const char *key, int64_t number)
{
	return !number || json_object_set_new(json, key, json_integer(number)) == 0;
}

static bool set_fields(json_t *json, const struct order *order)
{
	json_t *fields = json_object();

	for (size_t i = 0; i < ORDER_FIELD_COUNT; i++) {
		if (!set_text(fields, order_fields[i].name, order->fields[i])) {
			json_decref(fields);
			return false;
		}
	}
	return json_object_set_new(json, "fields", fields) == 0;
}

json_t *order_to_json(const struct order *order)
{
	json_t *json = json_object();

	if (set_text(json, "name", order->name) && set_text(json, "customer", order->customer) &&
	    set_number(json, "quantity", order->quantity) && set_text(json, "pattern", order->pattern) &&
	    set_number(json, "serials", (int64_t)order->serial_count) && set_number(json, "from_ms", order->from_ms) &&
	    set_number(json, "to_ms", order->to_ms) && set_fields(json, order) &&
	    set_number(json, "created_ms", order->created_ms) && set_text(json, "created_by", order->created_by))
		return json;
	json_decref(json);
	return NULL;
}

static bool get_text(struct arena *arena, const json_t *json, const char *key, const char **ret_text)
{
	const char *text = json_string_value(json_object_get(json, key));

	*ret_text = text ? arena_text(arena, text) : NULL;
	return !text || *ret_text;
}

static bool get_texts(struct arena *arena, const json_t *json, struct order *order)
{
	const json_t *fields = json_object_get(json, "fields");

	for (size_t i = 0; i < ORDER_FIELD_COUNT; i++)
		if (!get_text(arena, fields, order_fields[i].name, &order->fields[i]))
			return false;
	return get_text(arena, json, "name", &order->name) && get_text(arena, json, "customer", &order->customer) &&
	       get_text(arena, json, "pattern", &order->pattern) && get_text(arena, json, "created_by", &order->created_by);
}

pep_status order_from_json(struct arena *arena, const json_t *json, struct order *ret_order, struct pep_error *err)
{
	struct order order = {
		.quantity = json_integer_value(json_object_get(json, "quantity")),
		.serial_count = (size_t)json_integer_value(json_object_get(json, "serials")),
		.from_ms = json_integer_value(json_object_get(json, "from_ms")),
		.to_ms = json_integer_value(json_object_get(json, "to_ms")),
		.created_ms = json_integer_value(json_object_get(json, "created_ms")),
	};

	if (!get_texts(arena, json, &order))
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	if (!order.name || order.quantity < 1 || order.serial_count > ORDER_SERIALS_MAX || (!order.pattern && !order.serial_count))
		return pep_fail(err, PEP_INVALID, 0, "the note of an order cannot be read");
	*ret_order = order;
	return PEP_OK;
}
