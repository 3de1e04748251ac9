/* SPDX-License-Identifier: Apache-2.0
 *
 * entrance.c - what is known of a request once its head is there: where it leads, and whether the peer may go there.
 */
#include "core/http/exchange.h"

static bool refuse_draining(struct exchange *exchange)
{
	reply_problem(&exchange->request, &exchange->reply, 503, "draining", NULL, "the server is stopping; try again");
	reply_retry_after(&exchange->request, &exchange->reply, 5);
	return false;
}

static bool has_method(const struct exchange *exchange)
{
	return exchange->route && exchange->route->methods & exchange->request.method;
}

static bool is_admitted(struct exchange *exchange)
{
	const struct listener_settings *settings = exchange->serving->settings;
	/* That there is nothing, or not by this method, is no secret. */
	enum http_scope scope = has_method(exchange) ? exchange->route->scope : SCOPE_OPEN;

	if (has_method(exchange) && exchange->request.method == HTTP_POST && exchange->route->post_scope)
		scope = exchange->route->post_scope;
	return !settings->admit || settings->admit(settings->admit_context, scope, &exchange->request, &exchange->reply);
}

static bool refuse_method(struct exchange *exchange)
{
	struct http_request *request = &exchange->request;
	struct http_reply *reply = &exchange->reply;

	reply_header(reply, "Allow", router_allow(request->arena, exchange->route));
	if (request->method == HTTP_OPTIONS)
		reply->status = 204;
	else
		reply_problem(request, reply, 405, "method_not_allowed", NULL, "this path is not for this method");
	return false;
}

bool exchange_enter(struct exchange *exchange)
{
	struct http_request *request = &exchange->request;
	struct http_reply *reply = &exchange->reply;

	if (exchange->serving->draining)
		return refuse_draining(exchange);
	if (exchange->has_target)
		exchange->route = router_match(exchange->serving->settings->routes, request);
	if (!is_admitted(exchange))
		return false;
	if (!exchange->has_target) {
		reply_problem(request, reply, 400, "bad_request", NULL, "%s", exchange->detail);
		return false;
	}
	if (!exchange->route) {
		reply_problem(request, reply, 404, "no_such_path", NULL, "there is nothing at this path");
		return false;
	}
	return has_method(exchange) || refuse_method(exchange);
}

bool exchange_may_start(struct exchange *exchange)
{
	if (exchange->serving->draining)
		return refuse_draining(exchange);
	if (exchange->body.failed)
		reply_problem(&exchange->request, &exchange->reply, 413, "too_large", NULL, "the body has more than %zu bytes",
			      exchange->body.limit - 1);
	return !exchange->body.failed;
}
