/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway_answer.h"

#include "plugins/injector/fcc/cursor.h"
#include "plugins/injector/fcc/response.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_MS 20000

void device_fini(struct device *device)
{
	gnutls_x509_privkey_deinit(device->key);
	device->key = NULL;
}

/* --- reading --- */

static void copy_text(struct blob text, char ret_copy[80])
{
	(void)snprintf(ret_copy, 80, "%.*s", (int)text.size, (const char *)text.data);
}

/* Every string of a map {key: text or bytes}; others are passed over. */
struct entry {
	struct blob name, data, subject, type;
};

static bool read_entry(struct cursor *cursor, struct entry *ret_entry)
{
	struct item map, key, value;
	struct span span;

	*ret_entry = (struct entry){0};
	if (!cursor_next(cursor, &map) || !span_begin(&span, &map, ITEM_MAP))
		return false;
	while (span_more(&span, cursor)) {
		if (!cursor_next(cursor, &key) || !cursor_next(cursor, &value))
			return false;
		if (value.kind != ITEM_TEXT && value.kind != ITEM_BYTES && !cursor_skip(cursor, &value, 4))
			return false;
		if (response_is(key.bytes, "Name"))
			ret_entry->name = value.bytes;
		else if (response_is(key.bytes, "Data"))
			ret_entry->data = value.bytes;
		else if (response_is(key.bytes, "Subj"))
			ret_entry->subject = value.bytes;
	}
	return !cursor->failed;
}

/* "CN=name", in which a comma is escaped. */
static bool read_subject(struct blob subject, char ret_name[80])
{
	size_t size = 0;

	if (subject.size < 3 || subject.size > 140 || memcmp(subject.data, "CN=", 3) != 0)
		return false;
	for (size_t i = 3; i < subject.size && size < 79; i++) {
		if (subject.data[i] == '\\' && i + 1 < subject.size)
			i++;
		else if (subject.data[i] == ',')
			return false;
		ret_name[size++] = (char)subject.data[i];
	}
	ret_name[size] = '\0';
	return true;
}

static bool take_entry(const struct entry *entry, struct request *request)
{
	if (response_is(entry->name, "mbed.EndpointName"))
		copy_text(entry->data, request->serial);
	else if (response_is(entry->name, "mbed.BootstrapDeviceCert"))
		request->certificate = entry->data;
	else if (response_is(entry->name, "mbed.BootstrapDevicePrivateKey"))
		request->private_key = entry->data;
	if (entry->subject.data) {
		request->wants_csr = true;
		return read_subject(entry->subject, request->serial);
	}
	return true;
}

static bool read_group(struct cursor *cursor, const struct item *list, struct request *request)
{
	struct entry entry;
	struct span span;

	if (!span_begin(&span, list, ITEM_ARRAY))
		return false;
	while (span_more(&span, cursor))
		if (!read_entry(cursor, &entry) || !take_entry(&entry, request))
			return false;
	return !cursor->failed;
}

static bool read_pair(struct cursor *cursor, struct request *request)
{
	struct item key, value;

	if (!cursor_next(cursor, &key) || !cursor_next(cursor, &value))
		return false;
	if (response_is(key.bytes, "SID"))
		copy_text(value.bytes, request->sid);
	else if (response_is(key.bytes, "KpAlvSess"))
		request->keeps_session = value.number;
	else if (response_is(key.bytes, "Verify"))
		request->verify = value.number;
	return value.kind != ITEM_ARRAY || read_group(cursor, &value, request);
}

/* The certificate fits the key that the gateway has made or was given. */
static bool fits(const struct request *request, const struct device *device)
{
	const gnutls_datum_t certificate_der = {.data = (uint8_t *)request->certificate.data,
						.size = (unsigned)request->certificate.size};
	const gnutls_datum_t key_der = {.data = (uint8_t *)request->private_key.data, .size = (unsigned)request->private_key.size};
	uint8_t of_certificate[64], of_key[64] = {0};
	size_t certificate_size = sizeof(of_certificate), key_size = sizeof(of_key);
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t given;
	bool good;

	if (gnutls_x509_crt_init(&certificate) != 0 || gnutls_x509_privkey_init(&given) != 0)
		abort();
	good = gnutls_x509_crt_import(certificate, &certificate_der, GNUTLS_X509_FMT_DER) == 0 &&
	       gnutls_x509_crt_get_key_id(certificate, 0, of_certificate, &certificate_size) == 0;
	if (good && request->private_key.data)
		good = gnutls_x509_privkey_import(given, &key_der, GNUTLS_X509_FMT_DER) == 0 &&
		       gnutls_x509_privkey_get_key_id(given, 0, of_key, &key_size) == 0;
	else if (good)
		good = device->key && gnutls_x509_privkey_get_key_id(device->key, 0, of_key, &key_size) == 0;
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(given);
	return good && certificate_size == key_size && memcmp(of_certificate, of_key, key_size) == 0;
}

bool request_read(const uint8_t *payload, size_t size, struct device *device, struct request *ret_request)
{
	struct cursor cursor = {.left = {.data = payload, .size = size}};
	struct request request = {.verify = 1};
	struct item map;
	struct span span;

	if (!cursor_next(&cursor, &map) || map.is_open || map.number > 12 || !span_begin(&span, &map, ITEM_MAP))
		return false;
	while (span_more(&span, &cursor))
		if (!read_pair(&cursor, &request))
			return false;
	if (cursor.failed || cursor.left.size || !request.sid[0])
		return false;
	if (!device->serial[0])
		(void)snprintf(device->serial, sizeof(device->serial), "%s", request.serial);
	if (strcmp(device->serial, request.serial) != 0 || (request.certificate.data && !fits(&request, device)))
		return false;
	*ret_request = request;
	return true;
}

/* --- answering --- */

static bool is(const char *serial, const char *kind)
{
	return strncmp(serial, kind, strlen(kind)) == 0;
}

bool answer_takes_certificate(const struct request *request)
{
	return request->certificate.data && !is(request->serial, "REFUSE") && !is(request->serial, "EARLY");
}

static void put(struct answer *answer, const void *data, size_t size)
{
	if (answer->size + size > sizeof(answer->bytes))
		abort();
	memcpy(answer->bytes + answer->size, data, size);
	answer->size += size;
}

static void put_head(struct answer *answer, uint8_t major, size_t size)
{
	const uint8_t head[3] = {(uint8_t)(major << 5 | 25), (uint8_t)(size >> 8), (uint8_t)size};

	put(answer, head, sizeof(head));
}

static void put_text(struct answer *answer, const char *text)
{
	put_head(answer, 3, strlen(text));
	put(answer, text, strlen(text));
}

static void make_key(const char *serial, gnutls_x509_privkey_t *ret_key)
{
	if (gnutls_x509_privkey_init(ret_key) != 0 ||
	    gnutls_x509_privkey_generate(*ret_key, GNUTLS_PK_ECDSA, is(serial, "P384") ? 384 : 256, 0) != 0)
		abort();
}

static void put_csr(struct answer *answer, const char *serial, struct device *device)
{
	const char *name = is(serial, "OTHER-NAME") ? "somebody else" : serial;
	gnutls_x509_crq_t csr;
	gnutls_datum_t der;

	device_fini(device);
	make_key(serial, &device->key);
	if (gnutls_x509_crq_init(&csr) != 0 || gnutls_x509_crq_set_version(csr, 1) != 0 ||
	    gnutls_x509_crq_set_dn_by_oid(csr, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)) != 0 ||
	    gnutls_x509_crq_set_key(csr, device->key) != 0 ||
	    gnutls_x509_crq_sign2(csr, device->key, is(serial, "P384") ? GNUTLS_DIG_SHA384 : GNUTLS_DIG_SHA256, 0) != 0 ||
	    gnutls_x509_crq_export2(csr, GNUTLS_X509_FMT_DER, &der) != 0)
		abort();
	if (is(serial, "FORGED"))
		der.data[der.size - 1] ^= 1;
	put_text(answer, "Csrs");
	put(answer, "\x81\xbf", 2);
	put_text(answer, "PrKN");
	put_text(answer, "mbed.BootstrapDevicePrivateKey");
	put_text(answer, "Data");
	put_head(answer, 2, der.size);
	put(answer, der.data, der.size);
	put(answer, "\xff", 1);
	gnutls_x509_crq_deinit(csr);
	gnutls_free(der.data);
}

static void put_payload(struct answer *answer, const struct request *request, uint8_t status, struct device *device)
{
	const uint8_t number[2] = {0x18, status};

	put(answer, "\xbf", 1);
	if ((request->wants_csr && !status && !is(request->serial, "NO-CSR")) || is(request->serial, "AGAIN"))
		put_csr(answer, request->serial, device);
	put_text(answer, "SchemeVersion");
	put_text(answer, "0.0.1");
	put_text(answer, "SID");
	put_text(answer, is(request->serial, "SID") && request->certificate.data ? "another" : request->sid);
	put_text(answer, "ReturnStatus");
	if (is(request->serial, "SECRET") && request->certificate.data)
		put_text(answer, "0");
	else
		put(answer, number, sizeof(number));
	put_text(answer, "InfoMessage");
	put_text(answer, status == 14 ? "Certificate CN attribute invalid:mbed.BootstrapDeviceCert"
			 : status     ? "General error:\x1b[31m"
				      : "The Factory process succeeded\n");
	if (is(request->serial, "WARN")) {
		put_text(answer, "WarningInfo");
		put_text(answer, "Item not set:mbed.Timezone\nItem not set:mbed.UTCOffset\n");
	}
	put(answer, "\xff", 1);
}

static void put_frame(struct answer *answer, const struct request *request, uint8_t status, struct device *device)
{
	uint8_t hash[32];
	size_t size;

	put(answer, "mbedprov\0\0\0\0\0\0\0\0", 16);
	put_payload(answer, request, status, device);
	size = answer->size - 16;
	answer->bytes[12] = (uint8_t)size;
	answer->bytes[13] = (uint8_t)(size >> 8);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, answer->bytes + 16, size, hash) != 0)
		abort();
	if (is(request->serial, "HASH") && request->certificate.data)
		hash[0] ^= 1;
	put(answer, hash, sizeof(hash));
}

void answer_make(const struct request *request, struct device *device, struct answer *ret_answer)
{
	const char *serial = request->serial;
	bool is_last = request->certificate.data != NULL;

	*ret_answer = (struct answer){.goes_on = request->keeps_session};
	if (is(serial, "FIRST-DROP") || (is(serial, "DROP") && is_last)) {
		ret_answer->goes_on = false;
		return;
	}
	if (is(serial, "FIRST-JUNK") || (is(serial, "JUNK") && is_last)) {
		put(ret_answer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
		return;
	}
	if (is(serial, "NINE") && is_last) {
		put(ret_answer, "mbedprov\x09\0\0\0", 12);
		return;
	}
	if ((is(serial, "MUTE") && is_last) || (is(serial, "SLOW") && !is_last))
		ret_answer->wait_ms = LONG_MS;
	put_frame(ret_answer, request, is(serial, "EARLY") ? 4 : is(serial, "REFUSE") && is_last ? 14 : 0, device);
	if (is(serial, "TWICE") && !is_last) {
		size_t size = ret_answer->size;

		memcpy(ret_answer->bytes + size, ret_answer->bytes, size);
		ret_answer->size = 2 * size;
	}
}
