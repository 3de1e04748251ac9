/* SPDX-License-Identifier: Apache-2.0
 *
 * golden_records.h - the records whose exports are kept in golden/, byte for byte.
 */
#ifndef CONFORMANCE_GOLDEN_RECORDS_H
#define CONFORMANCE_GOLDEN_RECORDS_H

#include <pep/identity.h>

#define GOLDEN_RECORD_COUNT 5u
extern const struct pep_identity *const golden_records[GOLDEN_RECORD_COUNT];

#endif
