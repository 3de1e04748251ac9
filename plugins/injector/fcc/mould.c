/* SPDX-License-Identifier: Apache-2.0 */
#include "mould.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEY_ID_SIZE 20u
#define NAME_LIMIT 64u

enum tag {
	TAG_INTEGER = 0x02,
	TAG_BIT_STRING = 0x03,
	TAG_UTF8 = 0x0c,
	TAG_PRINTABLE = 0x13,
	TAG_UTC_TIME = 0x17,
	TAG_GENERAL_TIME = 0x18,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_VERSION = 0xa0,
	TAG_EXTENSIONS = 0xa3,
};

/* ecdsa-with-SHA256; id-ecPublicKey on P-256 up to the point; commonName; version 3. */
static const uint8_t algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t key_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
				   0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};

/* All point into `bytes`, a copy of the certificate. */
struct mould {
	struct blob issuer, subject_head, extensions;
	size_t key_id; /* where the subject key identifier begins in `extensions` */
	size_t size;
	uint8_t bytes[];
};

/* --- reading what GnuTLS has made --- */

/* The value at the front of `rest`, which must have this tag; `whole` with its head. */
static bool take(struct blob *rest, enum tag tag, struct blob *ret_contents, struct blob *ret_whole)
{
	size_t head = 2, size;

	if (rest->size < 2 || rest->data[0] != tag)
		return false;
	size = rest->data[1];
	if (size > 0x80) {
		size_t count = size - 0x80;

		if (count > 2 || rest->size < head + count)
			return false;
		size = 0;
		for (size_t i = 0; i < count; i++)
			size = size << 8 | rest->data[head + i];
		head += count;
	}
	if (size == 0x80 || size > rest->size - head)
		return false;
	*ret_contents = (struct blob){rest->data + head, size};
	*ret_whole = (struct blob){rest->data, head + size};
	rest->data += head + size;
	rest->size -= head + size;
	return true;
}

/* The names in front of the last one. */
static bool take_subject_head(struct blob names, struct blob *ret_head)
{
	struct blob last = {0}, contents;

	*ret_head = (struct blob){names.data, names.size};
	while (names.size)
		if (!take(&names, TAG_SET, &contents, &last))
			return false;
	if (!last.size)
		return false;
	ret_head->size -= last.size;
	return true;
}

static bool read_certificate(struct mould *mould, struct blob *ret_tbs)
{
	struct blob rest = {mould->bytes, mould->size}, contents, whole, subject;

	return take(&rest, TAG_SEQUENCE, &contents, &whole) && take(&contents, TAG_SEQUENCE, &rest, ret_tbs) &&
	       take(&rest, TAG_VERSION, &contents, &whole) && take(&rest, TAG_INTEGER, &contents, &whole) &&
	       take(&rest, TAG_SEQUENCE, &contents, &whole) && take(&rest, TAG_SEQUENCE, &contents, &mould->issuer) &&
	       take(&rest, TAG_SEQUENCE, &contents, &whole) && take(&rest, TAG_SEQUENCE, &subject, &whole) &&
	       take_subject_head(subject, &mould->subject_head) && take(&rest, TAG_SEQUENCE, &contents, &whole) &&
	       take(&rest, TAG_EXTENSIONS, &contents, &mould->extensions) && rest.size == 0;
}

/* --- writing: from the end to the front, since a length stands before what it counts --- */

struct out {
	uint8_t *start, *at;
	bool full;
};

static void put(struct out *out, const void *data, size_t size)
{
	if (size > (size_t)(out->at - out->start)) {
		out->full = true;
		return;
	}
	out->at -= size;
	if (size)
		memcpy(out->at, data, size);
}

/* Everything in front of `end` becomes the contents of one value. */
static void wrap(struct out *out, enum tag tag, const uint8_t *end)
{
	size_t size = (size_t)(end - out->at);
	const uint8_t head[] = {(uint8_t)tag, 0x82, (uint8_t)(size >> 8), (uint8_t)size};

	if (size > 0xffff)
		out->full = true;
	else if (size > 0xff)
		put(out, head, 4);
	else if (size > 0x7f)
		put(out, (const uint8_t[]){head[0], 0x81, head[3]}, 3);
	else
		put(out, (const uint8_t[]){head[0], head[3]}, 2);
}

static void put_value(struct out *out, enum tag tag, const void *data, size_t size)
{
	const uint8_t *end = out->at;

	put(out, data, size);
	wrap(out, tag, end);
}

/* UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5). */
static void put_moment(struct out *out, int64_t at_s)
{
	time_t seconds = (time_t)at_s;
	struct tm parts;
	char text[24];

	if (at_s < 0 || !gmtime_r(&seconds, &parts) || parts.tm_year > 9999 - 1900) {
		out->full = true;
		return;
	}
	(void)strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &parts);
	if (parts.tm_year < 2050 - 1900)
		put_value(out, TAG_UTC_TIME, text + 2, 13);
	else
		put_value(out, TAG_GENERAL_TIME, text, 15);
}

/* X.680: what a PrintableString may hold. */
static bool is_printable(const char *text)
{
	return !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")];
}

static void put_subject(struct out *out, const struct mould *mould, const char *name)
{
	const uint8_t *end = out->at;
	size_t size = strlen(name);

	if (size < 1 || size > NAME_LIMIT)
		out->full = true;
	put_value(out, is_printable(name) ? TAG_PRINTABLE : TAG_UTF8, name, size);
	put(out, common_name, sizeof(common_name));
	wrap(out, TAG_SEQUENCE, end);
	wrap(out, TAG_SET, end);
	put(out, mould->subject_head.data, mould->subject_head.size);
	wrap(out, TAG_SEQUENCE, end);
}

static bool key_id_of(const uint8_t point[MOULD_POINT_SIZE], uint8_t ret_id[KEY_ID_SIZE])
{
	uint8_t key[sizeof(key_head) + MOULD_POINT_SIZE];

	memcpy(key, key_head, sizeof(key_head));
	memcpy(key + sizeof(key_head), point, MOULD_POINT_SIZE);
	return gnutls_hash_fast(GNUTLS_DIG_SHA1, key, sizeof(key), ret_id) == 0;
}

static void put_tbs(struct out *out, const struct mould *mould, const struct mould_fields *fields)
{
	const uint8_t *end = out->at;
	uint8_t *extensions;

	put(out, mould->extensions.data, mould->extensions.size);
	extensions = out->at;
	if (!out->full && !key_id_of(fields->point, extensions + mould->key_id))
		out->full = true;
	put(out, fields->point, sizeof(fields->point));
	put(out, key_head, sizeof(key_head));
	put_subject(out, mould, fields->name);
	{
		const uint8_t *validity_end = out->at;

		put_moment(out, fields->to_s);
		put_moment(out, fields->from_s);
		wrap(out, TAG_SEQUENCE, validity_end);
	}
	put(out, mould->issuer.data, mould->issuer.size);
	put(out, algorithm, sizeof(algorithm));
	put_value(out, TAG_INTEGER, fields->serial, sizeof(fields->serial));
	put(out, version_3, sizeof(version_3));
	wrap(out, TAG_SEQUENCE, end);
}

/* What was written, moved to the front. */
static bool finish(struct out *out, const uint8_t *end, gnutls_datum_t *ret)
{
	size_t size = (size_t)(end - out->at);

	if (out->full) {
		gnutls_free(out->start);
		return false;
	}
	memmove(out->start, out->at, size);
	*ret = (gnutls_datum_t){.data = out->start, .size = (unsigned)size};
	return true;
}

static struct out begin(size_t size)
{
	uint8_t *start = gnutls_malloc(size);

	return (struct out){.start = start, .at = start ? start + size : start, .full = !start};
}

bool mould_cast(const struct mould *mould, const struct mould_fields *fields, gnutls_datum_t *ret_tbs)
{
	/* All that does not come from the mould has less than the certificate that it was taken from, but for the name. */
	size_t size = mould->size + NAME_LIMIT;
	struct out out = begin(size);

	if (!out.start)
		return false;
	put_tbs(&out, mould, fields);
	return finish(&out, out.start + size, ret_tbs);
}

bool mould_sign(const gnutls_datum_t *tbs, const gnutls_datum_t *signature, gnutls_datum_t *ret_certificate)
{
	size_t size = (size_t)tbs->size + signature->size + 64;
	struct out out = begin(size);
	const uint8_t *end = out.at;

	if (!out.start)
		return false;
	put(&out, signature->data, signature->size);
	put(&out, "", 1); /* no unused bits */
	wrap(&out, TAG_BIT_STRING, end);
	put(&out, algorithm, sizeof(algorithm));
	put(&out, tbs->data, tbs->size);
	wrap(&out, TAG_SEQUENCE, end);
	return finish(&out, end, ret_certificate);
}

/* The identifier in the extensions, and then the whole as it was. */
static bool is_good(struct mould *mould, struct blob tbs, const struct mould_fields *fields)
{
	uint8_t id[KEY_ID_SIZE];
	gnutls_datum_t cast = {0};
	const uint8_t *found;
	bool same;

	if (!key_id_of(fields->point, id))
		return false;
	found = memmem(mould->extensions.data, mould->extensions.size, id, sizeof(id));
	if (!found)
		return false;
	mould->key_id = (size_t)(found - mould->extensions.data);
	if (!mould_cast(mould, fields, &cast))
		return false;
	same = cast.size == tbs.size && memcmp(cast.data, tbs.data, tbs.size) == 0;
	gnutls_free(cast.data);
	return same;
}

struct mould *mould_new(struct blob certificate, const struct mould_fields *fields)
{
	struct mould *mould = malloc(sizeof(*mould) + certificate.size);
	struct blob tbs;

	if (!mould)
		return NULL;
	*mould = (struct mould){.size = certificate.size};
	memcpy(mould->bytes, certificate.data, certificate.size);
	if (read_certificate(mould, &tbs) && is_good(mould, tbs, fields))
		return mould;
	free(mould);
	return NULL;
}

void mould_free(struct mould *mould)
{
	free(mould);
}
