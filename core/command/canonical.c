/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/canonical.h"

#include <string.h>

/* The texts are the last members of a record, one after the other. */
#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))
#define RECORD_LIMIT ((size_t)16 * 1024 * 1024)

static void append_number(struct buffer *buffer, int64_t number)
{
	buffer_number(buffer, number);
	buffer_byte(buffer, ',');
}

void canonical_append(struct buffer *buffer, const struct pep_identity *id)
{
	const char *const *texts = &id->serial;

	append_number(buffer, id->state);
	append_number(buffer, id->created_ms);
	append_number(buffer, id->deployed_ms);
	append_number(buffer, id->lease_until_ms);
	append_number(buffer, id->attempt);
	append_number(buffer, id->contacted);
	append_number(buffer, id->before);
	append_number(buffer, id->generation);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		size_t size = texts[i] ? strlen(texts[i]) : 0;

		if (texts[i]) {
			buffer_number(buffer, (int64_t)size);
			buffer_byte(buffer, ':');
			buffer_append(buffer, texts[i], size);
		} else {
			buffer_byte(buffer, '-');
		}
		buffer_byte(buffer, ',');
	}
	buffer_byte(buffer, '\n');
}

static bool same_text(const char *one, const char *other)
{
	if (!one || !other)
		return one == other;
	return strcmp(one, other) == 0;
}

bool canonical_equal(const struct pep_identity *one, const struct pep_identity *other)
{
	const char *const *texts = &one->serial, *const *others = &other->serial;

	if (one->state != other->state || one->created_ms != other->created_ms || one->deployed_ms != other->deployed_ms ||
	    one->lease_until_ms != other->lease_until_ms || one->attempt != other->attempt || one->contacted != other->contacted ||
	    one->before != other->before || one->generation != other->generation)
		return false;
	for (size_t i = 0; i < TEXT_COUNT; i++)
		if (!same_text(texts[i], others[i]))
			return false;
	return true;
}

void canonical_digest_init(struct canonical_digest *digest)
{
	sha256_init(&digest->hash);
	digest->record_count = 0;
}

pep_status canonical_digest_add(struct canonical_digest *digest, const struct pep_identity *id, struct pep_error *err)
{
	struct buffer buffer;
	pep_status status = PEP_OK;

	buffer_init(&buffer, RECORD_LIMIT);
	canonical_append(&buffer, id);
	if (buffer.failed) {
		status = pep_fail(err, PEP_LIMIT, 0, "the record of %.64s is too large, or there is no memory", id->serial);
	} else {
		sha256_update(&digest->hash, buffer.size, (const uint8_t *)buffer.data);
		digest->record_count++;
	}
	buffer_fini(&buffer);
	return status;
}

void canonical_digest_end(struct canonical_digest *digest, char ret_hex[CANONICAL_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[SHA256_DIGEST_SIZE];

	sha256_digest(&digest->hash, sizeof(bytes), bytes);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ret_hex[2 * i] = digits[bytes[i] >> 4];
		ret_hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_hex[CANONICAL_HEX_SIZE - 1] = '\0';
	digest->record_count = 0;
}
