/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.h - the frames of the device protocol: "mbedprov", size, payload, SHA-256. Integers are little endian.
 */
#ifndef FCC_SIM_FRAME_H
#define FCC_SIM_FRAME_H

#include "core/base/buffer.h"
#include "fcc-sim/wire.h"

/* FCC allocates whatever size it is told. Here a message over this limit is swallowed until the peer leaves, and is an error. */
enum { FRAME_MAX_SIZE = 16 << 20 };

enum { FRAME_STATUS_NOT_PROCESSED = 9 }; /* the only comm status but 0 that a tool ever sees */

enum frame_status {
	FRAME_GOOD,
	FRAME_NONE,    /* the peer left before the token was whole: nothing is lost */
	FRAME_BROKEN,  /* size, payload or hash is wrong, or cut short */
	FRAME_STOPPED, /* told to give up */
};

/* One request. `ret_payload` is initialized here, and to be given to buffer_fini() in any case. */
enum frame_status frame_read(struct wire *wire, struct buffer *ret_payload);

/* Appends the frame of an answer. */
void frame_put(struct buffer *out, const struct buffer *payload);
/* Appends the frame that has only a comm status. */
void frame_put_error(struct buffer *out, uint32_t comm_status);

#endif
