/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/order_input.h"

#include "core/api/fields.h"
#include "core/api/moment.h"
#include "core/api/order_rows.h"
#include "core/api/trouble.h"
#include "core/base/text.h"

#include <string.h>
#include <strings.h>

/* What an order says beside its serials: a query has texts only, so all of it is read as text. */
struct particulars {
	const char *name, *customer, *quantity, *pattern, *from, *to, *serial_column, *dry_run, *partial;
	const char *fields[ORDER_FIELD_COUNT];
};

static bool bad(const struct http_request *request, struct http_reply *reply, const char *name, const char *hint)
{
	reply_problem(request, reply, 400, "bad_argument", name, "%s should be %s", name, hint);
	return false;
}

/* Where the text of this name belongs; NULL: nowhere. */
static const char **find_place(struct particulars *particulars, const char *name)
{
	struct {
		const char *name, **place;
	} places[] = {{"name", &particulars->name},
		      {"customer", &particulars->customer},
		      {"quantity", &particulars->quantity},
		      {"pattern", &particulars->pattern},
		      {"from", &particulars->from},
		      {"to", &particulars->to},
		      {"serial_column", &particulars->serial_column},
		      {"dry_run", &particulars->dry_run},
		      {"partial", &particulars->partial}};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(places[i].name, name) == 0)
			return places[i].place;
	for (size_t i = 0; i < ORDER_FIELD_COUNT; i++)
		if (strcmp(order_fields[i].name, name) == 0)
			return &particulars->fields[i];
	return NULL;
}

static bool take_query(const struct http_request *request, struct particulars *particulars, struct http_reply *reply)
{
	for (size_t i = 0; i < request->query_count; i++) {
		const char **place = find_place(particulars, request->query[i].name);

		if (!place || *place) {
			reply_problem(request, reply, 400, "bad_argument", request->query[i].name,
				      place ? "this argument is given more than once" : "there is no argument of this name here");
			return false;
		}
		*place = request->query[i].value;
	}
	return true;
}

/* --- JSON: the members as texts --- */

static bool take_member(const struct http_request *request, const char *name, const json_t *value, struct particulars *particulars,
			struct http_reply *reply)
{
	const char **place = find_place(particulars, name);

	if (!place || *place)
		return bad(request, reply, name, "given once, in the body");
	if (json_is_integer(value))
		*place = arena_format(request->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_string(value) && text_is_printable(json_string_value(value), json_string_length(value)))
		*place = arena_text(request->arena, json_string_value(value));
	else
		return bad(request, reply, name, "printable text");
	if (!*place)
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
	return *place != NULL;
}

static bool is_field(const char *name)
{
	for (size_t i = 0; i < ORDER_FIELD_COUNT; i++)
		if (strcmp(order_fields[i].name, name) == 0)
			return true;
	return false;
}

static bool take_object(const struct http_request *request, json_t *object, struct order_input *input,
			struct particulars *particulars, struct http_reply *reply)
{
	json_t *fields = json_object_get(object, "fields");
	const char *name;
	json_t *value;

	if (fields && !json_is_object(fields))
		return bad(request, reply, "fields", "an object of fields and their values");
	json_object_foreach(object, name, value)
	{
		if (strcmp(name, "fields") != 0 && strcmp(name, "serials") != 0 &&
		    !take_member(request, name, value, particulars, reply))
			return false;
	}
	json_object_foreach(fields, name, value)
	{
		if (!is_field(name))
			return bad(request, reply, "fields", "fields of an identity that an order may decide");
		if (!take_member(request, name, value, particulars, reply))
			return false;
	}
	value = json_object_get(object, "serials");
	return !value || order_rows_json(request, value, input, reply);
}

static bool take_json(const struct http_request *request, struct order_input *input, struct particulars *particulars,
		      struct http_reply *reply)
{
	static const char *const names[] = {"name", "customer", "quantity", "pattern", "serials", "from", "to", "fields", NULL};
	json_t *object = NULL;
	bool is_good = trouble_body(request, names, &object, reply) && take_object(request, object, input, particulars, reply);

	json_decref(object);
	return is_good;
}

/* --- what they mean --- */

static bool take_flag(const struct http_request *request, const char *name, const char *text, bool *ret_flag,
		      struct http_reply *reply)
{
	*ret_flag = text && strcmp(text, "true") == 0;
	return !text || *ret_flag || strcmp(text, "false") == 0 || bad(request, reply, name, "true or false");
}

static bool take_moment(const struct http_request *request, const char *name, const char *text, int64_t *ret_ms,
			struct http_reply *reply)
{
	return !text || moment_parse(text, ret_ms) || bad(request, reply, name, "a date or time as in 2027-03-01T06:30:00Z");
}

static bool take_fields(const struct api_context *api, const struct http_request *request, const struct particulars *particulars,
			struct order *order, struct http_reply *reply)
{
	for (size_t i = 0; i < ORDER_FIELD_COUNT; i++) {
		const char *value = particulars->fields[i];
		const char *hint = value ? fields_check(api, order_fields[i].name, value) : NULL;

		if (hint)
			return bad(request, reply, order_fields[i].name, hint);
		order->fields[i] = value;
	}
	return true;
}

static bool take_pattern(const struct http_request *request, const char *pattern, struct order_input *input,
			 struct http_reply *reply)
{
	const char *hint;
	regex_t regex;

	if (!pattern == !input->row_count)
		return bad(request, reply, "serials", "a list of serial numbers, or there should be a pattern, not both");
	if (!pattern)
		return true;
	if (!order_compile(pattern, &regex, &hint))
		return bad(request, reply, "pattern", hint);
	regfree(&regex);
	input->order.pattern = pattern;
	return true;
}

/* Of a list, as many as it has; of a pattern, it must be said. More than the list has could never be reached. */
static bool take_quantity(const struct http_request *request, const char *text, struct order_input *input, struct http_reply *reply)
{
	struct order *order = &input->order;
	int64_t good = (int64_t)(input->row_count - input->bad_count);
	int64_t most = order->pattern ? ORDER_QUANTITY_MAX : (int64_t)input->row_count;

	order->quantity = good;
	if (!text)
		return !order->pattern || bad(request, reply, "quantity", "how many identities the order has");
	if (!text_to_number(text, 1, most, &order->quantity))
		return bad(request, reply, "quantity",
			   order->pattern ? "a number from 1 to 1000000000"
					  : "at least 1, and no more than there are serial numbers");
	if (!order->pattern && order->quantity > good)
		order->quantity = good; /* some rows are bad: if the others are taken at all, it is for what there is */
	return true;
}

static bool take_particulars(const struct api_context *api, const struct http_request *request,
			     const struct particulars *particulars, struct order_input *input, struct http_reply *reply)
{
	struct order *order = &input->order;

	if (!order->name || !order_is_name(order->name))
		return bad(request, reply, "name", "1 to 64 letters, digits, dots, dashes and underscores, and begin with no dot");
	if (order->customer && (strlen(order->customer) > ORDER_CUSTOMER_MAX || !*order->customer ||
				!text_is_printable(order->customer, strlen(order->customer))))
		return bad(request, reply, "customer", "1 to 128 bytes of printable text");
	if (!take_moment(request, "from", particulars->from, &order->from_ms, reply) ||
	    !take_moment(request, "to", particulars->to, &order->to_ms, reply))
		return false;
	if (order->to_ms && order->to_ms <= order->from_ms)
		return bad(request, reply, "to", "later than from");
	return take_fields(api, request, particulars, order, reply) && take_pattern(request, particulars->pattern, input, reply) &&
	       order_rows_check(api, request, input, reply) && take_quantity(request, particulars->quantity, input, reply);
}

bool order_input_read(const struct api_context *api, const struct http_request *request, struct order_input *ret_input,
		      struct http_reply *reply)
{
	const char *type = request_header(request, "Content-Type");
	bool is_csv = type && strncasecmp(type, "text/csv", strlen("text/csv")) == 0;
	struct particulars particulars = {0};

	*ret_input = (struct order_input){0};
	if (!take_query(request, &particulars, reply) ||
	    !take_flag(request, "dry_run", particulars.dry_run, &ret_input->dry_run, reply) ||
	    !take_flag(request, "partial", particulars.partial, &ret_input->partial, reply))
		return false;
	if (!is_csv && !take_json(request, ret_input, &particulars, reply))
		return false;
	ret_input->order.name = particulars.name;
	ret_input->order.customer = particulars.customer;
	if (is_csv && (!request->body_size || !order_rows_csv(request, particulars.serial_column, ret_input, reply)))
		return request->body_size ? false : bad(request, reply, "body", "a CSV file");
	return take_particulars(api, request, &particulars, ret_input, reply);
}
