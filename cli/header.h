/* SPDX-License-Identifier: Apache-2.0
 *
 * header.h - what the headers of a reply say. A value that is not of the form that it must have counts as absent: a stranger's text
 * must reach neither messages nor paths.
 */
#ifndef CLI_HEADER_H
#define CLI_HEADER_H

#include "cli/client.h"

#include <curl/curl.h>

/* Fills everything of the reply that comes from status and headers. */
void header_read_all(CURL *handle, struct reply *reply);
/* HTTP/1 says where a body ends by a length or by chunks; a body that just ends may have been cut off. */
bool header_is_framed(CURL *handle);
/* How long Retry-After asks to wait, in seconds or as a date; -1: it does not, or nobody knows. */
int64_t header_wait_ms(CURL *handle);

#endif
