/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/csr.h"

#include <gnutls/x509.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct made {
	struct buffer private_der, csr;
	struct key_point point;
};

static void make(struct made *made, const struct csr_wish *wish)
{
	struct span private_der;

	buffer_init(&made->private_der, 1000);
	buffer_init(&made->csr, 4000);
	assert_true(key_generate(&made->private_der, &made->point));
	private_der = (struct span){(const uint8_t *)made->private_der.data, made->private_der.size};
	assert_true(csr_put(&made->csr, wish, private_der, &made->point));
}

static void drop(struct made *made)
{
	buffer_fini(&made->private_der);
	buffer_fini(&made->csr);
}

static gnutls_x509_crq_t import(const struct made *made)
{
	gnutls_x509_crq_t crq;
	gnutls_datum_t der = {(unsigned char *)made->csr.data, (unsigned)made->csr.size};

	assert_int_equal(gnutls_x509_crq_init(&crq), GNUTLS_E_SUCCESS);
	assert_int_equal(gnutls_x509_crq_import(crq, &der, GNUTLS_X509_FMT_DER), GNUTLS_E_SUCCESS);
	return crq;
}

static bool holds(const struct made *made, const char *bytes, size_t size)
{
	return memmem(made->csr.data, made->csr.size, bytes, size) != NULL;
}

static void another_library_can_read_it(void **state)
{
	struct csr_wish wish = {.subject = span_text("C=GB,CN=gw-1"), .usage = 9, .extended_usage = 4};
	struct made made;
	gnutls_x509_crq_t crq;
	char text[64];
	size_t size = sizeof(text);
	unsigned usage = 0;

	(void)state;
	make(&made, &wish);
	crq = import(&made);
	assert_int_equal(gnutls_x509_crq_get_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &size), GNUTLS_E_SUCCESS);
	assert_string_equal(text, "gw-1");
	assert_int_equal(gnutls_x509_crq_get_key_usage(crq, &usage, NULL), GNUTLS_E_SUCCESS);
	assert_int_equal(usage, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_AGREEMENT);
	size = sizeof(text);
	assert_int_equal(gnutls_x509_crq_get_key_purpose_oid(crq, 0, text, &size, NULL), GNUTLS_E_SUCCESS);
	assert_string_equal(text, GNUTLS_KP_TLS_WWW_CLIENT);
	gnutls_x509_crq_deinit(crq);
	drop(&made);
}

static void usages_are_encoded_as_mbed_tls_does(void **state)
{
	struct csr_wish wish = {.subject = span_text("CN=a"), .usage = 9, .extended_usage = 4};
	struct made made;

	(void)state;
	make(&made, &wish);
	assert_true(holds(&made, "\xa0\x33\x30\x31\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x24\x30\x22", 19));
	assert_true(holds(&made, "\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x03\x88", 13));
	assert_true(holds(&made, "\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", 21));
	drop(&made);
	wish.usage = 1;
	wish.extended_usage = 0;
	make(&made, &wish);
	assert_true(holds(&made, "\x04\x04\x03\x02\x07\x80", 6));
	assert_false(holds(&made, "\x55\x1d\x25", 3));
	drop(&made);
	wish.usage = 16;
	make(&made, &wish);
	assert_true(holds(&made, "\x55\x1d\x0f\x04\x03\x03\x01\x00", 8));
	drop(&made);
	wish.usage = 0;
	wish.extended_usage = 1 | 2 | 8 | 16 | 256 | 512;
	make(&made, &wish);
	assert_true(holds(
		&made, "\x06\x04\x55\x1d\x25\x00\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03",
		26));
	drop(&made);
	wish.extended_usage = 0;
	make(&made, &wish);
	assert_true(holds(&made, "\xa0\x00\x30\x0c", 4));
	drop(&made);
}

static void another_name_on_demand(void **state)
{
	struct csr_wish wish = {.subject = span_text("CN=mine"), .common_name = "other"};
	struct made made;

	(void)state;
	make(&made, &wish);
	assert_true(holds(&made, "other", 5));
	assert_false(holds(&made, "mine", 4));
	drop(&made);
}

static void keys_are_read_back(void **state)
{
	struct made made;
	struct csr_wish wish = {.subject = span_text("CN=a")};
	struct key_point point;
	struct buffer public_der;
	uint8_t compressed[33];

	(void)state;
	make(&made, &wish);
	assert_int_equal(key_read_private((struct span){(uint8_t *)made.private_der.data, made.private_der.size}, &point),
			 KEY_GOOD);
	assert_memory_equal(&point, &made.point, sizeof(point));
	buffer_init(&public_der, 200);
	key_put_public(&public_der, &made.point);
	memset(&point, 0, sizeof(point));
	assert_int_equal(key_read_public((struct span){(uint8_t *)public_der.data, public_der.size}, &point), KEY_GOOD);
	assert_memory_equal(&point, &made.point, sizeof(point));
	key_compress(&point, compressed);
	assert_true(compressed[0] == 2 || compressed[0] == 3);
	assert_memory_equal(compressed + 1, made.point.x, 32);
	/* Cut short, a key must not be read, nor beyond. */
	for (size_t size = 0; size < public_der.size; size++)
		assert_int_equal(key_read_public((struct span){(uint8_t *)public_der.data, size}, &point), KEY_UNREADABLE);
	for (size_t size = 0; size < made.private_der.size; size++)
		assert_int_equal(key_read_private((struct span){(uint8_t *)made.private_der.data, size}, &point), KEY_UNREADABLE);
	buffer_fini(&public_der);
	drop(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_library_can_read_it),
		cmocka_unit_test(usages_are_encoded_as_mbed_tls_does),
		cmocka_unit_test(another_name_on_demand),
		cmocka_unit_test(keys_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
