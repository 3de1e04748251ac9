/* SPDX-License-Identifier: Apache-2.0
 *
 * orders.c - the production orders: see them, import one, close one.
 */
#include "core/service/orders.h"
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/api/order_input.h"
#include "core/api/trouble.h"
#include "core/base/cleanup.h"
#include "core/service/provision.h"

#include <string.h>

/* NULL: the reply says that this store has none. */
static struct orders *get_orders(const struct api_context *api, const struct http_request *request, struct http_reply *reply)
{
	if (!api->provisioner->orders)
		reply_problem(request, reply, 501, "unsupported", NULL,
			      "storage \"%s\" keeps no notes, and so no orders; use another storage", storage_name(api->storage));
	return api->provisioner->orders;
}

/* --- GET --- */

static void list(struct orders *orders, const struct http_request *request, struct http_reply *reply)
{
	static const char *const names[] = {"open", NULL};
	const char *open = arguments_check(request, names, reply) ? arguments_value(request, "open") : NULL;
	struct pep_error err = {0};
	json_t *all = NULL;
	pep_status status;

	if (reply->status)
		return;
	if (open && strcmp(open, "true") != 0) {
		reply_problem(request, reply, 400, "bad_argument", "open", "open should be true, or be left out");
		return;
	}
	status = orders_json(orders, open != NULL, &all, &err);
	if (status == PEP_OK)
		trouble_json(request, reply, 200, json_pack("{so}", "orders", all));
	else
		trouble_reply(request, reply, status, &err);
}

static void show(struct orders *orders, const struct http_request *request, struct http_reply *reply, const char *name)
{
	static const char *const no_names[] = {NULL};
	struct pep_error err = {0};
	json_t *order = NULL;
	pep_status status;

	if (!arguments_check(request, no_names, reply))
		return;
	status = orders_show(orders, name, &order, &err);
	if (status == PEP_OK)
		trouble_json(request, reply, 200, order);
	else
		trouble_reply(request, reply, status, &err);
}

/* --- import --- */

/* What only the store can say of a row: another order has it, or it is done already. False: *err says why it cannot be said. */
static pep_status look_up(const struct api_context *api, const struct http_request *request, struct order_input *input,
			  struct order_row *row, struct pep_error *err)
{
	AUTO(arena_fini) struct arena arena = {0};
	const struct pep_identity *record = NULL;
	char other[ORDER_NAME_MAX + 1];
	const char *reason = NULL;
	pep_status status;

	orders_find_listed(api->provisioner->orders, row->serial, other);
	if (*other) {
		reason = arena_format(request->arena, "the open order %s has it", other);
		if (!reason)
			return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
		order_input_mark(input, row, reason);
		return PEP_OK;
	}
	status = storage_get(api->storage, &arena, row->serial, &record, err);
	if (status == PEP_OK && record && (record->state == PEP_DEPLOYED || record->state == PEP_RETIRED))
		order_input_mark(input, row,
				 record->state == PEP_DEPLOYED ? "it has its identity already" : "it is retired already");
	return status;
}

static pep_status look_up_all(const struct api_context *api, const struct http_request *request, struct order_input *input,
			      struct pep_error *err)
{
	json_t *ignored = NULL;
	pep_status status =
		orders_json(api->provisioner->orders, true, &ignored, err); /* what other servers have said since, too */

	json_decref(ignored);
	for (size_t i = 0; status == PEP_OK && i < input->row_count; i++)
		if (!input->rows[i].reason)
			status = look_up(api, request, input, &input->rows[i], err);
	return status;
}

/* The rows that can be taken, as the order's list. */
static bool take_good_rows(struct arena *arena, struct order_input *input)
{
	struct order *order = &input->order;

	order->serials = arena_alloc(arena, (input->row_count + 1) * sizeof(*order->serials));
	for (size_t i = 0; order->serials && i < input->row_count; i++)
		if (!input->rows[i].reason)
			order->serials[order->serial_count++] = input->rows[i].serial;
	if (!order->pattern && order->quantity > (int64_t)order->serial_count)
		order->quantity = (int64_t)order->serial_count;
	if (order->serials)
		order_sort(order);
	return order->serials != NULL;
}

/* The first rows that cannot be taken. NULL: out of memory. */
static json_t *rows_json(const struct order_input *input)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < input->row_count && json_array_size(rows) < ORDER_ROWS_SHOWN; i++) {
		const struct order_row *row = &input->rows[i];

		if (!row->reason)
			continue;
		if (json_array_append_new(rows, json_pack("{sI,ss,ss}", "line", (json_int_t)row->line, "serial", row->serial,
							  "reason", row->reason)) != 0) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

/* What was, or would be, imported. */
static json_t *report(const struct order_input *input)
{
	const struct order *order = &input->order;
	json_t *ignored = input->ignored ? json_incref(input->ignored) : json_array();

	return json_pack("{ss,ss*,sI,ss*,sI,sI,sb,so,so}", "name", order->name, "customer", order->customer, "quantity",
			 (json_int_t)order->quantity, "pattern", order->pattern, "good",
			 (json_int_t)(input->row_count - input->bad_count), "bad", (json_int_t)input->bad_count, "dry_run",
			 (int)input->dry_run, "ignored_columns", ignored, "rows", rows_json(input));
}

/* RFC 9457 with the report beside it. */
static void refuse_rows(const struct http_request *request, struct http_reply *reply, const struct order_input *input)
{
	json_t *json = report(input);
	const char *detail = arena_format(request->arena, "%zu of %zu rows cannot be taken, so nothing is imported",
					  input->bad_count, input->row_count);

	if (json && detail &&
	    json_object_update_new(json, json_pack("{ss,ss,si,ss,ss,ss}", "type", "about:blank", "title", "Unprocessable Content",
						   "status", 422, "detail", detail, "code", "bad_rows", "request_id",
						   request->id)) != 0) {
		json_decref(json);
		json = NULL;
	}
	trouble_json(request, reply, 422, detail ? json : (json_decref(json), NULL));
	if (reply->status == 422) {
		reply->content_type = "application/problem+json";
		reply->error_code = "bad_rows";
	}
}

static json_t *import_event(const struct order *order)
{
	json_t *event = order_to_json(order);

	if (event && (json_object_set_new(event, "event", json_string("order_import")) != 0 ||
		      json_object_set(event, "order", json_object_get(event, "name")) != 0 || json_object_del(event, "name") != 0 ||
		      json_object_del(event, "created_by") != 0)) {
		json_decref(event);
		return NULL;
	}
	return event;
}

/* A name that is taken is told before anything is audited or written; orders_add() looks again. */
static pep_status check_name(struct orders *orders, const char *name, struct pep_error *err)
{
	json_t *order = NULL;
	pep_status status = orders_show(orders, name, &order, err);

	json_decref(order);
	if (status == PEP_OK)
		return pep_fail(err, PEP_CONFLICT, 0, "there is an order %s already", name);
	return status == PEP_NOT_FOUND ? PEP_OK : status;
}

static void import_checked(const struct api_context *api, const struct http_request *request, struct http_reply *reply,
			   struct order_input *input)
{
	struct orders *orders = api->provisioner->orders;
	struct pep_error err = {0};
	pep_status status = check_name(orders, input->order.name, &err);

	if (status == PEP_OK)
		status = look_up_all(api, request, input, &err);
	if (status == PEP_OK && !take_good_rows(request->arena, input))
		status = pep_fail(&err, PEP_NO_MEMORY, 0, "out of memory");
	if (status == PEP_OK)
		status = storage_now(api->storage, &input->order.created_ms, &err);
	input->order.created_by = request->actor;
	if (status == PEP_OK && input->bad_count && (!input->partial || !input->order.serial_count)) {
		refuse_rows(request, reply, input);
		return;
	}
	if (status == PEP_OK && !input->dry_run) {
		if (!trouble_audit(api, request, import_event(&input->order), reply))
			return;
		status = orders_add(orders, &input->order, &err);
	}
	if (status == PEP_OK)
		trouble_json(request, reply, input->dry_run ? 200 : 201, report(input));
	else
		trouble_reply(request, reply, status, &err);
}

static void import(const struct api_context *api, const struct http_request *request, struct http_reply *reply)
{
	struct order_input input;

	if (order_input_read(api, request, &input, reply))
		import_checked(api, request, reply, &input);
	json_decref(input.ignored);
}

/* --- close --- */

static void close_order(const struct api_context *api, const struct http_request *request, struct http_reply *reply,
			const char *name)
{
	struct orders *orders = api->provisioner->orders;
	struct pep_error err = {0};
	json_t *order = NULL;
	pep_status status;

	if (request->query_count || request->body_size > 2) {
		reply_problem(request, reply, 400, "bad_request", NULL, "this takes nothing");
		return;
	}
	status = orders_show(orders, name, &order, &err);
	if (status == PEP_OK && !json_is_true(json_object_get(order, "open")))
		status = pep_fail(&err, PEP_CONFLICT, 0, "the order %s is closed", name);
	json_decref(order);
	if (status == PEP_OK) {
		if (!trouble_audit(api, request, json_pack("{ss,ss}", "event", "order_close", "order", name), reply))
			return;
		status = orders_end(orders, name, &err);
	}
	order = NULL;
	if (status == PEP_OK)
		status = orders_show(orders, name, &order, &err);
	if (status == PEP_OK)
		trouble_json(request, reply, 200, order);
	else
		trouble_reply(request, reply, status, &err);
}

void api_orders(void *context, struct http_request *request, struct http_reply *reply)
{
	const struct api_context *api = context;
	struct orders *orders = get_orders(api, request, reply);

	if (!orders)
		return;
	if (request->method == HTTP_POST)
		import(api, request, reply);
	else
		list(orders, request, reply);
}

void api_order(void *context, struct http_request *request, struct http_reply *reply)
{
	const struct api_context *api = context;
	struct orders *orders = get_orders(api, request, reply);
	const char *slash = strchr(request->tail, '/');
	const char *name = arena_copy(request->arena, request->tail, strcspn(request->tail, "/"));
	bool is_close = slash && strcmp(slash, "/close") == 0;

	if (!orders)
		return;
	if (!name)
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
	else if (!order_is_name(name) || (slash && !is_close))
		reply_problem(request, reply, 404, "not_found", NULL, "there is no order of this name");
	else if (is_close != (request->method == HTTP_POST))
		reply_problem(request, reply, 405, "method_not_allowed", NULL,
			      "an order is read with GET, and closed with POST .../close");
	else if (is_close)
		close_order(api, request, reply, name);
	else
		show(orders, request, reply, name);
}
