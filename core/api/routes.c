/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/api.h"

#include <string.h>

void api_routes(bool inline_reads, struct route ret_routes[API_ROUTE_COUNT])
{
	const enum route_place read = inline_reads ? ROUTE_INLINE : ROUTE_WORKER;
	const struct route routes[API_ROUTE_COUNT] = {
		{.path = "/enrollment-id",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = read,
		 .scope = SCOPE_READ,
		 .handler = api_enrollment_id},
		{.path = "/verification-key",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = read,
		 .scope = SCOPE_READ,
		 .handler = api_verification_key},
		{.path = "/enrollment-ids",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = ROUTE_WORKER,
		 .scope = SCOPE_READ,
		 .handler = api_enrollment_ids},
		{.path = "/identity",
		 .methods = HTTP_GET | HTTP_POST,
		 .place = ROUTE_INJECT,
		 .scope = SCOPE_PROVISION,
		 .handler = api_identity},
		{.path = "/export/*",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = ROUTE_EXPORT,
		 .scope = SCOPE_EXPORT,
		 .handler = api_export},
		{.path = "/healthz", .methods = HTTP_GET | HTTP_HEAD, .place = ROUTE_INLINE, .handler = api_healthz},
		{.path = "/readyz", .methods = HTTP_GET | HTTP_HEAD, .place = ROUTE_WORKER, .handler = api_readyz},
		{.path = "/status",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = ROUTE_INLINE,
		 .scope = SCOPE_READ,
		 .handler = api_status},
		{.path = "/docs",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = ROUTE_INLINE,
		 .exact_prefix = true,
		 .handler = api_docs},
		{.path = "/docs/*",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = ROUTE_INLINE,
		 .exact_prefix = true,
		 .handler = api_docs},
		{.path = "/",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = ROUTE_INLINE,
		 .exact_prefix = true,
		 .handler = api_dashboard},
		{.path = "/assets/*",
		 .methods = HTTP_GET | HTTP_HEAD,
		 .place = ROUTE_INLINE,
		 .exact_prefix = true,
		 .handler = api_dashboard},
		{.path = NULL},
	};

	memcpy(ret_routes, routes, sizeof(routes));
}
