/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/identity.h"

#include "core/base/text.h"

#include <string.h>

/* Where the texts of a record stand: they are its last members, one after the other. */
#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))

struct pep_identity *identity_copy(struct arena *arena, const struct pep_identity *id)
{
	struct pep_identity *copy = arena_alloc(arena, sizeof(*copy));
	const char **text;

	if (!copy)
		return NULL;
	*copy = *id;
	text = &copy->serial;
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		if (!text[i])
			continue;
		text[i] = arena_text(arena, text[i]);
		if (!text[i])
			return NULL;
	}
	return copy;
}

static const char *const state_names[] = {
	[0] = "none",
	[PEP_CLAIMED] = "claimed",
	[PEP_CONTACTED] = "contacted",
	[PEP_ISSUED] = "issued",
	[PEP_DEPLOYED] = "deployed",
	[PEP_FAILED] = "failed",
	[PEP_IN_DOUBT] = "in_doubt",
	[PEP_RETIRED] = "retired",
};

const char *identity_state_name(uint32_t state)
{
	return state < sizeof(state_names) / sizeof(state_names[0]) ? state_names[state] : "none";
}

uint32_t identity_state_from_name(const char *name)
{
	for (uint32_t state = PEP_CLAIMED; state <= PEP_RETIRED; state++)
		if (text_equal(name, state_names[state]))
			return state;
	return 0;
}
