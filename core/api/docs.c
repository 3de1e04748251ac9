/* SPDX-License-Identifier: Apache-2.0
 *
 * docs.c - /docs (a redirect), /docs/ (the page) and /docs/NAME. /docs/pep-swagger.yaml is the old name of /docs/openapi.yaml.
 */
#include "core/api/api.h"
#include "core/api/assets.h"

#include <string.h>

/* Scripts, styles, pictures and requests of our own only: the page works without a network. Styles inline and pictures in data: URLs
 * are what Swagger UI draws with. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
			     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void api_docs(void *context, struct http_request *request, struct http_reply *reply)
{
	const char *path = strcmp(request->path, "/docs/pep-swagger.yaml") == 0 ? "/docs/openapi.yaml" : request->path;

	(void)context;
	if (strcmp(path, "/docs") == 0) {
		reply_text(reply, 301, "The page is at /docs/\n");
		reply_header(reply, "Location", "/docs/");
		return;
	}
	if (!assets_reply(request, reply, path, policy))
		reply_problem(request, reply, 404, "no_such_path", NULL,
			      "There is no such page. The API page is at /docs/, the API document at /docs/openapi.yaml.");
}
