/* SPDX-License-Identifier: Apache-2.0
 *
 * output_test.c - which outputs hold an enrollment identity, in pieces of every size.
 */
#include "plugins/injector/fcu/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PAIRS_30 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"
#define ID_1 "A-" PAIRS_30 ":EE:01"
#define ID_2 "A-" PAIRS_30 ":EE:02"
#define LOWER_30 "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd"
#define MARK "enrollment id: "

struct sample {
	const char *text;
	unsigned identities;
	bool malformed;
};
static const struct sample samples[] = {
	{"", 0, false},
	{"Connecting to device 10.0.0.1:7777\n", 0, false},
	{MARK ID_1, 1, false},
	{MARK ID_1 "\n", 1, false},
	{MARK ID_1 "\r\n", 1, false},
	{"INFO " MARK ID_1 ", done", 1, false},
	{"'" MARK ID_1 "'", 1, false},
	{MARK ID_1 "\n" MARK ID_1 "\n", 1, false},
	{MARK ID_1 "\n" MARK "a-" LOWER_30 ":ee:01\n", 1, false},
	{MARK ID_1 "\n" MARK ID_2 "\n", 2, false},
	{MARK ID_1 " " MARK ID_2 " " MARK ID_1 "\n", 2, false},
	{MARK ID_2 MARK ID_1, 1, true}, /* a word that goes on is no identity; what follows the second mark is */
	{ID_1 "\n", 0, false},          /* without the words */
	{"Enrollment id: " ID_1, 0, false},
	{"enrollment id:" ID_1, 0, false},
	{"enrollmenrollment id: " ID_1, 1, false},
	{"enenrollment id: " ID_1, 1, false},
	{"enrollment enrollment id: " ID_1, 1, false},
	{MARK, 0, true},
	{MARK "\n", 0, true},
	{MARK "none", 0, true},
	{MARK " " ID_1, 0, true},
	{MARK "A-" PAIRS_30 ":EE", 0, true},
	{MARK "A-" PAIRS_30 ":EE:0", 0, true},
	{MARK ID_1 ":03", 0, true},
	{MARK ID_1 "0", 0, true},
	{MARK ID_1 "\xc3\xa4", 0, true},
	{MARK "B-" PAIRS_30 ":EE:01", 0, true},
	{MARK "A:" PAIRS_30 ":EE:01", 0, true},
	{MARK "A-" PAIRS_30 ":EE:0G", 0, true},
	{MARK "A-" PAIRS_30 "-EE:01", 0, true},
	{MARK "A-" PAIRS_30 ":E E:01", 0, true},
	{MARK "short\n" MARK ID_1 "\n", 1, true},
};

static struct output_found scan_in_pieces(const char *text, size_t size, size_t piece)
{
	struct output_found found = {0};
	struct output_scan scan;

	output_scan_init(&scan, &found);
	for (size_t at = 0; at < size; at += piece)
		output_scan_feed(&scan, text + at, size - at < piece ? size - at : piece);
	output_scan_end(&scan);
	return found;
}

static void every_sample_in_every_piece(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t size = strlen(samples[i].text);

		for (size_t piece = 1; piece <= size + 1; piece++) {
			struct output_found found = scan_in_pieces(samples[i].text, size, piece);

			if (found.identities != samples[i].identities || found.malformed != samples[i].malformed)
				fail_msg("sample %zu in pieces of %zu: %u identities, %s", i, piece, found.identities,
					 found.malformed ? "malformed" : "whole");
			if (found.identities == 1)
				assert_string_equal(found.identity, strstr(samples[i].text, ID_1) ? ID_1 : ID_2);
			if (found.identities == 0)
				assert_string_equal(found.identity, "");
		}
	}
}

static void lower_case_becomes_upper(void **state)
{
	static const char text[] = MARK "a-" LOWER_30 ":ee:01";
	struct output_found found = scan_in_pieces(text, sizeof(text) - 1, sizeof(text));

	(void)state;
	assert_int_equal(found.identities, 1);
	assert_string_equal(found.identity, ID_1);
}

/* A NUL is a byte like others: it ends a word, and hides nothing behind it. */
static void a_nul_hides_nothing(void **state)
{
	static const char text[] = "x\0" MARK ID_1 "\0" MARK ID_2;
	struct output_found found = scan_in_pieces(text, sizeof(text) - 1, 7);

	(void)state;
	assert_int_equal(found.identities, 2);
}

static void two_streams_share_what_is_found(void **state)
{
	struct output_found found = {0};
	struct output_scan out;
	struct output_scan err;

	(void)state;
	output_scan_init(&out, &found);
	output_scan_init(&err, &found);
	/* Each is read on its own: what one prints in the middle of the other's line changes nothing. */
	output_scan_feed(&out, MARK ID_1, strlen(MARK) + 40);
	output_scan_feed(&err, "warning\n", 8);
	output_scan_feed(&out, &ID_1[40], strlen(ID_1) - 40);
	output_scan_end(&out);
	assert_int_equal(found.identities, 1);
	assert_false(found.malformed);
	output_scan_feed(&err, MARK ID_2, strlen(MARK ID_2));
	output_scan_end(&err);
	assert_int_equal(found.identities, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_in_every_piece),
		cmocka_unit_test(lower_case_becomes_upper),
		cmocka_unit_test(a_nul_hides_nothing),
		cmocka_unit_test(two_streams_share_what_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
