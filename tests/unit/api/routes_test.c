/* SPDX-License-Identifier: Apache-2.0
 *
 * routes_test.c - which handler answers which path and method, and on which threads. Handlers are stubs that are never called.
 */
#include "core/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STUB(name)                                                                       \
	void name(void *context, struct http_request *request, struct http_reply *reply) \
	{                                                                                \
		(void)context;                                                           \
		(void)request;                                                           \
		(void)reply;                                                             \
		abort();                                                                 \
	}

STUB(api_identity)
STUB(api_enrollment_id)
STUB(api_verification_key)
STUB(api_enrollment_ids)
STUB(api_export)
STUB(api_audit)
STUB(api_docs)
STUB(api_dashboard)
STUB(api_healthz)
STUB(api_readyz)
STUB(api_orders)
STUB(api_order)
STUB(api_identities)
STUB(api_status)
STUB(api_events)
STUB(api_metrics)
STUB(api_version)

static const struct route *match(const struct route *routes, const char *path)
{
	struct http_request request = {.method = HTTP_GET, .path = path, .tail = ""};

	return router_match(routes, &request);
}

static void paths(void **state)
{
	static const struct {
		const char *path;
		route_handler handler;
	} cases[] = {
		{"/v3/identity", api_identity},
		{"/identity", api_identity},
		{"/identity/", api_identity},
		{"/enrollment-id", api_enrollment_id},
		{"/v3/enrollment-id/", api_enrollment_id},
		{"/verification-key", api_verification_key},
		{"/v3/enrollment-ids", api_enrollment_ids},
		{"/v3/export/csv", api_export},
		{"/audit", api_audit},
		{"/docs", api_docs},
		{"/docs/", api_docs},
		{"/docs/openapi.yaml", api_docs},
		{"/healthz", api_healthz},
		{"/readyz", api_readyz},
		{"/orders", api_orders},
		{"/v3/orders/", api_orders},
		{"/v3/orders/PO-1", api_order},
		{"/orders/PO-1/close", api_order},
		{"/v3/identities/GW-1", api_identities},
		{"/identities/GW-1/grant", api_identities},
		{"/v3/identities", NULL},
		{"/status", api_status},
		{"/v3/events", api_events},
		{"/metrics", api_metrics},
		{"/version", api_version},
		{"/v3/status", api_status},
		{"/", api_dashboard},
		{"/assets/app.js", api_dashboard},
		{"/assets", NULL},
		{"/v3/", NULL},
		{"/v3/assets/app.js", NULL},
		{"/v3", NULL},
		{"/v3/docs", NULL},
		{"/Identity", NULL},
		{"/v3/v3/identity", NULL},
		{"/requestLog", NULL},
		{"/identity//", NULL},
		{"/identityx", NULL},
	};
	struct route routes[API_ROUTE_COUNT];

	(void)state;
	api_routes(true, routes);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct route *route = match(routes, cases[i].path);

		if ((route ? route->handler : NULL) != cases[i].handler)
			fail_msg("path %s", cases[i].path);
	}
}

static void methods(void **state)
{
	struct route routes[API_ROUTE_COUNT];

	(void)state;
	api_routes(true, routes);
	for (const struct route *route = routes; route->path; route++) {
		bool is_identity = route->handler == api_identity;

		/* HEAD must never provision. */
		if (!route->post_scope)
			assert_int_equal(route->methods, HTTP_GET | (is_identity ? HTTP_POST : HTTP_HEAD));
	}
}

/* Who may look may not change anything. */
static void scopes(void **state)
{
	struct route routes[API_ROUTE_COUNT];
	unsigned count = 0;

	(void)state;
	api_routes(true, routes);
	for (const struct route *route = routes; route->path; route++) {
		bool may_change = route->methods & HTTP_POST && route->handler != api_identity;

		assert_int_equal(route->post_scope, may_change ? SCOPE_OPERATE : SCOPE_OPEN);
		if (may_change)
			assert_int_equal(route->scope, SCOPE_READ);
		count += may_change;
	}
	assert_int_equal(count, 3);
}

static void places(void **state)
{
	struct route routes[API_ROUTE_COUNT];

	(void)state;
	for (int inline_reads = 0; inline_reads <= 1; inline_reads++) {
		api_routes(inline_reads, routes);
		assert_int_equal(match(routes, "/enrollment-id")->place, inline_reads ? ROUTE_INLINE : ROUTE_WORKER);
		assert_int_equal(match(routes, "/verification-key")->place, inline_reads ? ROUTE_INLINE : ROUTE_WORKER);
		assert_int_equal(match(routes, "/enrollment-ids")->place, ROUTE_WORKER);
		assert_int_equal(match(routes, "/export/csv")->place, ROUTE_EXPORT);
		assert_int_equal(match(routes, "/v3/audit")->scope, SCOPE_AUDIT);
		assert_int_equal(match(routes, "/readyz")->place, ROUTE_WORKER);
		assert_int_equal(match(routes, "/identity")->place, ROUTE_INJECT);
		assert_int_equal(match(routes, "/healthz")->place, ROUTE_INLINE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(paths), cmocka_unit_test(methods), cmocka_unit_test(scopes),
					   cmocka_unit_test(places)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
