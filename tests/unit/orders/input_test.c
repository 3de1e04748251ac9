/* SPDX-License-Identifier: Apache-2.0
 *
 * input_test.c - an order out of a spreadsheet or out of JSON: which rows can be taken, and why the others cannot.
 */
#include "../api/support.h"

#include "core/api/order_input.h"
#include "core/service/audit.h"

#include <string.h>

pep_status audit_append(struct audit *audit, json_t *event, struct pep_error *err)
{
	(void)audit, (void)event, (void)err;
	abort(); /* reading changes nothing */
}

static bool read_csv(struct support *support, const char *text, struct order_input *ret_input)
{
	support->request.method = HTTP_POST;
	support->request.body = text;
	support->request.body_size = strlen(text);
	support_header(support, "Content-Type", "text/csv");
	return order_input_read(&support->api, &support->request, ret_input, &support->reply);
}

static void assert_row(const struct order_input *input, size_t i, const char *serial, unsigned line, const char *reason)
{
	assert_true(i < input->row_count);
	assert_string_equal(input->rows[i].serial, serial);
	assert_int_equal(input->rows[i].line, line);
	if (reason && (!input->rows[i].reason || !strstr(input->rows[i].reason, reason)))
		fail_msg("row %zu: %s", i, input->rows[i].reason ? input->rows[i].reason : "taken");
	if (!reason)
		assert_null(input->rows[i].reason);
}

static void columns_come_in_any_order(void **state)
{
	struct support *support = *state;
	struct order_input input;

	support_get(support);
	support_pair(support, "quantity", "2");
	support_pair(support, "OU", "acme");
	assert_true(read_csv(
		support,
		"\xEF\xBB\xBF"
		"Note;ORDER; Serial Number ;customer\r\n"
		"\"a;\nb\";PO-1;GW-1;ACME \"GmbH\"\r\n\r\n;PO-1;\"GW-\"\"2\"\"\";\r\n;PO-2;GW-3;\n;PO-1;GW-1;\n;;GW-4;ACME",
		&input));
	assert_string_equal(input.order.name, "PO-1");
	assert_string_equal(input.order.customer, "ACME \"GmbH\"");
	assert_string_equal(input.order.fields[6], "acme");
	assert_int_equal(input.row_count, 5);
	assert_row(&input, 0, "GW-1", 2, NULL);
	assert_row(&input, 1, "GW-\"2\"", 5, "a serial number should be");
	assert_row(&input, 2, "GW-3", 6, "another");
	assert_row(&input, 3, "GW-1", 7, "line 2 already");
	assert_row(&input, 4, "GW-4", 8, "customer");
	assert_int_equal(input.bad_count, 4);
	assert_int_equal(json_array_size(input.ignored), 1);
	json_decref(input.ignored);
}

static void broken_rows_are_named(void **state)
{
	struct support *support = *state;
	struct order_input input;

	support_get(support);
	support_pair(support, "name", "PO-1");
	support_pair(support, "serial_column", "Nr");
	assert_true(read_csv(support, "nr,x\nGW-1\n,\nGW-2,\"a\" b\nGW-3,y\nGW-4,\"open", &input));
	assert_row(&input, 0, "GW-1", 2, "more or fewer columns");
	assert_row(&input, 1, "", 3, "no serial number");
	assert_row(&input, 2, "", 4, "behind a value in quotes");
	assert_row(&input, 3, "GW-3", 5, NULL);
	assert_row(&input, 4, "", 6, "no end");
	assert_int_equal(input.order.quantity, 1);
	json_decref(input.ignored);
}

static void what_is_no_order_is_refused(void **state)
{
	static const struct {
		const char *body, *field;
	} cases[] = {
		{"{\"name\":\"PO/1\",\"serials\":[\"GW-1\"]}", "name"},
		{"{\"name\":\"PO-1\"}", "serials"},
		{"{\"name\":\"PO-1\",\"serials\":[\"GW-1\"],\"pattern\":\"x\",\"quantity\":1}", "serials"},
		{"{\"name\":\"PO-1\",\"serials\":[\"GW-1\"],\"quantity\":2}", "quantity"},
		{"{\"name\":\"PO-1\",\"pattern\":\"GW-.*\"}", "quantity"},
		{"{\"name\":\"PO-1\",\"pattern\":\"(\",\"quantity\":1}", "pattern"},
		{"{\"name\":\"PO-1\",\"pattern\":\"((a{99}){99}){99}\",\"quantity\":1}", "pattern"},
		{"{\"name\":\"PO-1\",\"pattern\":\"(a)\\\\1\",\"quantity\":1}", "pattern"},
		{"{\"name\":\"PO-1\",\"pattern\":\"a\",\"quantity\":0}", "quantity"},
		{"{\"name\":\"PO-1\",\"serials\":[\"GW-1\"],\"from\":\"soon\"}", "from"},
		{"{\"name\":\"PO-1\",\"serials\":[\"GW-1\"],\"from\":\"2027-02-01\",\"to\":\"2027-02-01\"}", "to"},
		{"{\"name\":\"PO-1\",\"serials\":[\"GW-1\"],\"fields\":{\"deviceID\":\"x\"}}", "fields"},
		{"{\"name\":\"PO-1\",\"serials\":[\"GW-1\"],\"fields\":{\"apiAddress\":\"x\"}}", "apiAddress"},
		{"{\"name\":\"PO-1\",\"serials\":[\"GW-1\"],\"customer\":\"\"}", "customer"},
		{"{\"name\":\"PO-1\",\"serials\":[\"GW-1\"],\"colour\":\"red\"}", "colour"},
	};
	struct support *support = *state;
	struct order_input input;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		support_post(support, cases[i].body);
		if (order_input_read(&support->api, &support->request, &input, &support->reply))
			fail_msg("%s", cases[i].body);
		support_assert_problem(support, 400, "bad_argument", cases[i].field);
	}
}

static void json_says_the_same(void **state)
{
	struct support *support = *state;
	struct order_input input;

	support_post(support,
		     "{\"name\":\"PO-1\",\"serials\":[\"GW-1\",7],\"from\":\"1970-01-02\",\"fields\":{\"category\":\"x\"}}");
	support_pair(support, "partial", "true");
	assert_true(order_input_read(&support->api, &support->request, &input, &support->reply));
	assert_true(input.partial);
	assert_row(&input, 0, "GW-1", 1, NULL);
	assert_row(&input, 1, "", 2, "no serial number");
	assert_int_equal(input.order.from_ms, 86400000);
	assert_string_equal(input.order.fields[3], "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(columns_come_in_any_order, support_set_up, support_tear_down),
		cmocka_unit_test_setup_teardown(broken_rows_are_named, support_set_up, support_tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_order_is_refused, support_set_up, support_tear_down),
		cmocka_unit_test_setup_teardown(json_says_the_same, support_set_up, support_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
