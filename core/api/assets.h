/* SPDX-License-Identifier: Apache-2.0
 *
 * assets.h - the files that the program carries in itself: the dashboard, the API page, the API document.
 */
#ifndef CORE_API_ASSETS_H
#define CORE_API_ASSETS_H

#include "core/http/reply.h"
#include "core/http/request.h"

/* One embedded file, plain and gzipped. The ends point behind the last byte. */
struct asset {
	const char *path;         /* as it is asked for: "/docs/openapi.yaml"; NULL ends the list */
	const char *content_type; /* as it is sent */
	const char *etag;         /* weak, with its quotes: the same for both forms (RFC 9110 8.8.3) */
	const unsigned char *plain, *plain_end, *gzip, *gzip_end;
};

/* Every embedded file; made by web/embed.cmake when the program is built. */
extern const struct asset assets[];

/* Answer with the file of a path, gzipped to who takes it, 304 to who has it. `policy`: its Content-Security-Policy, lives for ever.
 * False: there is no such file, and *reply is as it was. [any thread] */
bool assets_reply(const struct http_request *request, struct http_reply *reply, const char *path, const char *policy);

#endif
