/* SPDX-License-Identifier: Apache-2.0
 *
 * order_input.h - a new order as it comes in: CSV with its particulars in the query, or one JSON object.
 */
#ifndef CORE_API_ORDER_INPUT_H
#define CORE_API_ORDER_INPUT_H

#include "core/api/api.h"
#include "core/service/order.h"

#include <jansson.h>

#define ORDER_ROWS_SHOWN 100u /* of those that cannot be taken */

struct order_row {
	const char *serial;
	unsigned line;      /* of the file; of a JSON list: which item, from 1 */
	const char *reason; /* why it cannot be taken; NULL: it can */
};

/* Everything in it lives as long as the request. */
struct order_input {
	bool dry_run; /* say what would be, and change nothing */
	bool partial; /* the rows that can be taken are taken, whatever is wrong with the others */
	struct order order;
	struct order_row *rows; /* as they came */
	size_t row_count, bad_count;
	json_t *ignored; /* names of columns that nobody reads; the caller's; NULL: there are none */
};

/* Read it and check all that can be checked without the store. False: the reply says what is wrong with the whole. Rows with something
 * wrong are only marked. order.serials is not set yet. [any thread] */
bool order_input_read(const struct api_context *api, const struct http_request *request, struct order_input *ret_input,
		      struct http_reply *reply);
/* Mark a row. */
void order_input_mark(struct order_input *input, struct order_row *row, const char *reason);

#endif
