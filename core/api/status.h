/* SPDX-License-Identifier: Apache-2.0
 *
 * status.h - the server at a glance, as the JSON of /status and /events.
 */
#ifndef CORE_API_STATUS_H
#define CORE_API_STATUS_H

#include "core/api/api.h"
#include "core/base/buffer.h"

#define STATUS_LIMIT ((size_t)4 * 1024 * 1024) /* a thousand stations with long reasons */

/* One object in one line. Never waits for the store. What failed is remembered by the buffer. [any thread] */
void status_write(const struct api_context *api, struct buffer *json);

#endif
