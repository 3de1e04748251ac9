/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/cleanup.h"
#include "fcc-sim/certificate.h"
#include "fcc-sim/entry.h"

struct certificate_entry {
	struct span name, key_name, format;
	struct span parts[STORE_PARTS_MAX];
	size_t part_count;
};

static bool read_chain(const struct reader_item *value, struct certificate_entry *entry, struct outcome *outcome)
{
	struct reader inside = value->inside;
	struct reader_item part;

	entry->part_count = 0;
	if (value->kind != READER_ARRAY || value->indefinite || value->number < 1 || value->number > STORE_PARTS_MAX)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	while (entry->part_count < value->number) {
		if (!reader_take(&inside, &part))
			return outcome_fail_plain(outcome, STATUS_BUNDLE);
		if (!entry_set_named(&part, READER_BYTES, entry->name, &entry->parts[entry->part_count], outcome))
			return false;
		entry->part_count++;
	}
	return true;
}

static bool read_data(const struct reader_item *value, struct certificate_entry *entry, struct outcome *outcome)
{
	entry->part_count = 1;
	return entry_set_named(value, READER_BYTES, entry->name, &entry->parts[0], outcome);
}

static bool read_certificate(struct reader inside, bool is_chain, struct certificate_entry *ret_entry, struct outcome *outcome)
{
	struct span name;
	struct reader_item value;
	bool good;

	while (!reader_at_end(&inside)) {
		if (!entry_take_field(&inside, &name, &value, outcome))
			return false;
		if (span_begins_word(name, "Name"))
			good = entry_set(&value, READER_TEXT, &ret_entry->name, outcome);
		else if (span_begins_word(name, "PrKN"))
			good = entry_set_named(&value, READER_TEXT, ret_entry->name, &ret_entry->key_name, outcome);
		else if (span_begins_word(name, "Format"))
			good = entry_set_named(&value, READER_TEXT, ret_entry->name, &ret_entry->format, outcome);
		else if (!is_chain && span_begins_word(name, "Data"))
			good = read_data(&value, ret_entry, outcome);
		else if (is_chain && span_begins_word(name, "DataArray"))
			good = read_chain(&value, ret_entry, outcome);
		else
			good = outcome_fail_plain(outcome, STATUS_NOT_SUPPORTED);
		if (!good)
			return false;
	}
	if (!ret_entry->name.data || ret_entry->part_count == 0)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	return true;
}

/* A certificate whose key was made here must fit it; otherwise nothing of the entry is stored. */
static bool check_own_key(const struct gateway *gateway, const struct certificate_entry *entry, struct outcome *outcome)
{
	const struct store_item *key = store_find(&gateway->store, STORE_PRIVATE_KEY, entry->key_name);
	AUTO(certificate_free) struct certificate *certificate = NULL;
	enum certificate_verdict verdict = certificate_read(entry->parts[0], &certificate);
	struct key_point mine, theirs;

	if (verdict == CERTIFICATE_EMPTY || entry->key_name.size == 0)
		return outcome_fail(outcome, STATUS_KEY_MISMATCH, NULL, entry->name);
	if (verdict == CERTIFICATE_UNREADABLE)
		return outcome_fail(outcome, STATUS_KEY_MISMATCH, "Certificate parse failed:", entry->name);
	if (!key)
		return outcome_fail(outcome, STATUS_KEY_MISMATCH, "Item does not exist:", entry->key_name);
	if (verdict == CERTIFICATE_GOOD && key_read_private(key->parts[0], &mine) == KEY_GOOD) {
		certificate_point(certificate, &theirs);
		if (memcmp(&mine, &theirs, sizeof(mine)) == 0)
			return true;
	}
	return outcome_fail(outcome, STATUS_KEY_MISMATCH, "Self-generated certificate validation failed:", entry->name);
}

static bool check_part(struct span der, struct certificate **ret_certificate, struct span name, bool is_chain,
		       struct outcome *outcome)
{
	switch (certificate_read(der, ret_certificate)) {
	case CERTIFICATE_GOOD:
		return true;
	case CERTIFICATE_EMPTY:
		return is_chain ? outcome_fail(outcome, STATUS_KCM, NULL, name)
				: outcome_fail(outcome, STATUS_KCM_STORAGE, "Item data empty:", name);
	case CERTIFICATE_UNREADABLE:
		return outcome_fail(outcome, STATUS_CRYPTO, "Certificate parse failed:", name);
	case CERTIFICATE_UNFIT:
	default:
		return outcome_fail(outcome, STATUS_CRYPTO, NULL, name);
	}
}

static bool check_parts(const struct certificate_entry *entry, bool is_chain, struct outcome *outcome)
{
	AUTO(certificate_free) struct certificate *before = NULL;

	for (size_t i = 0; i < entry->part_count; i++) {
		struct certificate *certificate = NULL;
		bool fits;

		if (!check_part(entry->parts[i], &certificate, entry->name, is_chain, outcome))
			return false;
		fits = !before || certificate_is_signed_by(before, certificate);
		certificate_free(&before);
		before = certificate;
		if (!fits)
			return outcome_fail(outcome, STATUS_CRYPTO, "Chain validation error:", entry->name);
	}
	return true;
}

/* A chain is begun under its name before its certificates are looked at, and every error of that is status 15. */
static bool begin_chain(const struct gateway *gateway, struct span name, struct outcome *outcome)
{
	enum store_verdict verdict = store_check_name(name);

	if (verdict == STORE_GOOD && store_find(&gateway->store, STORE_CERTIFICATE, name))
		verdict = STORE_EXISTS;
	return entry_stored(outcome, verdict, name) || outcome_fail_plain(outcome, STATUS_KCM);
}

bool entry_certificate(struct gateway *gateway, struct reader inside, bool is_chain, struct outcome *outcome)
{
	struct certificate_entry entry = {0};

	if (!read_certificate(inside, is_chain, &entry, outcome) || !entry_check_format(entry.format, outcome) ||
	    (entry.key_name.data && !check_own_key(gateway, &entry, outcome)) ||
	    (is_chain && !begin_chain(gateway, entry.name, outcome)) || !check_parts(&entry, is_chain, outcome))
		return false;
	return entry_stored(outcome, store_add(&gateway->store, STORE_CERTIFICATE, entry.name, entry.parts, entry.part_count),
			    entry.name);
}
