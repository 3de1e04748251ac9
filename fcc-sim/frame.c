/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/frame.h"

#include <nettle/sha2.h>
#include <string.h>

static const char token[] = "mbedprov";
#define TOKEN_SIZE (sizeof(token) - 1)

/* A byte that does not fit throws the match away, and is itself not tried as a beginning: "mmbedprov" is missed. */
static enum frame_status hunt_token(struct wire *wire)
{
	for (size_t matched = 0; matched < TOKEN_SIZE;) {
		char byte;
		enum wire_status status = wire_read(wire, &byte, 1);

		if (status != WIRE_GOOD)
			return status == WIRE_STOPPED ? FRAME_STOPPED : FRAME_NONE;
		matched = byte == token[matched] ? matched + 1 : 0;
	}
	return FRAME_GOOD;
}

static enum frame_status broken(enum wire_status status)
{
	return status == WIRE_STOPPED ? FRAME_STOPPED : FRAME_BROKEN;
}

static uint32_t little_endian(const uint8_t bytes[4])
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void put_number(struct buffer *out, uint32_t number)
{
	for (unsigned shift = 0; shift < 32; shift += 8)
		buffer_byte(out, (char)(number >> shift & 0xff));
}

/* Memory grows with what arrives, not with what was announced. */
static enum frame_status read_payload(struct wire *wire, size_t size, struct buffer *payload)
{
	while (payload->size < size) {
		size_t count = size - payload->size < sizeof(wire->room) ? size - payload->size : sizeof(wire->room);
		char *place = buffer_reserve(payload, count);
		enum wire_status status;

		if (!place)
			return broken(wire_swallow(wire));
		status = wire_read(wire, place, count);
		if (status != WIRE_GOOD)
			return broken(status);
		payload->size += count;
	}
	return FRAME_GOOD;
}

static void hash_of(const struct buffer *payload, uint8_t ret_hash[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, payload->size, (const uint8_t *)payload->data);
	sha256_digest(&context, SHA256_DIGEST_SIZE, ret_hash);
}

enum frame_status frame_read(struct wire *wire, struct buffer *ret_payload)
{
	uint8_t size_bytes[4], hash[SHA256_DIGEST_SIZE], wanted[SHA256_DIGEST_SIZE];
	enum frame_status status;
	enum wire_status wire_status;
	uint32_t size;

	buffer_init(ret_payload, FRAME_MAX_SIZE);
	status = hunt_token(wire);
	if (status != FRAME_GOOD)
		return status;
	wire_status = wire_read(wire, size_bytes, sizeof(size_bytes));
	if (wire_status != WIRE_GOOD)
		return broken(wire_status);
	size = little_endian(size_bytes);
	if (size == 0)
		return FRAME_BROKEN;
	if (size > FRAME_MAX_SIZE)
		return broken(wire_swallow(wire));
	status = read_payload(wire, size, ret_payload);
	if (status != FRAME_GOOD)
		return status;
	wire_status = wire_read(wire, hash, sizeof(hash));
	if (wire_status != WIRE_GOOD)
		return broken(wire_status);
	hash_of(ret_payload, wanted);
	return memcmp(hash, wanted, sizeof(hash)) == 0 ? FRAME_GOOD : FRAME_BROKEN;
}

void frame_put(struct buffer *out, const struct buffer *payload)
{
	uint8_t hash[SHA256_DIGEST_SIZE];

	hash_of(payload, hash);
	buffer_append(out, token, TOKEN_SIZE);
	put_number(out, 0);
	put_number(out, (uint32_t)payload->size);
	buffer_append(out, payload->data, payload->size);
	buffer_append(out, hash, sizeof(hash));
}

void frame_put_error(struct buffer *out, uint32_t comm_status)
{
	buffer_append(out, token, TOKEN_SIZE);
	put_number(out, comm_status);
}
