/* SPDX-License-Identifier: Apache-2.0
 *
 * order_tally.h - how many identities an order has given out, and which serials hold a place in it: the text of one note.
 *
 * {"used":17,"held":{"GW-18":[1,3]}}: 17 are deployed; GW-18 may become the next, and holds its place by its claims 1 to 3. A serial is
 * in it once, so a retry never counts twice. Only a claim's holder takes a place, with that claim's number; a place is given back
 * for the last number only, so what is known of an older claim never takes the place of a newer one. [one thread at a time]
 */
#ifndef CORE_SERVICE_ORDER_TALLY_H
#define CORE_SERVICE_ORDER_TALLY_H

#include "core/base/buffer.h"

#include <pep/plugin.h>

#define TALLY_HELD_MAX 400u /* with serials of 64 bytes, each of them escaped, a note is not full */

struct tally_place {
	char serial[65];
	uint32_t first, last; /* claims that took it */
};

/* Zeroed: nobody was here, and nobody can come: tally_read() makes one with room. */
struct tally {
	int64_t used;
	struct tally_place *held;
	size_t held_count;
};

enum tally_answer {
	TALLY_HELD = 1,  /* the serial has its place */
	TALLY_FULL,      /* used and held are the quantity */
	TALLY_UNSETTLED, /* TALLY_HELD_MAX serials hold a place, and none of them is done */
};

void tally_fini(struct tally *tally);
/* "" is an empty one. PEP_INVALID: this is none; *ret_tally is not written then. */
pep_status tally_read(const char *text, struct tally *ret_tally, struct pep_error *err);
/* Appends the text, without a NUL. What failed is remembered by the buffer. */
void tally_write(const struct tally *tally, struct buffer *text);

/* NULL: it holds none. Until the next change. */
const struct tally_place *tally_find(const struct tally *tally, const char *serial);
/* The claim `attempt` of this serial takes a place; one that is held already is kept. Nothing has changed but with TALLY_HELD. */
enum tally_answer tally_hold(struct tally *tally, int64_t quantity, const char *serial, uint32_t attempt);
/* The serial is deployed by its attempt `contacted`: its place is used, or given back if that attempt is older than the place. True:
 * something changed; a serial without a place was counted before, or never here. */
bool tally_deployed(struct tally *tally, const char *serial, uint32_t contacted);
/* The claim `attempt` has ended without a certificate. True: something changed. */
bool tally_release(struct tally *tally, const char *serial, uint32_t attempt);

#endif
