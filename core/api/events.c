/* SPDX-License-Identifier: Apache-2.0
 *
 * events.c - the server at a glance, again whenever something has changed: server-sent events (WHATWG HTML, 9.2).
 */
#include "core/api/api.h"
#include "core/api/arguments.h"
#include "core/api/status.h"

void api_make_event(void *context, struct buffer *message)
{
	buffer_text(message, "event: status\ndata: ");
	status_write(context, message);
	buffer_text(message, "\n\n");
}

void api_events(void *context, struct http_request *request, struct http_reply *reply)
{
	static const char *const no_names[] = {NULL};
	const struct api_context *api = context;

	if (!arguments_check(request, no_names, reply))
		return;
	reply->status = 200;
	reply->content_type = "text/event-stream";
	reply->broadcast = api->broadcast;
	/* A proxy in between must not collect them. */
	reply_header(reply, "X-Accel-Buffering", "no");
}
