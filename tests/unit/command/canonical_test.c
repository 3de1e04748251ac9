/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/canonical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))
#define ABSENT_21 "-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,"

static struct pep_identity record(void)
{
	return (struct pep_identity){.struct_size = sizeof(struct pep_identity), .state = PEP_FAILED, .serial = "GW-1"};
}

static void assert_form(const struct pep_identity *id, const char *expected)
{
	struct buffer buffer;

	buffer_init(&buffer, 4096);
	canonical_append(&buffer, id);
	assert_false(buffer.failed);
	assert_int_equal(buffer.size, strlen(expected));
	assert_memory_equal(buffer.data, expected, buffer.size);
	buffer_fini(&buffer);
}

static void the_form_is_the_one_that_is_described(void **state)
{
	struct pep_identity id = record();

	(void)state;
	id.revision = 77;
	assert_form(&id, "5,0,0,0,0,0,0,0,4:GW-1," ABSENT_21 "\n");
	id.created_ms = 1;
	id.deployed_ms = 2;
	id.lease_until_ms = -3;
	id.attempt = 4;
	id.contacted = 5;
	id.before = 6;
	id.generation = 7;
	id.dispatch_id = "";
	assert_form(&id, "5,1,2,-3,4,5,6,7,4:GW-1,0:,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,\n");
}

static void digest_of(const struct pep_identity *id, char hex[CANONICAL_HEX_SIZE])
{
	struct canonical_digest digest;
	struct pep_error err = {0};

	canonical_digest_init(&digest);
	assert_int_equal(canonical_digest_add(&digest, id, &err), PEP_OK);
	assert_int_equal(digest.record_count, 1);
	canonical_digest_end(&digest, hex);
}

static void assert_differ(const struct pep_identity *one, const struct pep_identity *other)
{
	char hex_one[CANONICAL_HEX_SIZE], hex_other[CANONICAL_HEX_SIZE];

	assert_false(canonical_equal(one, other));
	digest_of(one, hex_one);
	digest_of(other, hex_other);
	assert_string_not_equal(hex_one, hex_other);
}

static void every_member_counts(void **state)
{
	const struct pep_identity id = record();
	struct pep_identity other;

	(void)state;
#define OTHER_NUMBER(member)                \
	{                                   \
		other = id;                 \
		other.member++;             \
		assert_differ(&id, &other); \
	}
	OTHER_NUMBER(state)
	OTHER_NUMBER(created_ms)
	OTHER_NUMBER(deployed_ms)
	OTHER_NUMBER(lease_until_ms)
	OTHER_NUMBER(attempt)
	OTHER_NUMBER(contacted)
	OTHER_NUMBER(before)
	OTHER_NUMBER(generation)
	assert_int_equal(TEXT_COUNT, 22);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		struct pep_identity empty = id;

		other = id;
		(&other.serial)[i] = "x";
		assert_differ(&id, &other);
		(&empty.serial)[i] = "";
		assert_differ(&id, &empty);
		assert_differ(&other, &empty);
	}
}

static void the_revision_does_not_count(void **state)
{
	struct pep_identity id = record(), other = record();
	char hex_one[CANONICAL_HEX_SIZE], hex_other[CANONICAL_HEX_SIZE];

	(void)state;
	other.revision = 9;
	assert_true(canonical_equal(&id, &other));
	digest_of(&id, hex_one);
	digest_of(&other, hex_other);
	assert_string_equal(hex_one, hex_other);
}

/* printf '5,0,0,0,0,0,0,0,4:GW-1,-,...\n' | sha256sum */
static void a_digest_is_sha256_of_the_form(void **state)
{
	const struct pep_identity id = record();
	char hex[CANONICAL_HEX_SIZE];

	(void)state;
	digest_of(&id, hex);
	assert_string_equal(hex, "3bee16474aa9c5a02380cf2a76d03c7d3e9337fbcbbad1518baf6a2a2e81a086");
}

static void neighbours_do_not_run_into_each_other(void **state)
{
	struct pep_identity id = record(), other = record();

	(void)state;
	id.radio_config = "a,1:b";
	other.radio_config = "a";
	other.led_config = "b";
	assert_differ(&id, &other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_is_the_one_that_is_described), cmocka_unit_test(every_member_counts),
		cmocka_unit_test(the_revision_does_not_count),           cmocka_unit_test(a_digest_is_sha256_of_the_form),
		cmocka_unit_test(neighbours_do_not_run_into_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
