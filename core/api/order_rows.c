/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/order_rows.h"

#include "core/api/csv.h"
#include "core/api/fields.h"
#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NO_COLUMN UINT32_MAX

static const char *const usual_names[] = {"serial", "serialNumber", "serial_number", "serial number", "sn", NULL};

static bool no_memory(const struct http_request *request, struct http_reply *reply)
{
	reply_problem(request, reply, 500, "internal", NULL, "out of memory");
	return false;
}

void order_input_mark(struct order_input *input, struct order_row *row, const char *reason)
{
	if (!row->reason)
		input->bad_count++;
	row->reason = reason;
}

/* Room for as many rows as there can be. */
static bool make_room(const struct http_request *request, size_t count, struct order_input *input, struct http_reply *reply)
{
	if (count > ORDER_SERIALS_MAX) {
		reply_problem(request, reply, 400, "bad_argument", NULL, "an order has at most %u serial numbers; make two of it",
			      ORDER_SERIALS_MAX);
		return false;
	}
	input->rows = arena_zalloc(request->arena, (count + 1) * sizeof(*input->rows));
	return input->rows || no_memory(request, reply);
}

/* --- CSV --- */

struct columns {
	unsigned serial, order, customer;
	unsigned count;
};

static unsigned find_column(const struct csv_row *head, const char *name)
{
	for (unsigned i = 0; i < head->count; i++)
		if (strcasecmp(head->values[i], name) == 0)
			return i;
	return NO_COLUMN;
}

static unsigned find_serials(const struct csv_row *head, const char *column)
{
	unsigned found = column ? find_column(head, column) : NO_COLUMN;

	for (size_t i = 0; !column && found == NO_COLUMN && usual_names[i]; i++)
		found = find_column(head, usual_names[i]);
	return found;
}

static bool note_ignored(const struct csv_row *head, const struct columns *columns, struct order_input *input)
{
	input->ignored = json_array();
	for (unsigned i = 0; i < head->count; i++) {
		if (i == columns->serial || i == columns->order || i == columns->customer)
			continue;
		if (json_array_append_new(input->ignored, json_string(head->values[i])) != 0)
			return false;
	}
	return input->ignored != NULL;
}

static bool read_head(const struct http_request *request, struct csv *csv, const char *column, struct columns *columns,
		      struct order_input *input, struct http_reply *reply)
{
	struct csv_row head;

	if (!csv_next(csv, request->arena, &head) || head.fault) {
		reply_problem(request, reply, 400, "bad_argument", NULL, "the first line should be the names of the columns");
		return false;
	}
	*columns = (struct columns){.serial = find_serials(&head, column),
				    .order = find_column(&head, "order"),
				    .customer = find_column(&head, "customer"),
				    .count = head.count};
	if (columns->serial == NO_COLUMN) {
		reply_problem(request, reply, 400, "bad_argument", "serial_column",
			      column ? "no column has this name"
				     : "no column is called serial, serialNumber or sn; name it with "
				       "serial_column");
		return false;
	}
	return note_ignored(&head, columns, input) || no_memory(request, reply);
}

/* What stands in every row, or in none, fills in what the query does not say. False: this row says something else. */
static bool agree(const struct csv_row *row, unsigned column, const char **value)
{
	const char *here = column < row->count ? row->values[column] : "";

	if (!*here)
		return true;
	if (!*value)
		*value = here;
	return strcmp(*value, here) == 0;
}

static void take_row(const struct csv_row *csv_row, const struct columns *columns, struct order_input *input)
{
	struct order_row *row = &input->rows[input->row_count++];

	*row = (struct order_row){.serial = "", .line = csv_row->line};
	if (csv_row->fault) {
		order_input_mark(input, row, csv_row->fault);
		return;
	}
	if (columns->serial < csv_row->count)
		row->serial = csv_row->values[columns->serial];
	if (csv_row->count != columns->count)
		order_input_mark(input, row, "it has more or fewer columns than the first line");
	else if (!agree(csv_row, columns->order, &input->order.name))
		order_input_mark(input, row, "its order is another one");
	else if (!agree(csv_row, columns->customer, &input->order.customer))
		order_input_mark(input, row, "its customer is another one");
}

static size_t count_lines(const char *text, size_t size)
{
	size_t count = 1;

	for (size_t i = 0; i < size; i++)
		count += text[i] == '\n';
	return count;
}

bool order_rows_csv(const struct http_request *request, const char *column, struct order_input *input, struct http_reply *reply)
{
	struct columns columns;
	struct csv_row row;
	struct csv csv;

	if (!text_is_utf8(request->body, request->body_size) || strlen(request->body) != request->body_size) {
		reply_problem(request, reply, 400, "bad_request", NULL, "the file is not UTF-8; save it as CSV UTF-8");
		return false;
	}
	csv_open(&csv, request->body, request->body_size);
	if (!make_room(request, count_lines(request->body, request->body_size), input, reply) ||
	    !read_head(request, &csv, column, &columns, input, reply))
		return false;
	while (csv_next(&csv, request->arena, &row))
		take_row(&row, &columns, input);
	return true;
}

/* --- JSON --- */

bool order_rows_json(const struct http_request *request, const json_t *list, struct order_input *input, struct http_reply *reply)
{
	if (!json_is_array(list)) {
		reply_problem(request, reply, 400, "bad_argument", "serials", "serials should be a list of serial numbers");
		return false;
	}
	if (!make_room(request, json_array_size(list), input, reply))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *serial = json_string_value(json_array_get(list, i));
		struct order_row *row = &input->rows[input->row_count++];

		*row = (struct order_row){.serial = arena_text(request->arena, serial ? serial : ""), .line = (unsigned)i + 1};
		if (!row->serial)
			return no_memory(request, reply);
	}
	return true;
}

/* --- what is wrong with them --- */

static int compare(const void *left, const void *right)
{
	const struct order_row *a = *(struct order_row *const *)left;
	const struct order_row *b = *(struct order_row *const *)right;
	int order = strcmp(a->serial, b->serial);

	return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* The later ones of equal serials. */
static bool mark_twins(const struct http_request *request, struct order_input *input)
{
	struct order_row **sorted = arena_alloc(request->arena, (input->row_count + 1) * sizeof(struct order_row *));
	const struct order_row *first;

	if (!sorted)
		return false;
	for (size_t i = 0; i < input->row_count; i++)
		sorted[i] = &input->rows[i];
	qsort(sorted, input->row_count, sizeof(struct order_row *), compare);
	first = input->row_count ? sorted[0] : NULL;
	for (size_t i = 1; i < input->row_count; i++) {
		if (strcmp(sorted[i]->serial, first->serial) != 0)
			first = sorted[i];
		else if (!sorted[i]->reason)
			order_input_mark(input, sorted[i],
					 arena_format(request->arena, "it stands in line %u already", first->line));
		if (sorted[i]->reason == NULL && sorted[i] != first)
			return false; /* out of memory */
	}
	return true;
}

bool order_rows_check(const struct api_context *api, const struct http_request *request, struct order_input *input,
		      struct http_reply *reply)
{
	for (size_t i = 0; i < input->row_count; i++) {
		struct order_row *row = &input->rows[i];
		const char *hint = row->reason ? NULL : fields_check(api, "serialNumber", row->serial);

		if (hint && !*row->serial)
			order_input_mark(input, row, "it has no serial number");
		else if (hint) {
			order_input_mark(input, row, arena_format(request->arena, "a serial number should be %s", hint));
			if (!row->reason)
				return no_memory(request, reply);
		}
	}
	return mark_twins(request, input) || no_memory(request, reply);
}
