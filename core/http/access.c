/* SPDX-License-Identifier: Apache-2.0
 *
 * The access log: one line for a request.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/http/exchange.h"

#include <string.h>

#define PATH_MAX_LOGGED 256u

void access_log(const struct exchange *exchange, unsigned status, bool is_whole)
{
	const struct http_reply *reply = &exchange->reply;
	size_t size = strlen(exchange->request.path);
	char path[PATH_MAX_LOGGED + 1];
	uint64_t bytes = exchange->request.method == HTTP_HEAD || !reply->content_type ? 0 : exchange->sent + reply->body_size;

	/* Without the query: there are secrets in it. */
	if (size > PATH_MAX_LOGGED)
		for (size = PATH_MAX_LOGGED; ((unsigned char)exchange->request.path[size] & 0xc0) == 0x80;)
			size--;
	memcpy(path, exchange->request.path, size);
	path[size] = '\0';
	log_event(LOG_INFO, "request", LOG_TEXT("method", exchange->method_name), LOG_TEXT("path", path),
		  LOG_NUMBER("status", (int64_t)status), LOG_NUMBER("ms", clock_boot_ms() - exchange->request.start_boot_ms),
		  LOG_NUMBER("bytes", (int64_t)bytes), LOG_TEXT("request_id", *exchange->id ? exchange->id : NULL),
		  LOG_TEXT("peer", exchange->connection.peer), LOG_TEXT("actor", exchange->request.actor),
		  LOG_TEXT("serial", reply->serial), LOG_TEXT("code", reply->error_code), LOG_TEXT("cut", is_whole ? NULL : "yes"));
}
