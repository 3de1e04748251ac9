/* SPDX-License-Identifier: Apache-2.0
 *
 * entry_test.c - lines of the file of tokens, names of scopes, and tokens.
 */
#include "core/access/entry.h"
#include "core/access/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE(kind_, digest_, scopes_, more_)                                                                    \
	"{\"id\":\"pep_1a2b3c4d\",\"name\":\"line-1\",\"kind\":" kind_ "," digest_ ",\"scopes\":" scopes_ more_ \
	",\"created\":\"2026-11-23T20:15:00Z\"}"
#define GOOD(more_) LINE("\"station\"", "\"token_sha256\":\"" HEX "\"", "[\"provision\",\"read\"]", more_)

static pep_status read_line(const char *line, struct arena *arena, struct access_entry *ret_entry)
{
	struct pep_error err = {0};
	pep_status status = entry_read(arena, line, strlen(line), ret_entry, &err);

	assert_true(status == PEP_OK || err.message[0]);
	return status;
}

static void a_line_comes_back_as_it_was(void **state)
{
	static const char *const lines[] = {
		GOOD(""),
		GOOD(",\"networks\":[\"10.20.0.0/16\",\"fd00::/8\"]"),
		LINE("\"person\"", "\"certificate_sha256\":\"" HEX "\"", "[\"export\",\"operate\",\"audit\"]", ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct arena arena = {0};
		struct access_entry entry;
		struct buffer text;

		buffer_init(&text, 4096);
		assert_int_equal(read_line(lines[i], &arena, &entry), PEP_OK);
		entry_write(&text, &entry);
		assert_int_equal(text.size, strlen(lines[i]) + 1);
		assert_memory_equal(text.data, lines[i], strlen(lines[i]));
		assert_int_equal(entry.is_certificate, i == 2);
		assert_int_equal(entry.kind, i == 2 ? ENTRY_PERSON : ENTRY_STATION);
		buffer_fini(&text);
		arena_fini(&arena);
	}
}

static void wrong_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"[]",
		"{}",
		"{\"id\":1}",
		GOOD(",\"networks\":[]"), /* nowhere is not anywhere */
		GOOD(",\"networks\":\"10.0.0.0/8\""),
		GOOD(",\"networks\":[\"10.0.0.0/33\"]"),
		GOOD(",\"expires\":\"2026-02-30T00:00:00Z\""),
		GOOD(",\"expires\":\"2026-11-23\""),
		GOOD(",\"expires\":0"),
		GOOD(",\"expired\":\"2027-11-23T20:15:00Z\""), /* a typo must not make it last for ever */
		GOOD(",\"name\":\"other\""),
		GOOD(",\"certificate_sha256\":\"" HEX "\""),
		LINE("\"robot\"", "\"token_sha256\":\"" HEX "\"", "[\"read\"]", ""),
		LINE("\"station\"", "\"token_sha256\":\"" HEX "00\"", "[\"read\"]", ""),
		LINE("\"station\"", "\"token_sha256\":\"0123\"", "[\"read\"]", ""),
		LINE("\"station\"", "\"token_sha256\":\"" HEX "\"", "[]", ""),
		LINE("\"station\"", "\"token_sha256\":\"" HEX "\"", "[\"root\"]", ""),
		LINE("\"station\"", "\"token_sha256\":\"" HEX "\"", "\"read\"", ""),
		"{\"id\":\"a b\",\"name\":\"x\",\"kind\":\"person\",\"token_sha256\":\"" HEX
		"\",\"scopes\":[\"read\"],\"created\":\"2026-11-23T20:15:00Z\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct arena arena = {0};
		struct access_entry entry;

		if (read_line(lines[i], &arena, &entry) == PEP_OK)
			fail_msg("taken: %s", lines[i]);
		arena_fini(&arena);
	}
}

static void names_are_checked(void **state)
{
	(void)state;
	assert_true(entry_is_name("line-1"));
	assert_true(entry_is_name("anna@example.com"));
	assert_false(entry_is_name(""));
	assert_false(entry_is_name("a b"));
	assert_false(entry_is_name("a\nb"));
	assert_false(entry_is_name("local"));
	assert_false(entry_is_name("anonymous"));
	assert_false(entry_is_name("server"));
	assert_false(entry_is_name(HEX "0")); /* 65 bytes */
}

static void scopes_have_names(void **state)
{
	char text[SCOPE_LIST_ROOM];

	(void)state;
	scope_write_list(~0u, text);
	assert_string_equal(text, "provision,read,export,operate,audit");
	assert_int_equal(scope_read_list(text), SCOPE_PROVISION | SCOPE_READ | SCOPE_EXPORT | SCOPE_OPERATE | SCOPE_AUDIT);
	scope_write_list(SCOPE_OPEN, text);
	assert_string_equal(text, "");
	assert_int_equal(scope_read_list(""), 0);
	assert_int_equal(scope_read_list("read,"), 0);
	assert_int_equal(scope_read_list("read,all"), 0);
	assert_int_equal(scope_read_list("READ"), 0);
}

static void tokens_are_found_by_their_form(void **state)
{
	char one[TOKEN_ROOM], other[TOKEN_ROOM], id[TOKEN_ID_ROOM], other_id[TOKEN_ID_ROOM];

	(void)state;
	token_make(one, id);
	token_make(other, other_id);
	assert_int_equal(strlen(one), 77);
	assert_memory_equal(one, id, 12);
	assert_memory_equal(one, "pep_", 4);
	assert_int_equal(one[12], '_');
	assert_int_equal(strspn(one + 13, "0123456789abcdef"), 64);
	assert_string_not_equal(one + 13, other + 13);
	assert_string_not_equal(one + 13, id + 4);
}

static void the_header_is_read_as_rfc_6750_says(void **state)
{
	static const struct {
		const char *header, *token;
	} cases[] = {
		{"Bearer abc", "abc"},
		{"bearer abc", "abc"},
		{"BEARER  abc \t", "abc"},
		{"Bearer", NULL},
		{"Bearer ", NULL},
		{"Basic abc", NULL},
		{"Bearerabc", NULL},
		{"", NULL},
		{"abc", NULL},
		{" Bearer abc", NULL},
		{NULL, NULL},
	};
	char long_one[TOKEN_LIMIT + 9] = "Bearer ";
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *token = token_in_header(cases[i].header, &size);

		assert_int_equal(token != NULL, cases[i].token != NULL);
		if (token && cases[i].token) {
			assert_int_equal(size, strlen(cases[i].token));
			assert_memory_equal(token, cases[i].token, size);
		}
	}
	memset(long_one + 7, 'a', TOKEN_LIMIT + 1);
	assert_null(token_in_header(long_one, &size));
	long_one[7 + TOKEN_LIMIT] = '\0';
	assert_non_null(token_in_header(long_one, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_comes_back_as_it_was),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(scopes_have_names),
		cmocka_unit_test(tokens_are_found_by_their_form),
		cmocka_unit_test(the_header_is_read_as_rfc_6750_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
