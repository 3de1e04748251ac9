/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/entry.h"

bool entry_take_field(struct reader *inside, struct span *ret_name, struct reader_item *ret_value, struct outcome *outcome)
{
	struct reader_item name;

	if (!reader_take(inside, &name) || name.kind != READER_TEXT || !reader_take(inside, ret_value))
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	*ret_name = name.string;
	return true;
}

bool entry_set(const struct reader_item *value, enum reader_kind kind, struct span *ret_string, struct outcome *outcome)
{
	if (value->kind != kind)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	*ret_string = value->string;
	return true;
}

bool entry_stored(struct outcome *outcome, enum store_verdict verdict, struct span name)
{
	switch (verdict) {
	case STORE_GOOD:
		return true;
	case STORE_NAME_INVALID:
		return outcome_fail(outcome, STATUS_KCM_STORAGE, "File name invalid:", name);
	case STORE_NAME_TOO_LONG:
		return outcome_fail(outcome, STATUS_KCM_STORAGE, "File name too long:", name);
	case STORE_EXISTS:
		return outcome_fail(outcome, STATUS_EXISTS, "Data already exists:", name);
	case STORE_FAILED:
		return outcome_fail(outcome, STATUS_KCM_STORAGE, "File operation general error:", name);
	case STORE_NAME_EMPTY:
	default:
		return outcome_fail(outcome, STATUS_KCM, NULL, name);
	}
}

bool entry_check_format(struct span format, struct outcome *outcome)
{
	return !format.data || span_begins_word(format, "der") || outcome_fail_plain(outcome, STATUS_NOT_SUPPORTED);
}

bool entry_set_named(const struct reader_item *value, enum reader_kind kind, struct span entry_name, struct span *ret_string,
		     struct outcome *outcome)
{
	if (value->kind == kind) {
		*ret_string = value->string;
		return true;
	}
	return entry_name.data ? outcome_fail(outcome, STATUS_BUNDLE, NULL, entry_name)
			       : outcome_fail_plain(outcome, STATUS_BUNDLE);
}
