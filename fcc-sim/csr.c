/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/csr.h"

#include "fcc-sim/der.h"
#include "fcc-sim/subject.h"

#include "core/base/cleanup.h"

#define CSR_LIMIT 16384u

#define SPAN(bytes) ((struct span){(bytes), sizeof(bytes)})

/* Key usage as a named bit list: trailing zero bits are left out (X.690 11.2.2). */
static void put_usage_bits(struct buffer *out, uint32_t usage)
{
	uint8_t bits[2] = {0, 0};
	bool any;

	bits[1] = (uint8_t)((usage & CSR_DIGITAL_SIGNATURE ? 0x80 : 0) | (usage & CSR_NON_REPUDIATION ? 0x40 : 0) |
			    (usage & CSR_KEY_CERT_SIGN ? 0x04 : 0) | (usage & CSR_KEY_AGREEMENT ? 0x08 : 0));
	any = bits[1] != 0;
	while (any && !(bits[1] >> bits[0] & 1))
		bits[0]++;
	der_put(out, DER_BIT_STRING, (struct span){bits, any ? 2 : 1});
}

static void put_extension(struct buffer *out, struct span oid, const struct buffer *value)
{
	AUTO(buffer_fini) struct buffer extension;

	buffer_init(&extension, CSR_LIMIT);
	der_put(&extension, DER_OID, oid);
	der_put_buffer(&extension, DER_OCTET_STRING, value);
	der_put_buffer(out, DER_SEQUENCE, &extension);
}

static void put_usage(struct buffer *out, uint32_t usage)
{
	static const uint8_t oid[] = {0x55, 0x1d, 0x0f};
	AUTO(buffer_fini) struct buffer value;

	buffer_init(&value, CSR_LIMIT);
	put_usage_bits(&value, usage);
	put_extension(out, SPAN(oid), &value);
}

static void put_extended_usage(struct buffer *out, uint32_t usage)
{
	static const uint8_t oid[] = {0x55, 0x1d, 0x25};
	static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
	static const struct {
		uint32_t bit;
		uint8_t last; /* of id-kp, 1.3.6.1.5.5.7.3 */
	} purposes[] = {{2, 1}, {4, 2}, {8, 3}, {16, 4}, {256, 8}, {512, 9}};
	AUTO(buffer_fini) struct buffer oids;
	AUTO(buffer_fini) struct buffer value;

	buffer_init(&oids, CSR_LIMIT);
	buffer_init(&value, CSR_LIMIT);
	if (usage & 1)
		der_put(&oids, DER_OID, SPAN(any));
	for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
		uint8_t purpose[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, purposes[i].last};

		if (usage & purposes[i].bit)
			der_put(&oids, DER_OID, SPAN(purpose));
	}
	der_put_buffer(&value, DER_SEQUENCE, &oids);
	put_extension(out, SPAN(oid), &value);
}

/* The attribute extensionRequest (PKCS #9), or an empty list of attributes. */
static void put_attributes(struct buffer *out, const struct csr_wish *wish)
{
	static const uint8_t request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
	AUTO(buffer_fini) struct buffer extensions;
	AUTO(buffer_fini) struct buffer list;
	AUTO(buffer_fini) struct buffer attribute;
	AUTO(buffer_fini) struct buffer attributes;

	buffer_init(&extensions, CSR_LIMIT);
	buffer_init(&list, CSR_LIMIT);
	buffer_init(&attribute, CSR_LIMIT);
	buffer_init(&attributes, CSR_LIMIT);
	if (wish->usage)
		put_usage(&extensions, wish->usage);
	if (wish->extended_usage)
		put_extended_usage(&extensions, wish->extended_usage);
	if (extensions.size > 0) {
		der_put_buffer(&list, DER_SEQUENCE, &extensions);
		der_put(&attribute, DER_OID, SPAN(request));
		der_put_buffer(&attribute, DER_SET, &list);
		der_put_buffer(&attributes, DER_SEQUENCE, &attribute);
	}
	der_put_buffer(out, DER_CONTEXT_0, &attributes);
}

bool csr_put(struct buffer *out, const struct csr_wish *wish, struct span private_der, const struct key_point *point)
{
	static const uint8_t version[] = {0};
	/* ecdsa-with-SHA256 with NULL parameters, which RFC 5758 3.2 forbids and Mbed TLS 2.28 writes */
	static const uint8_t algorithm[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x05, 0x00};
	static const uint8_t no_unused_bits = 0;
	AUTO(buffer_fini) struct buffer info;
	AUTO(buffer_fini) struct buffer body;
	AUTO(buffer_fini) struct buffer bits;

	buffer_init(&info, CSR_LIMIT);
	buffer_init(&body, CSR_LIMIT);
	buffer_init(&bits, CSR_LIMIT);
	der_put(&info, DER_INTEGER, SPAN(version));
	if (!subject_put(&info, wish->subject, wish->common_name))
		return false;
	key_put_public(&info, point);
	put_attributes(&info, wish);
	der_put_buffer(&body, DER_SEQUENCE, &info);
	buffer_append(&bits, &no_unused_bits, 1);
	if (body.failed || !key_sign(private_der, (struct span){(const uint8_t *)body.data, body.size}, &bits))
		return false;
	der_put(&body, DER_SEQUENCE, SPAN(algorithm));
	der_put_buffer(&body, DER_BIT_STRING, &bits);
	der_put_buffer(out, DER_SEQUENCE, &body);
	return !out->failed;
}
