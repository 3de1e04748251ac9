/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <stdlib.h>
#include <string.h>

bool message_init(struct message *message, size_t payload_room)
{
	size_t room = FRAME_HEAD_SIZE + payload_room + FRAME_HASH_SIZE;

	*message = (struct message){.data = malloc(room), .size = FRAME_HEAD_SIZE, .room = room - FRAME_HASH_SIZE};
	if (!message->data)
		return false;
	memcpy(message->data, FRAME_TOKEN, FRAME_TOKEN_SIZE);
	memset(message->data + FRAME_TOKEN_SIZE, 0, FRAME_HEAD_SIZE - FRAME_TOKEN_SIZE);
	return true;
}

void message_fini(struct message *message)
{
	if (message->data)
		gnutls_memset(message->data, 0, message->size);
	free(message->data);
	*message = (struct message){0};
}

uint8_t *message_reserve(struct message *message, size_t size)
{
	uint8_t *place;

	if (message->failed || size > message->room - message->size) {
		message->failed = true;
		return NULL;
	}
	place = message->data + message->size;
	message->size += size;
	return place;
}

void message_append(struct message *message, const void *data, size_t size)
{
	uint8_t *place = message_reserve(message, size);

	if (place && size)
		memcpy(place, data, size);
}

static void write_u32(uint8_t *place, size_t number)
{
	for (unsigned i = 0; i < 4; i++)
		place[i] = (uint8_t)(number >> (8 * i));
}

static uint32_t read_u32(const uint8_t *place)
{
	return (uint32_t)place[0] | (uint32_t)place[1] << 8 | (uint32_t)place[2] << 16 | (uint32_t)place[3] << 24;
}

bool message_finish(struct message *message)
{
	size_t payload_size = message->size - FRAME_HEAD_SIZE;

	if (message->failed || !payload_size)
		return false;
	write_u32(message->data + FRAME_TOKEN_SIZE, payload_size);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, message->data + FRAME_HEAD_SIZE, payload_size, message->data + message->size) != 0)
		return false;
	message->size += FRAME_HASH_SIZE; /* message_init() keeps room for it */
	return true;
}

void frame_reader_init(struct frame_reader *reader)
{
	*reader = (struct frame_reader){.state = FRAME_MORE};
}

void frame_reader_fini(struct frame_reader *reader)
{
	free(reader->body);
	*reader = (struct frame_reader){.state = FRAME_BROKEN};
}

size_t frame_reader_want(struct frame_reader *reader, uint8_t **ret_place)
{
	if (reader->state != FRAME_MORE)
		return 0;
	if (reader->body) {
		*ret_place = reader->body + reader->body_size;
		return reader->body_room - reader->body_size;
	}
	*ret_place = reader->head + reader->head_size;
	return (reader->head_size < FRAME_HEAD_SIZE ? FRAME_HEAD_SIZE : sizeof(reader->head)) - reader->head_size;
}

static enum frame_state broken(struct frame_reader *reader, const char *fault)
{
	reader->fault = fault;
	return FRAME_BROKEN;
}

static enum frame_state read_head(struct frame_reader *reader)
{
	uint32_t size;

	if (memcmp(reader->head, FRAME_TOKEN, reader->head_size < FRAME_TOKEN_SIZE ? reader->head_size : FRAME_TOKEN_SIZE) != 0)
		return broken(reader, "it does not begin with " FRAME_TOKEN ", so no factory program listens there");
	if (reader->head_size < FRAME_HEAD_SIZE)
		return FRAME_MORE;
	reader->comm_status = read_u32(reader->head + FRAME_TOKEN_SIZE);
	if (reader->comm_status)
		return FRAME_STATUS;
	if (reader->head_size < sizeof(reader->head))
		return FRAME_MORE;
	size = read_u32(reader->head + FRAME_HEAD_SIZE);
	if (!size || size > FRAME_PAYLOAD_LIMIT)
		return broken(reader, "its size is zero or over 16384 bytes");
	reader->body_room = size + FRAME_HASH_SIZE;
	reader->body = malloc(reader->body_room);
	return reader->body ? FRAME_MORE : broken(reader, "there is no memory for it");
}

static enum frame_state read_body(struct frame_reader *reader)
{
	uint8_t hash[FRAME_HASH_SIZE];
	size_t size = reader->body_room - FRAME_HASH_SIZE;

	if (reader->body_size < reader->body_room)
		return FRAME_MORE;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, reader->body, size, hash) != 0 ||
	    memcmp(hash, reader->body + size, sizeof(hash)) != 0)
		return broken(reader, "its checksum is wrong");
	reader->payload = (struct blob){.data = reader->body, .size = size};
	return FRAME_WHOLE;
}

enum frame_state frame_reader_took(struct frame_reader *reader, size_t size)
{
	if (reader->state != FRAME_MORE)
		return reader->state;
	if (reader->body) {
		reader->body_size += size;
		reader->state = read_body(reader);
	} else {
		reader->head_size += size;
		reader->state = read_head(reader);
	}
	return reader->state;
}
