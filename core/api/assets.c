/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/assets.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* Is there a weight, and is it zero? "q=0", "q=0.000" (RFC 9110 12.4.2) */
static bool refused(const char *parameters, const char *end)
{
	const char *weight = memchr(parameters, '=', (size_t)(end - parameters));

	if (!weight)
		return false;
	weight++;
	return strspn(weight, "0." BLANKS) >= (size_t)(end - weight);
}

/* Does an Accept-Encoding field list gzip, without refusing it? */
static bool takes_gzip(const char *field)
{
	while (field && *field) {
		const char *end = field + strcspn(field, ",");

		field += strspn(field, BLANKS);
		/* strchr() finds the NUL at the end of the field, too. */
		if (strncasecmp(field, "gzip", 4) == 0 && strchr(",;" BLANKS, field[4]))
			return !refused(field + 4, end);
		field = *end ? end + 1 : end;
	}
	return false;
}

/* Is the tag among those of If-None-Match? None of ours is part of another. */
static bool is_unchanged(const char *field, const char *etag)
{
	return field && (strstr(field, etag + strlen("W/")) || strcmp(field, "*") == 0);
}

static void reply_asset(const struct http_request *request, struct http_reply *reply, const struct asset *asset, const char *policy)
{
	reply->cacheable = true;
	reply_header(reply, "ETag", asset->etag);
	reply_header(reply, "Cache-Control", "no-cache"); /* keep it, but ask: the next version of the server has another page */
	reply_header(reply, "Vary", "Accept-Encoding");
	if (is_unchanged(request_header(request, "If-None-Match"), asset->etag)) {
		reply->status = 304;
		return;
	}
	reply->status = 200;
	reply->content_type = asset->content_type;
	reply->body = asset->plain;
	reply->body_size = (size_t)(asset->plain_end - asset->plain);
	reply_header(reply, "Content-Security-Policy", policy);
	reply_header(reply, "Referrer-Policy", "no-referrer");
	if (takes_gzip(request_header(request, "Accept-Encoding"))) {
		reply_header(reply, "Content-Encoding", "gzip");
		reply->body = asset->gzip;
		reply->body_size = (size_t)(asset->gzip_end - asset->gzip);
	}
}

bool assets_reply(const struct http_request *request, struct http_reply *reply, const char *path, const char *policy)
{
	for (const struct asset *asset = assets; asset->path; asset++) {
		if (strcmp(asset->path, path) != 0)
			continue;
		reply_asset(request, reply, asset, policy);
		return true;
	}
	return false;
}
