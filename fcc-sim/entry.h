/* SPDX-License-Identifier: Apache-2.0
 *
 * entry.h - the entries of the groups Keys, Certificates, CertificateChains, ConfigParams and CsrReqs: read, checked, stored. All of them return
 * false with the outcome set where they fail.
 */
#ifndef FCC_SIM_ENTRY_H
#define FCC_SIM_ENTRY_H

#include "fcc-sim/gateway.h"

/* `inside` is what the entry's map holds. */
bool entry_key(struct gateway *gateway, struct reader inside, struct outcome *outcome);
bool entry_certificate(struct gateway *gateway, struct reader inside, bool is_chain, struct outcome *outcome);
/* `end` is that of the whole message: FCC reads some values beyond their own end. */
bool entry_parameter(struct gateway *gateway, struct reader inside, const uint8_t *end, struct outcome *outcome);

/* The whole group CsrReqs: keys are made and stored, requests appended to the answer. */
bool requests_handle(struct gateway *gateway, const struct reader_item *group, struct answer *answer);

/* What they share. */

/* The next pair of a map whose keys must be text. */
bool entry_take_field(struct reader *inside, struct span *ret_name, struct reader_item *ret_value, struct outcome *outcome);
/* A string of this kind, or status 20 without a name. */
bool entry_set(const struct reader_item *value, enum reader_kind kind, struct span *ret_string, struct outcome *outcome);
/* The same, naming the entry as far as its name was read before. */
bool entry_set_named(const struct reader_item *value, enum reader_kind kind, struct span entry_name, struct span *ret_string,
		     struct outcome *outcome);
/* "der", a beginning of it, or none. */
bool entry_check_format(struct span format, struct outcome *outcome);
/* What FCC says of the store's verdict on this item. True: STORE_GOOD. */
bool entry_stored(struct outcome *outcome, enum store_verdict verdict, struct span name);

#endif
