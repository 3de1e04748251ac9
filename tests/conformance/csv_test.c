/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/export/csv/profile.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define GOOD "A-01:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE"

/* What a writer makes of one value. */
static const char *written(void (*write)(struct csv_line *line, const char *text), const char *text)
{
	static char room[256];
	struct csv_line line = {.next = room, .end = room + sizeof(room) - 1};

	write(&line, text);
	assert_false(line.full);
	*line.next = '\0';
	return room;
}

static const char *moment(int64_t ms)
{
	static char room[64];
	struct csv_line line = {.next = room, .end = room + sizeof(room) - 1};

	quote_moment(&line, ms);
	*line.next = '\0';
	return room;
}

static void quotes_where_they_are_needed(void **state)
{
	(void)state;
	assert_string_equal(written(quote_where_needed, NULL), "");
	assert_string_equal(written(quote_where_needed, ""), "");
	assert_string_equal(written(quote_where_needed, "a b;'"), "a b;'");
	assert_string_equal(written(quote_where_needed, "a,b"), "\"a,b\"");
	assert_string_equal(written(quote_where_needed, "a\"b"), "\"a\"\"b\"");
	assert_string_equal(written(quote_where_needed, "a\nb"), "\"a\nb\"");
	assert_string_equal(written(quote_where_needed, "=1"), "=1");
}

static void spreadsheets_are_kept_off(void **state)
{
	static const char *const dangerous[] = {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "0012", "1234567890123456"};
	static const char *const harmless[] = {"A-1", "GW-0001", "0", "12", "123456789012345", "1.5", "a=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(dangerous) / sizeof(dangerous[0]); i++) {
		char expected[64];

		(void)snprintf(expected, sizeof(expected), "\"'%s\"", dangerous[i]);
		assert_string_equal(written(quote_guarded, dangerous[i]), expected);
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		assert_string_equal(written(quote_guarded, harmless[i]), harmless[i]);
	assert_string_equal(written(quote_guarded, "=\"a\""), "\"'=\"\"a\"\"\"");
	assert_string_equal(written(quote_guarded, NULL), "");
}

static void moments(void **state)
{
	(void)state;
	assert_string_equal(moment(0), "1970-01-01T00:00:00.000Z");
	assert_string_equal(moment(951782399999), "2000-02-28T23:59:59.999Z");
	assert_string_equal(moment(951782400000), "2000-02-29T00:00:00.000Z");
	assert_string_equal(moment(951868800000), "2000-03-01T00:00:00.000Z");
	assert_string_equal(moment(4107542400000), "2100-03-01T00:00:00.000Z");
	assert_string_equal(moment(4107542399999), "2100-02-28T23:59:59.999Z");
	assert_string_equal(moment(1798761599001), "2026-12-31T23:59:59.001Z");
	assert_string_equal(moment(253402300799999), "9999-12-31T23:59:59.999Z");
	assert_string_equal(moment(253402300800000), "253402300800000");
	assert_string_equal(moment(-1), "-1");
}

static void the_portal_gets_what_it_can_read(void **state)
{
	static const char *const bad[] = {
		NULL,
		"",
		"A-",
		"a" GOOD,
		GOOD ":00",
		GOOD " ",
		"A-" GOOD,
		"\"" GOOD "\"",
		"A-01:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD",
		"A-01:00:11:22:33:44:55:66:77:88:99:aa:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE",
		"A-01-00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE",
	};
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_DEPLOYED, .serial = "GW-7", .enrollment_id = GOOD};
	struct pep_error err = {0};
	char room[256];
	struct csv_line line = {.next = room, .end = room + sizeof(room)};

	(void)state;
	assert_int_equal(csv_portal.check(&id, &err), PEP_OK);
	csv_portal.write(&line, &id, true);
	assert_int_equal(line.next - room, 99);
	assert_memory_equal(room, GOOD "\r\n", 99);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		id.enrollment_id = bad[i];
		assert_int_equal(csv_portal.check(&id, &err), PEP_INVALID);
		assert_non_null(strstr(err.message, "GW-7"));
	}
	id.enrollment_id = GOOD;
	for (uint32_t at = PEP_CLAIMED; at <= PEP_RETIRED; at++) {
		id.state = at;
		assert_int_equal(csv_portal.check(&id, &err) == PEP_OK, at == PEP_DEPLOYED || at == PEP_RETIRED);
	}
}

/* As many columns as the header has; readers of version 1 may count on each. */
static void the_inventory_fits_its_header(void **state)
{
	const struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_FAILED, .serial = "S"};
	char room[512];
	struct csv_line line = {.next = room, .end = room + sizeof(room) - 1};
	unsigned columns = 0, fields = 0;

	(void)state;
	csv_inventory.write(&line, &id, false);
	*line.next = '\0';
	for (const char *at = csv_inventory.header; *at; at++)
		columns += *at == ',';
	for (const char *at = room; *at; at++)
		fields += *at == ',';
	assert_int_equal(columns, fields);
	assert_string_equal(room, ",S,failed,,,,0,0,,,,,,,,,,,,,1\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_where_they_are_needed),
		cmocka_unit_test(spreadsheets_are_kept_off),
		cmocka_unit_test(moments),
		cmocka_unit_test(the_portal_gets_what_it_can_read),
		cmocka_unit_test(the_inventory_fits_its_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
