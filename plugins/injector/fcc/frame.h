/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.h - messages as they stand on the wire: "mbedprov", size, CBOR, and a SHA-256 that is a checksum, not a proof of origin.
 * Numbers are little endian. An answer has a status in front of the size, and ends behind it if that is not 0.
 */
#ifndef FCC_FRAME_H
#define FCC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_TOKEN "mbedprov"
#define FRAME_TOKEN_SIZE ((size_t)8)
#define FRAME_HEAD_SIZE ((size_t)12)
#define FRAME_HASH_SIZE ((size_t)32)
/* A gateway's answer has at most 2560 bytes; whoever announces more is not one. */
#define FRAME_PAYLOAD_LIMIT 16384u

/* Bytes that somebody else owns. */
struct blob {
	const uint8_t *data;
	size_t size;
};

/* A message that is being made. It may hold a private key, so it is never moved, and wiped at its end. */
struct message {
	uint8_t *data;
	size_t size, room;
	bool failed; /* it did not fit */
};

/* Room for a payload of `payload_room` bytes; writes the head. False: out of memory. */
bool message_init(struct message *message, size_t payload_room);
/* Wipes and frees. {0} is fine. */
void message_fini(struct message *message);
/* Where `size` more payload bytes go; NULL: they do not fit, which message_finish() remembers. */
uint8_t *message_reserve(struct message *message, size_t size);
void message_append(struct message *message, const void *data, size_t size);
/* Write size and hash. False: the payload is empty or did not fit, or there is no SHA-256. */
bool message_finish(struct message *message);

enum frame_state {
	FRAME_MORE,   /* bytes are missing */
	FRAME_WHOLE,  /* reader->payload is there, and its hash is right */
	FRAME_STATUS, /* no payload: reader->comm_status tells why */
	FRAME_BROKEN, /* not an answer: reader->fault tells why */
};

/* An answer that is being read. Takes exactly the bytes of one frame. */
struct frame_reader {
	enum frame_state state;
	uint32_t comm_status;
	const char *fault;   /* for the end of a sentence */
	struct blob payload; /* lives until frame_reader_fini() */
	uint8_t head[16];
	uint8_t *body; /* payload and hash */
	size_t head_size, body_size, body_room;
};

void frame_reader_init(struct frame_reader *reader);
void frame_reader_fini(struct frame_reader *reader);
/* How many bytes are wanted next, and where; 0: the state is not FRAME_MORE. */
size_t frame_reader_want(struct frame_reader *reader, uint8_t **ret_place);
/* `size` of them are there: at most as many as were wanted. */
enum frame_state frame_reader_took(struct frame_reader *reader, size_t size);

#endif
