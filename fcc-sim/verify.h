/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.h - the checks that end a message: is the gateway ready to meet its servers? Each returns false with the outcome set where it
 * fails. Their order is FCC's: it decides which error is told and how warnings follow one another.
 */
#ifndef FCC_SIM_VERIFY_H
#define FCC_SIM_VERIFY_H

#include "fcc-sim/gateway.h"

#define NOT_SET "Item not set:"
#define NO_SUCH_ITEM "Item does not exist:"

/* The names of one mode; what is there of the other mode is redundant. */
struct verify_mode {
	const char *uri, *ca, *certificate, *key;
	bool is_lwm2m; /* without bootstrap: the certificate names the account, too */
};

/* Keeps the identity of the bootstrap server's CA, once. */
bool verify_save_ca(struct gateway *gateway, struct outcome *outcome);
/* All checks, one after another. */
bool verify_gateway(struct gateway *gateway, struct outcome *outcome);

/* Parts of it. */
bool verify_device(const struct gateway *gateway, const struct verify_mode *mode, const struct verify_mode *other,
		   struct outcome *outcome);
bool verify_update(const struct gateway *gateway, struct outcome *outcome);

bool verify_find_parameter(const struct gateway *gateway, const char *name, struct span *ret_value);
void verify_warn_redundant(const struct gateway *gateway, enum store_kind kind, const char *name, struct outcome *outcome);
/* What stands behind "?aid=" or else "&aid=", to the end. FCC reads the URI as a C string. */
bool verify_find_account(struct span uri, struct span *ret_account);

#endif
