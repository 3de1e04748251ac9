/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/entry.h"
#include "fcc-sim/key.h"

struct key_entry {
	struct span name, type, format, data;
};

static bool read_key(struct reader inside, struct key_entry *ret_entry, struct outcome *outcome)
{
	struct span name;
	struct reader_item value;
	bool good;

	while (!reader_at_end(&inside)) {
		if (!entry_take_field(&inside, &name, &value, outcome))
			return false;
		if (span_begins_word(name, "Name"))
			good = entry_set(&value, READER_TEXT, &ret_entry->name, outcome);
		else if (span_begins_word(name, "Type"))
			good = entry_set(&value, READER_TEXT, &ret_entry->type, outcome);
		else if (span_begins_word(name, "Format"))
			good = entry_set(&value, READER_TEXT, &ret_entry->format, outcome);
		else if (span_begins_word(name, "Data"))
			good = entry_set(&value, READER_BYTES, &ret_entry->data, outcome);
		else
			good = outcome_fail_plain(outcome, STATUS_NOT_SUPPORTED);
		if (!good)
			return false;
	}
	if (!ret_entry->name.data || !ret_entry->type.data)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	return true;
}

bool entry_key(struct gateway *gateway, struct reader inside, struct outcome *outcome)
{
	struct key_entry entry = {0};
	struct key_point point;
	enum key_verdict verdict;
	bool is_private;

	if (!read_key(inside, &entry, outcome))
		return false;
	is_private = span_begins_word(entry.type, "ECCPrivate");
	if (!is_private && !span_begins_word(entry.type, "ECCPublic"))
		return outcome_fail_plain(outcome, STATUS_NOT_SUPPORTED);
	if (!entry_check_format(entry.format, outcome))
		return false;
	if (entry.data.size == 0)
		return outcome_fail(outcome, STATUS_KCM_STORAGE, "Item data empty:", entry.name);
	verdict = is_private ? key_read_private(entry.data, &point) : key_read_public(entry.data, &point);
	if (verdict == KEY_UNREADABLE)
		return outcome_fail(outcome, STATUS_KCM, NULL, entry.name);
	if (verdict == KEY_WRONG_CURVE)
		return outcome_fail(outcome, STATUS_CRYPTO, "Public key format invalid:", entry.name);
	return entry_stored(
		outcome, store_add(&gateway->store, is_private ? STORE_PRIVATE_KEY : STORE_PUBLIC_KEY, entry.name, &entry.data, 1),
		entry.name);
}
