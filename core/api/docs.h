/* SPDX-License-Identifier: Apache-2.0
 *
 * docs.h - /docs: the API document and the page that shows it, out of the program itself.
 */
#ifndef CORE_API_DOCS_H
#define CORE_API_DOCS_H

#include "core/http/reply.h"
#include "core/http/request.h"

/* One embedded file, plain and gzipped. The ends point behind the last byte. */
struct docs_asset {
	const char *name;         /* below /docs/; NULL ends the list */
	const char *content_type; /* as it is sent */
	const char *etag;         /* weak, with its quotes: the same for both forms (RFC 9110 8.8.3) */
	const unsigned char *plain, *plain_end, *gzip, *gzip_end;
};

/* Every embedded file; made by web/embed.cmake when the program is built. */
extern const struct docs_asset docs_assets[];

/* GET and HEAD of `/docs` (301 to `/docs/`), `/docs/` (the page) and `/docs/NAME`; `/docs/pep-swagger.yaml` is the old name of
 * `/docs/openapi.yaml`. Anything else is 404 `no_such_path`. Replies may be kept and asked again with their ETag; `context` is not
 * used. Routes: "/docs" and "/docs/" with a star, exact_prefix, inline. [any thread] */
void api_docs(void *context, struct http_request *request, struct http_reply *reply);

#endif
