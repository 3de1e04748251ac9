/* SPDX-License-Identifier: Apache-2.0
 *
 * dashboard.c - the dashboard at /, and what it is made of below /assets/.
 */
#include "core/api/api.h"
#include "core/api/assets.h"

/* Nothing but files of our own, and no frame around it. Charts are styled by script through the CSSOM, which a policy does not stop. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
			     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void api_dashboard(void *context, struct http_request *request, struct http_reply *reply)
{
	(void)context;
	if (!assets_reply(request, reply, request->path, policy))
		reply_problem(request, reply, 404, "no_such_path", NULL,
			      "There is no such page. The dashboard is at /, the API page at /docs/.");
}
