/* SPDX-License-Identifier: Apache-2.0
 *
 * The fingerprint by the vectors of FIPS 180-4, and a certificate found among other bytes.
 */
#include "cli/provision/enrolled.h"
#include "cli/provision/sha256.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_digest(const void *data, size_t size, const char *hex)
{
	unsigned char digest[32];
	char text[65];

	sha256(data, size, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, hex);
}

static void digests_are_right(void **state)
{
	static char million[1000000];

	(void)state;
	assert_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', sizeof(million));
	assert_digest(million, sizeof(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void put(unsigned char *at, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (unsigned char)bytes[i];
}

/* What begins as a certificate does, with a common name in it. */
static size_t make_certificate(unsigned char *at, const char *name, unsigned char fill)
{
	size_t name_size = strlen(name);

	memset(at, fill, 304);
	put(at, "\x30\x82\x01\x2c\x30", 5);
	put(at + 100, "\x06\x03\x55\x04\x03\x0c", 6);
	at[106] = (unsigned char)name_size;
	put(at + 107, name, name_size);
	return 304;
}

static void identity_of(const unsigned char *data, size_t size, char *ret_text)
{
	unsigned char digest[32];

	sha256(data, size, digest);
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(ret_text + 3 * i, 4, ":%02X", digest[i]);
	ret_text[0] = '-';
	memmove(ret_text + 1, ret_text, 97);
	ret_text[0] = 'A';
}

static void a_certificate_is_found_among_other_bytes(void **state)
{
	unsigned char data[1200] = {0x30, 0x82, 0xff, 0xff, 0x30, 0x30, 0x82};
	char identity[128] = "", other[128];

	(void)state;
	assert_int_equal(enrolled_scan(data, sizeof(data), "A-00", "GW-1"), ENROLLED_UNSEEN);
	(void)make_certificate(data + 17, "GW-1", 0x55);
	identity_of(data + 17, 304, identity);
	assert_int_equal(enrolled_scan(data, sizeof(data), identity, "GW-1"), ENROLLED_SAME);
	(void)snprintf(other, sizeof(other), "%s", identity);
	other[2] = other[2] == '0' ? '1' : '0';
	assert_int_equal(enrolled_scan(data, sizeof(data), other, "GW-1"), ENROLLED_OTHER);
	/* That of an authority is nobody's. */
	assert_int_equal(enrolled_scan(data, sizeof(data), other, "GW-2"), ENROLLED_UNSEEN);
	/* Another one before it changes nothing; half of one is none. */
	(void)make_certificate(data + 400, "GW-1", 0x66);
	assert_int_equal(enrolled_scan(data, sizeof(data), identity, "GW-1"), ENROLLED_SAME);
	assert_int_equal(enrolled_scan(data, 300, identity, "GW-1"), ENROLLED_UNSEEN);
	for (size_t size = 0; size < 8; size++)
		assert_int_equal(enrolled_scan(data, size, identity, "GW-1"), ENROLLED_UNSEEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_right),
		cmocka_unit_test(a_certificate_is_found_among_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
