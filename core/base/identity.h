/* SPDX-License-Identifier: Apache-2.0
 *
 * identity.h - small help with records: deep copy, names of states.
 */
#ifndef CORE_BASE_IDENTITY_H
#define CORE_BASE_IDENTITY_H

#include "core/base/arena.h"

#include <pep/identity.h>

/* A deep copy in the arena; NULL: out of memory. */
struct pep_identity *identity_copy(struct arena *arena, const struct pep_identity *id);
/* "claimed", "contacted", "issued", "deployed", "failed", "in_doubt", "retired"; "none" for 0. */
const char *identity_state_name(uint32_t state);
/* The other way round; 0: no such state. */
uint32_t identity_state_from_name(const char *name);

#endif
