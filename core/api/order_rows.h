/* SPDX-License-Identifier: Apache-2.0
 *
 * order_rows.h - the serials of a new order: out of a CSV file or a JSON list, each with its line and what is wrong with it.
 */
#ifndef CORE_API_ORDER_ROWS_H
#define CORE_API_ORDER_ROWS_H

#include "core/api/order_input.h"

/* The column of this name, case ignored, has the serials; NULL: the one that has a usual name. A column "order" or "customer" fills in
 * what the query does not say, and must say the same in every row. False: the reply says what is wrong. [any thread] */
bool order_rows_csv(const struct http_request *request, const char *column, struct order_input *input, struct http_reply *reply);
bool order_rows_json(const struct http_request *request, const json_t *list, struct order_input *input, struct http_reply *reply);
/* Marks rows whose serial no request could have, and those that stand there twice. False: out of memory, and the reply says so. */
bool order_rows_check(const struct api_context *api, const struct http_request *request, struct order_input *input,
		      struct http_reply *reply);

#endif
