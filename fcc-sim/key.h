/* SPDX-License-Identifier: Apache-2.0
 *
 * key.h - keys on P-256, the only curve that FCC takes. [any thread]
 */
#ifndef FCC_SIM_KEY_H
#define FCC_SIM_KEY_H

#include "core/base/buffer.h"
#include "fcc-sim/span.h"

enum { KEY_COORDINATE_SIZE = 32 };

struct key_point {
	uint8_t x[KEY_COORDINATE_SIZE], y[KEY_COORDINATE_SIZE];
};

enum key_verdict {
	KEY_GOOD,
	KEY_UNREADABLE,
	KEY_WRONG_CURVE, /* or no elliptic curve at all */
};

/* SEC1 or unencrypted PKCS#8, DER. */
enum key_verdict key_read_private(struct span der, struct key_point *ret_point);
/* SubjectPublicKeyInfo, DER. */
enum key_verdict key_read_public(struct span der, struct key_point *ret_point);

/* Numbers of any size as a point, padded on the left. False: too long for P-256. */
bool key_point_set(struct span x, struct span y, struct key_point *ret_point);

/* A fresh key: private as SEC1 DER appended to `ret_private`. False: no memory, no randomness. */
bool key_generate(struct buffer *ret_private, struct key_point *ret_point);
/* ECDSA-SHA256 over `data`, the DER signature appended. */
bool key_sign(struct span private_der, struct span data, struct buffer *ret_signature);

/* SubjectPublicKeyInfo of a point, appended. */
void key_put_public(struct buffer *out, const struct key_point *point);
/* The point's x with the sign of y before it (SEC1 2.3.3): what FCC keeps as the identity of a CA. */
void key_compress(const struct key_point *point, uint8_t ret_compressed[1 + KEY_COORDINATE_SIZE]);

#endif
