/* SPDX-License-Identifier: Apache-2.0
 *
 * Recorded answers of a real gateway's program, and what must not pass for one: frames and CBOR.
 */
#include "hex.h"
#include "plugins/injector/fcc/response.h"
#include "plugins/injector/fcc/status.h"
#include "recorded.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Feed all; returns the state. */
static enum frame_state feed(struct frame_reader *reader, const uint8_t *data, size_t size, size_t *ret_used)
{
	size_t want;
	uint8_t *place;

	frame_reader_init(reader);
	*ret_used = 0;
	while ((want = frame_reader_want(reader, &place)) > 0 && *ret_used < size) {
		size_t take = want < size - *ret_used ? want : size - *ret_used;

		memcpy(place, data + *ret_used, take);
		*ret_used += take;
		(void)frame_reader_took(reader, take);
	}
	return reader->state;
}

static void read_recorded(const char *hex, struct frame_reader *reader, struct response *ret_response)
{
	const char *fault = NULL;
	size_t size, used;
	uint8_t *data = hex_bytes(hex, &size);

	assert_int_equal(feed(reader, data, size, &used), FRAME_WHOLE);
	assert_int_equal(used, size);
	free(data);
	if (!response_read(reader->payload, ret_response, &fault))
		fail_msg("%s", fault);
}

static void recorded_answers(void **state)
{
	struct frame_reader reader;
	struct response response;
	char text[400];

	(void)state;
	read_recorded(RECORDED_ANSWER_CSR, &reader, &response);
	assert_int_equal(response.return_status, 0);
	assert_int_equal(response.csr_count, 1);
	assert_true(response_is(response.csr_key_name, "mbed.BootstrapDevicePrivateKey"));
	assert_true(response_is(response.sid, "88636361-e9de-5f43-83c1-df7dcdd3e269"));
	assert_int_equal(response.csr.size, 0x10d);
	assert_null(response.warnings.data);
	frame_reader_fini(&reader);

	read_recorded(RECORDED_ANSWER_WARNINGS, &reader, &response);
	response_show(response.warnings, text, sizeof(text));
	assert_non_null(strstr(text, "Item not set:mbed.CurrentTime; Item not set:mbed.Timezone; "));
	response_show(response.info, text, sizeof(text));
	assert_string_equal(text, "The Factory process succeeded");
	response_show(response.info, text, 8);
	assert_int_equal(strlen(text), 5); /* room for a line end stays */
	frame_reader_fini(&reader);

	read_recorded(RECORDED_ANSWER_REFUSED, &reader, &response);
	assert_int_equal(response.return_status, 14);
	assert_true(response_is(response.info, "Certificate CN attribute invalid:mbed.BootstrapDeviceCert"));
	frame_reader_fini(&reader);
}

static void status_without_payload(void **state)
{
	struct frame_reader reader;
	size_t size, used;
	uint8_t *data = hex_bytes(RECORDED_ANSWER_NINE, &size);

	(void)state;
	assert_int_equal(feed(&reader, data, size, &used), FRAME_STATUS);
	assert_int_equal(reader.comm_status, 9);
	assert_int_equal(used, 12);
	frame_reader_fini(&reader);
	free(data);
}

/* Every byte of a whole frame counts, and no byte behind it is taken. */
static void damaged_frames(void **state)
{
	size_t size, used;
	uint8_t *data = hex_bytes(RECORDED_ANSWER_REFUSED "6d62", &size);
	struct frame_reader reader;

	(void)state;
	assert_int_equal(feed(&reader, data, size, &used), FRAME_WHOLE);
	assert_int_equal(used, size - 2);
	frame_reader_fini(&reader);
	for (size_t i = 0; i < size - 2; i++) {
		data[i] ^= 0x40;
		assert_int_not_equal(feed(&reader, data, size - 2, &used), FRAME_WHOLE);
		frame_reader_fini(&reader);
		data[i] ^= 0x40;
		assert_int_equal(feed(&reader, data, i, &used), FRAME_MORE);
		frame_reader_fini(&reader);
	}
	free(data);
}

static void hostile_cbor(void **state)
{
	static const char *const bad[] = {
		"",                                                             /* nothing */
		"a0",                                                           /* no ReturnStatus */
		"80",                                                           /* not a map */
		"a16c52657475726e5374617475736130",                             /* a text where a number must be */
		"a16c52657475726e53746174757320",                               /* negative */
		"a26c52657475726e537461747573006c52657475726e537461747573181a", /* twice */
		"a16c52657475726e5374617475730000",                             /* one byte more */
		"bf6c52657475726e53746174757300",                               /* no end */
		"bbffffffffffffffff6c52657475726e53746174757300",               /* many pairs */
		"a16c52657475726e5374617475737bffffffffffffffff",               /* a large text */
		"a26178818181818181818181006c52657475726e53746174757300",       /* nine levels */
		"a26178ff6c52657475726e53746174757300",                         /* an end without a beginning */
		"a201026c52657475726e53746174757300",                           /* a key that is a number */
		"a263534944016c52657475726e53746174757300",                     /* SID is a number */
		"a2644373727381a16450724b4e61616c52657475726e53746174757300",   /* a request without data */
		"a16c52657475726e53746174757f61306131ff",                       /* a text in pieces as a key's value */
	};
	static const char *const good[] = {
		"a16c52657475726e53746174757300",
		"bf6c52657475726e53746174757300ff",
		"a261788181818181818181006c52657475726e53746174757300", /* eight levels */
		"a26178c1c2006c52657475726e53746174757300",             /* tags */
		"a261787f61306131ff6c52657475726e53746174757300",       /* an unknown text in pieces */
	};
	struct response response;
	const char *fault;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t *data = hex_bytes(bad[i], &size);

		fault = NULL;
		if (response_read((struct blob){.data = data, .size = size}, &response, &fault))
			fail_msg("%s was taken", bad[i]);
		assert_non_null(fault);
		free(data);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint8_t *data = hex_bytes(good[i], &size);

		if (!response_read((struct blob){.data = data, .size = size}, &response, &fault))
			fail_msg("%s: %s", good[i], fault);
		free(data);
	}
}

static void every_status_has_words(void **state)
{
	(void)state;
	for (uint64_t status = 0; status <= 37; status++)
		assert_null(strstr(status_words(status), "not known"));
	for (uint64_t status = 1; status <= 37; status++)
		for (uint64_t other = 1; other < status; other++)
			assert_string_not_equal(status_words(status), status_words(other));
	assert_non_null(strstr(status_words(38), "not known"));
	assert_non_null(strstr(status_words(UINT64_MAX), "not known"));
	for (uint32_t status = 0; status < 20; status++)
		assert_true(*status_comm_words(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_answers), cmocka_unit_test(status_without_payload), cmocka_unit_test(damaged_frames),
		cmocka_unit_test(hostile_cbor),     cmocka_unit_test(every_status_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
