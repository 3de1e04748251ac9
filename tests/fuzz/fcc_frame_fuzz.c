/* SPDX-License-Identifier: Apache-2.0
 *
 * What a gateway sends, as a frame: in one piece and byte by byte it must come to the same end, take no byte too many, and be
 * whole only if it really is.
 */
#include "fuzz.h"

#include "plugins/injector/fcc/frame.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

static void demand(bool holds)
{
	if (!holds)
		abort();
}

/* Feed at most `step` bytes at a time; returns how many were taken. */
static size_t feed(struct frame_reader *reader, const uint8_t *data, size_t size, size_t step)
{
	size_t used = 0, want;
	uint8_t *place;

	while ((want = frame_reader_want(reader, &place)) > 0 && used < size) {
		if (want > step)
			want = step;
		if (want > size - used)
			want = size - used;
		memcpy(place, data + used, want);
		used += want;
		(void)frame_reader_took(reader, want);
	}
	return used;
}

static void check_whole(const struct frame_reader *reader, const uint8_t *data, size_t used)
{
	uint8_t hash[FRAME_HASH_SIZE];

	demand(reader->payload.size >= 1 && reader->payload.size <= FRAME_PAYLOAD_LIMIT);
	demand(used == 16 + reader->payload.size + FRAME_HASH_SIZE);
	demand(memcmp(data, FRAME_TOKEN "\0\0\0\0", FRAME_HEAD_SIZE) == 0);
	demand(gnutls_hash_fast(GNUTLS_DIG_SHA256, data + 16, reader->payload.size, hash) == 0);
	demand(memcmp(hash, data + used - sizeof(hash), sizeof(hash)) == 0);
	demand(memcmp(reader->payload.data, data + 16, reader->payload.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_reader whole, bytes;
	size_t used;

	frame_reader_init(&whole);
	frame_reader_init(&bytes);
	used = feed(&whole, data, size, SIZE_MAX);
	(void)feed(&bytes, data, size, 1);
	demand(whole.state == bytes.state);
	demand((whole.state == FRAME_BROKEN) == (whole.fault != NULL));
	if (whole.state == FRAME_WHOLE)
		check_whole(&whole, data, used);
	if (whole.state == FRAME_STATUS)
		demand(used == FRAME_HEAD_SIZE && whole.comm_status == bytes.comm_status && whole.comm_status);
	if (whole.state == FRAME_MORE)
		demand(used == size);
	frame_reader_fini(&whole);
	frame_reader_fini(&bytes);
	return 0;
}
