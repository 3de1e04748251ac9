/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/encode.h"
#include "fcc-sim/gateway.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct fault no_fault = {0};

struct talk {
	struct gateway gateway;
	uint32_t status;
	char info[256];
	bool has_answer;
};

static void open_talk(struct talk *talk)
{
	assert_true(gateway_init(&talk->gateway, NULL, &no_fault));
}

/* The message is in memory of its own size, so that a look beyond it is seen. */
static void say(struct talk *talk, const void *message, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct answer answer;
	struct buffer encoded;
	struct span info;

	assert_non_null(copy);
	memcpy(copy, message, size);
	answer_init(&answer);
	gateway_handle(&talk->gateway, (struct span){copy, size}, &answer);
	talk->has_answer = answer_encode(&answer, &encoded);
	if (talk->has_answer)
		assert_true(reader_is_whole((uint8_t *)encoded.data, encoded.size));
	talk->status = answer.outcome.status;
	info = outcome_info(&answer.outcome);
	assert_true(info.size < sizeof(talk->info));
	memcpy(talk->info, info.data, info.size);
	talk->info[info.size] = '\0';
	buffer_fini(&encoded);
	answer_fini(&answer);
	free(copy);
}

static void begin_message(struct buffer *out, size_t pairs)
{
	buffer_init(out, 1u << 20);
	buffer_byte(out, (char)(0xa0 + pairs));
	encode_text(out, span_text("SchemeVersion"));
	encode_text(out, span_text("0.0.1"));
}

static void put_flag(struct buffer *out, const char *key, uint64_t value)
{
	encode_text(out, span_text(key));
	encode_uint(out, value);
}

static void say_message(struct talk *talk, struct buffer *message)
{
	assert_false(message->failed);
	say(talk, message->data, message->size);
	buffer_fini(message);
}

/* A message of an ongoing session with one parameter, which is the last thing in it; `value` is encoded. */
static void say_parameter(struct talk *talk, const char *name, const char *value, size_t size)
{
	struct buffer message;

	begin_message(&message, 4);
	put_flag(&message, "KpAlvSess", 1);
	put_flag(&message, "Verify", 0);
	encode_text(&message, span_text("ConfigParams"));
	encode_array(&message, 1);
	buffer_byte(&message, (char)0xa2);
	encode_text(&message, span_text("Name"));
	encode_text(&message, span_text(name));
	encode_text(&message, span_text("Data"));
	buffer_append(&message, value, size);
	say_message(talk, &message);
}

static void sessions(void **state)
{
	struct talk talk;
	struct buffer message;

	(void)state;
	open_talk(&talk);
	assert_true(talk.gateway.session_finished);
	begin_message(&message, 3);
	put_flag(&message, "KpAlvSess", 1);
	put_flag(&message, "Verify", 0);
	say_message(&talk, &message);
	assert_int_equal(talk.status, STATUS_SUCCESS);
	assert_false(talk.gateway.session_finished);
	say(&talk, "\xff", 1);
	assert_int_equal(talk.status, STATUS_BUNDLE);
	assert_false(talk.gateway.session_finished);
	begin_message(&message, 2);
	put_flag(&message, "Verify", 0);
	say_message(&talk, &message);
	assert_int_equal(talk.status, STATUS_ITEM_MISSING);
	assert_string_equal(talk.info, "Item does not exist:mbed.UseBootstrap");
	assert_true(talk.gateway.session_finished);
	gateway_fini(&talk.gateway);
}

static void items_live_as_long_as_the_process(void **state)
{
	struct talk talk;

	(void)state;
	open_talk(&talk);
	say_parameter(&talk, "a",
		      "\x61"
		      "1",
		      2);
	assert_int_equal(talk.status, STATUS_SUCCESS);
	say_parameter(&talk, "b",
		      "\x61"
		      "1",
		      2);
	assert_int_equal(talk.status, STATUS_SUCCESS);
	say_parameter(&talk, "a",
		      "\x61"
		      "1",
		      2);
	assert_int_equal(talk.status, STATUS_EXISTS);
	assert_string_equal(talk.info, "Data already exists:a");
	gateway_fini(&talk.gateway);
}

static void assert_stored(const struct talk *talk, const char *name, const char *value, size_t size)
{
	const struct store_item *item = store_find_text(&talk->gateway.store, STORE_PARAMETER, name);

	assert_non_null(item);
	assert_int_equal(item->parts[0].size, size);
	assert_memory_equal(item->parts[0].data, value, size);
}

static void values(void **state)
{
	struct talk talk;

	(void)state;
	open_talk(&talk);
	say_parameter(&talk, "int", "\x19\x01\x02", 3);
	assert_stored(&talk, "int", "\x02\x01\0\0\0\0\0\0", 8);
	say_parameter(&talk, "negative", "\x21", 1);
	assert_stored(&talk, "negative", "\xfe\xff\xff\xff\xff\xff\xff\xff", 8);
	say_parameter(&talk, "bignum", "\xc2\x42\x01\x02", 4);
	assert_stored(&talk, "bignum", "\x01\x02", 2);
	say_parameter(&talk, "mbed.MemoryTotalKB", "\x1a\x01\x02\x03\x04", 5);
	assert_stored(&talk, "mbed.MemoryTotalKB", "\x04\x03\x02\x01", 4);
	say_parameter(&talk, "mbed.FirstToClaim",
		      "\x61"
		      "1",
		      2);
	assert_stored(&talk, "mbed.FirstToClaim", "1\0\0\0", 4);
	say_parameter(&talk, "mbed.UseBootstrap", "\x60", 1);
	assert_stored(&talk, "mbed.UseBootstrap", "\0\0\0\0", 4);
	say_parameter(&talk, "date", "\xc1\x01", 2);
	assert_string_equal(talk.info, "General error:date");
	assert_int_equal(talk.status, STATUS_BUNDLE);
	gateway_fini(&talk.gateway);
}

static void the_clock(void **state)
{
	struct talk talk;

	(void)state;
	open_talk(&talk);
	assert_int_equal(gateway_clock(&talk.gateway), 0);
	say_parameter(&talk, "mbed.CurrentTime", "\x1a\x58\x68\xd3\x1f", 5);
	assert_int_equal(talk.status, STATUS_ERROR);
	say_parameter(&talk, "mbed.", "\x1a\x58\x68\xd3\x20", 5);
	assert_int_equal(talk.status, STATUS_SUCCESS);
	assert_in_range(gateway_clock(&talk.gateway), 1483264800, 1483264800 + 600);
	assert_null(talk.gateway.store.items);
	gateway_fini(&talk.gateway);
}

static void seeds_are_taken_once(void **state)
{
	static const uint8_t seed[49] = {1};
	struct talk talk;
	struct buffer message;

	(void)state;
	open_talk(&talk);
	for (unsigned round = 0; round < 2; round++) {
		begin_message(&message, 4);
		put_flag(&message, "KpAlvSess", 1);
		put_flag(&message, "Verify", 0);
		encode_text(&message, span_text("Entropy"));
		encode_bytes(&message, (struct span){seed, 48});
		say_message(&talk, &message);
		assert_int_equal(talk.status, round ? STATUS_ENTROPY : STATUS_SUCCESS);
	}
	begin_message(&message, 2);
	encode_text(&message, span_text("ROT"));
	encode_bytes(&message, (struct span){seed, 49});
	say_message(&talk, &message);
	assert_int_equal(talk.status, STATUS_PARAMETER);
	assert_string_equal(talk.info, "General error:rot");
	gateway_fini(&talk.gateway);
}

static void beginnings_of_words(void **state)
{
	struct talk talk;
	struct buffer message;

	(void)state;
	open_talk(&talk);
	begin_message(&message, 4);
	put_flag(&message, "", 77);  /* SchemeVersion, which was looked for elsewhere */
	put_flag(&message, "Kp", 1); /* KpAlvSess */
	put_flag(&message, "V", 0);  /* Verify */
	say_message(&talk, &message);
	assert_int_equal(talk.status, STATUS_SUCCESS);
	assert_false(talk.gateway.session_finished);
	begin_message(&message, 2);
	put_flag(&message, "K", 1); /* Keys come first */
	say_message(&talk, &message);
	assert_int_equal(talk.status, STATUS_BUNDLE);
	begin_message(&message, 2);
	put_flag(&message, "Verify2", 1);
	say_message(&talk, &message);
	assert_int_equal(talk.status, STATUS_UNKNOWN_GROUP);
	gateway_fini(&talk.gateway);
}

static void a_disabled_gateway_says_nothing(void **state)
{
	struct fault fault = {.disabled = true};
	struct talk talk;
	struct buffer message;

	(void)state;
	assert_true(gateway_init(&talk.gateway, NULL, &fault));
	begin_message(&message, 1);
	say_message(&talk, &message);
	assert_false(talk.has_answer);
	gateway_fini(&talk.gateway);
}

/* Every prefix and every single flipped bit of a message that has all groups: nothing may be read beyond it, and there is an answer. */
static void damaged_messages(void **state)
{
	static const char whole[] = "\xa9\x6dSchemeVersion\x65"
				    "0.0.1\x63SID\x61s\x69KpAlvSess\x01\x66Verify\x00"
				    "\x64Keys\x81\xa4\x64Name\x61k\x64Type\x69"
				    "ECCPublic\x66"
				    "Format\x63"
				    "der\x64"
				    "Data\x43"
				    "abc"
				    "\x6c"
				    "Certificates\x81\xa3\x64Name\x61"
				    "c\x66"
				    "Format\x63"
				    "der\x64"
				    "Data\x43"
				    "abc"
				    "\x71"
				    "CertificateChains\x81\xa2\x64Name\x61"
				    "c\x69"
				    "DataArray\x81\x43"
				    "abc"
				    "\x6c"
				    "ConfigParams\x81\xa2\x64Name\x71mbed.UseBootstrap\x64"
				    "Data\x61x"
				    "\x67"
				    "CsrReqs\x81\xa3\x64PrKN\x61k\x64Subj\x64"
				    "CN=a\x62MD\x02";
	size_t size = sizeof(whole) - 1;
	char copy[sizeof(whole)];

	(void)state;
	assert_true(reader_is_whole((const uint8_t *)whole, size));
	for (size_t i = 0; i < size; i++) {
		struct talk talk;

		open_talk(&talk);
		say(&talk, whole, i);
		assert_int_equal(talk.status, STATUS_BUNDLE);
		gateway_fini(&talk.gateway);
	}
	for (size_t i = 0; i < 8 * size; i++) {
		struct talk talk;

		memcpy(copy, whole, size);
		copy[i / 8] ^= (char)(1u << i % 8);
		open_talk(&talk);
		say(&talk, copy, size);
		assert_true(talk.has_answer);
		assert_true(talk.status != STATUS_SUCCESS);
		gateway_fini(&talk.gateway);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions),
		cmocka_unit_test(items_live_as_long_as_the_process),
		cmocka_unit_test(values),
		cmocka_unit_test(the_clock),
		cmocka_unit_test(seeds_are_taken_once),
		cmocka_unit_test(beginnings_of_words),
		cmocka_unit_test(a_disabled_gateway_says_nothing),
		cmocka_unit_test(damaged_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
