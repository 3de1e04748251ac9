/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of a network that may be hostile: every prefix of a good one, every byte of it changed, pointers in a circle.
 */
#include "cli/provision/dns.h"

#include <stdbool.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct seen {
	unsigned count;
	struct dns_record last, srv, txt;
};

static void take(void *ctx, const struct dns_record *record)
{
	struct seen *seen = ctx;

	seen->count++;
	seen->last = *record;
	if (record->type == DNS_SRV)
		seen->srv = *record;
	if (record->type == DNS_TXT)
		seen->txt = *record;
	/* Whatever came, it is text that ends. */
	assert_non_null(memchr(record->name, '\0', sizeof(record->name)));
	assert_non_null(memchr(record->target, '\0', sizeof(record->target)));
}

/* A PTR, a SRV and a TXT record, names compressed: "_pep._tcp.local" at 12, "line.1" in front of it at 39. */
static const unsigned char answer[] = "\x12\x34\x84\x00\x00\x00\x00\x02\x00\x00\x00\x01"
				      "\x04_pep\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x00\x0a\x00\x09\x06line.1\xc0\x0c"
				      "\xc0\x27\x00\x21\x80\x01\x00\x00\x00\x0a\x00\x0d\x00\x00\x00\x00\x14\x1f\x04host\xc0\x16"
				      "\xc0\x27\x00\x10\x80\x01\x00\x00\x00\x0a\x00\x10\x05pin=x\x00\x08scheme=y";
#define ANSWER_SIZE (sizeof(answer) - 1)

static void a_good_answer_is_read(void **state)
{
	struct seen seen = {0};

	(void)state;
	assert_true(dns_read(answer, ANSWER_SIZE, 0x1234, take, &seen));
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.srv.name, "line\\.1._pep._tcp.local");
	assert_string_equal(seen.srv.target, "host.local");
	assert_int_equal(seen.srv.port, 5151);
	assert_string_equal(dns_txt_value(seen.txt.txt, "pin"), "x");
	assert_string_equal(dns_txt_value(seen.txt.txt, "SCHEME"), "y");
	assert_null(dns_txt_value(seen.txt.txt, "pi"));
	assert_null(dns_txt_value(seen.txt.txt, "none"));
}

static void another_id_or_a_query_is_no_answer(void **state)
{
	unsigned char query[ANSWER_SIZE];
	struct seen seen = {0};

	(void)state;
	assert_false(dns_read(answer, ANSWER_SIZE, 0x1235, take, &seen));
	memcpy(query, answer, sizeof(query));
	query[2] = 0;
	assert_false(dns_read(query, sizeof(query), 0x1234, take, &seen));
	assert_int_equal(seen.count, 0);
}

static void a_broken_answer_breaks_nothing(void **state)
{
	unsigned char broken[ANSWER_SIZE];
	struct seen seen = {0};

	(void)state;
	for (size_t size = 0; size < ANSWER_SIZE; size++)
		assert_false(dns_read(memcpy(broken, answer, size), size, 0x1234, take, &seen));
	for (size_t at = 0; at < ANSWER_SIZE; at++)
		for (unsigned byte = 0; byte < 256; byte++) {
			memcpy(broken, answer, sizeof(broken));
			broken[at] = (unsigned char)byte;
			(void)dns_read(broken, sizeof(broken), 0x1234, take, &seen);
		}
}

static void pointers_only_lead_back(void **state)
{
	/* To itself; to what comes later; one to the other. */
	static const char *const names[] = {"\xc0\x0c", "\xc0\x20", "\x01x\xc0\x0c", "\x01x\xc0\x0e"};
	static const unsigned char header[12] = {0, 1, 0x84, 0, 0, 0, 0, 1};
	unsigned char message[64];
	struct seen seen = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memset(message, 0, sizeof(message));
		memcpy(message, header, sizeof(header));
		for (size_t at = 0; names[i][at]; at++)
			message[12 + at] = (unsigned char)names[i][at];
		assert_false(dns_read(message, sizeof(message), 1, take, &seen));
	}
	assert_int_equal(seen.count, 0);
}

static void a_query_has_the_name_in_labels(void **state)
{
	unsigned char query[DNS_QUERY_ROOM];
	char label[80];

	(void)state;
	assert_int_equal(dns_make_query(0x0102, "a\\.b.local", DNS_SRV, query), 12 + 4 + 6 + 1 + 4);
	assert_memory_equal(query,
			    "\x01\x02\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03"
			    "a.b\x05local\x00\x00\x21\x00\x01",
			    27);
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	assert_int_equal(dns_make_query(1, label, DNS_A, query), 0);
	assert_int_equal(dns_make_query(1, "a..b", DNS_A, query), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_answer_is_read),          cmocka_unit_test(another_id_or_a_query_is_no_answer),
		cmocka_unit_test(a_broken_answer_breaks_nothing), cmocka_unit_test(pointers_only_lead_back),
		cmocka_unit_test(a_query_has_the_name_in_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
