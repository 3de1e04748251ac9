/* SPDX-License-Identifier: Apache-2.0
 *
 * admission.h - what the listener asks of each request: access_decide() as an HTTP reply.
 */
#ifndef CORE_ACCESS_ADMISSION_H
#define CORE_ACCESS_ADMISSION_H

#include "core/access/access.h"

/* For `admit` of struct listener_settings; `context` is a struct access. */
bool admission_admit(void *context, enum http_scope scope, struct http_request *request, struct http_reply *reply);

#endif
