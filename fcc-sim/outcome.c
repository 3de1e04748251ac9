/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/outcome.h"

/* Longer texts do not fit the answer anyway. */
#define TEXT_LIMIT 8192u

void outcome_init(struct outcome *outcome)
{
	outcome->status = STATUS_SUCCESS;
	buffer_init(&outcome->info, TEXT_LIMIT);
	buffer_init(&outcome->warnings, TEXT_LIMIT);
}

void outcome_fini(struct outcome *outcome)
{
	buffer_fini(&outcome->info);
	buffer_fini(&outcome->warnings);
}

void outcome_clear(struct outcome *outcome)
{
	outcome_fini(outcome);
}

bool outcome_fail(struct outcome *outcome, enum return_status status, const char *phrase, struct span item)
{
	outcome->status = status;
	if (outcome->info.size > 0)
		return false;
	buffer_text(&outcome->info, phrase ? phrase : "General error:");
	/* FCC builds a C string of it. */
	if (item.data)
		buffer_append(&outcome->info, item.data, strnlen((const char *)item.data, item.size));
	return false;
}

bool outcome_fail_plain(struct outcome *outcome, enum return_status status)
{
	outcome->status = status;
	return false;
}

void outcome_warn(struct outcome *outcome, const char *phrase, const char *item)
{
	buffer_text(&outcome->warnings, phrase);
	buffer_text(&outcome->warnings, item);
	buffer_byte(&outcome->warnings, '\n');
}

struct span outcome_info(const struct outcome *outcome)
{
	if (outcome->status == STATUS_SUCCESS)
		return span_text("The Factory process succeeded\n");
	if (outcome->info.size == 0)
		return span_text("General error:");
	return (struct span){(const uint8_t *)outcome->info.data, outcome->info.size};
}
