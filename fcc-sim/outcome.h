/* SPDX-License-Identifier: Apache-2.0
 *
 * outcome.h - how a message ended: FCC's ReturnStatus, and the texts of InfoMessage and WarningInfo.
 */
#ifndef FCC_SIM_OUTCOME_H
#define FCC_SIM_OUTCOME_H

#include "core/base/buffer.h"
#include "fcc-sim/span.h"

enum return_status {
	STATUS_SUCCESS = 0,
	STATUS_ERROR = 1,
	STATUS_NO_MEMORY = 2,
	STATUS_PARAMETER = 3,
	STATUS_ROT = 7,
	STATUS_ENTROPY = 8,
	STATUS_CERTIFICATE = 10,
	STATUS_ATTRIBUTE = 11,
	STATUS_EXPIRED = 13,
	STATUS_NAME_MISMATCH = 14,
	STATUS_KCM = 15,
	STATUS_KCM_STORAGE = 16,
	STATUS_EXISTS = 17,
	STATUS_CRYPTO = 18,
	STATUS_BUNDLE = 20,
	STATUS_RESPONSE = 21,
	STATUS_UNKNOWN_GROUP = 23,
	STATUS_SCHEME = 24,
	STATUS_ITEM_MISSING = 25,
	STATUS_ITEM_EMPTY = 26,
	STATUS_ITEM_SIZE = 27,
	STATUS_URI = 28,
	STATUS_FIRST_TO_CLAIM = 29,
	STATUS_BOOTSTRAP_MODE = 30,
	STATUS_UTC_OFFSET = 33,
	STATUS_KEY_MISMATCH = 34,
	STATUS_KEEP_ALIVE = 35,
	STATUS_TOO_MANY_CSRS = 36,
	STATUS_NOT_SUPPORTED = 37,
	STATUS_MAX = 37,
};

struct outcome {
	uint32_t status;
	struct buffer info; /* empty: nothing was said yet */
	struct buffer warnings;
};

void outcome_init(struct outcome *outcome);
void outcome_fini(struct outcome *outcome);
/* Forgets what was said, as FCC does where verification begins. */
void outcome_clear(struct outcome *outcome);

/* Puts the status down; "phrase:item" only if nothing was said before. `phrase` NULL: "General error:". `item` may be without data.
 * Always false, so that a check can end with it. */
bool outcome_fail(struct outcome *outcome, enum return_status status, const char *phrase, struct span item);
/* The status alone; the text becomes "General error:" unless one was recorded. Always false. */
bool outcome_fail_plain(struct outcome *outcome, enum return_status status);
void outcome_warn(struct outcome *outcome, const char *phrase, const char *item);

/* InfoMessage as it is sent. Lives as long as the outcome is not touched. */
struct span outcome_info(const struct outcome *outcome);

#endif
