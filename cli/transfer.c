/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/transfer.h"

#include "cli/print.h"
#include "core/base/cleanup.h"

#include <stdlib.h>
#include <time.h>

#define PROGRESS_EVERY_MS 200

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int take_part(void *ctx, const void *data, size_t size, struct failure *err)
{
	struct transfer *transfer = ctx;
	int code = transfer->sink(transfer->sink_ctx, data, size, err);
	int64_t now = transfer->shows_progress ? now_ms() : 0;

	transfer->bytes += (int64_t)size;
	if (transfer->shows_progress && now >= transfer->shown_until_ms) {
		transfer->shown_until_ms = now + PROGRESS_EVERY_MS;
		print_progress(transfer->shown, transfer->bytes, now - transfer->begun_ms);
	}
	return code;
}

/* /v3/export/NAME?... The caller frees it; NULL: out of memory. */
static char *make_target(const struct session *session, json_t *fields)
{
	AUTO(free_ptr) char *path = client_segment("/v3/export/", session_text(session, 'e'));

	return path ? client_target(path, fields) : NULL;
}

int transfer_run(struct transfer *transfer, json_t *fields, struct reply *ret_reply, struct failure *err)
{
	AUTO(free_ptr) char *target = make_target(transfer->session, fields);
	struct request request = {.method = "GET", .path = target, .sink = take_part, .sink_ctx = transfer};
	int code;

	if (!target)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while making the request");
	if (!transfer->begun_ms) {
		transfer->begun_ms = now_ms();
		transfer->shown_until_ms = transfer->begun_ms + PROGRESS_EVERY_MS;
	}
	code = client_send(transfer->session, transfer->settings, &request, ret_reply, err);
	if (transfer->shows_progress)
		print_progress_end();
	if (code != EXIT_OK)
		return code;
	return ret_reply->http_status == 200 ? EXIT_OK : client_refused(ret_reply, "exporting the identities", err);
}
