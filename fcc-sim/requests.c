/* SPDX-License-Identifier: Apache-2.0
 *
 * The group CsrReqs: for each entry a key is made and stored, and a request for its certificate goes into the answer.
 */
#include "fcc-sim/csr.h"
#include "fcc-sim/encode.h"
#include "fcc-sim/entry.h"

#include "core/base/cleanup.h"

#define REQUESTS_MAX 5u
#define MD_SHA256 1u

struct request {
	struct span key_name, subject;
	uint64_t digest;
	struct csr_wish wish;
	bool wants_public;
};

static bool take_number(const struct reader_item *value, uint64_t *ret_number, struct outcome *outcome)
{
	if (value->kind != READER_UINT)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	*ret_number = value->number;
	return true;
}

static bool read_extensions(const struct reader_item *map, struct csr_wish *wish, struct outcome *outcome)
{
	struct reader inside = map->inside;
	struct span name;
	struct reader_item value;
	uint64_t number = 0;

	if (map->kind != READER_MAP)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	while (!reader_at_end(&inside)) {
		if (!entry_take_field(&inside, &name, &value, outcome))
			return false;
		if (span_begins_word(name, "KU")) {
			if (!take_number(&value, &number, outcome))
				return false;
			wish->usage = (uint32_t)number;
		} else if (span_begins_word(name, "EKU")) {
			if (!take_number(&value, &number, outcome))
				return false;
			wish->extended_usage = (uint32_t)number;
		}
	}
	return true;
}

/* "Device"; there is no secure element here. */
static bool check_medium(const struct reader_item *value, struct outcome *outcome)
{
	if (value->kind != READER_TEXT)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	if (span_begins_word(value->string, "SE"))
		return outcome_fail_plain(outcome, STATUS_NOT_SUPPORTED);
	return span_begins_word(value->string, "Device") || outcome_fail_plain(outcome, STATUS_BUNDLE);
}

static bool read_media(const struct reader_item *map, bool *ret_wants_public, struct outcome *outcome)
{
	struct reader inside = map->inside;
	struct span name;
	struct reader_item value;

	if (map->kind != READER_MAP || map->indefinite || map->number < 1 || map->number > 2)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	*ret_wants_public = false;
	while (!reader_at_end(&inside)) {
		if (!entry_take_field(&inside, &name, &value, outcome))
			return false;
		if (span_begins_word(name, "Pub"))
			*ret_wants_public |= name.size > 1; /* "P" and "" are "Prv" */
		if (!span_begins_word(name, "Prv") && !span_begins_word(name, "Pub"))
			return outcome_fail_plain(outcome, STATUS_BUNDLE);
		if (!check_medium(&value, outcome))
			return false;
	}
	return map->number == 2 || !*ret_wants_public || outcome_fail_plain(outcome, STATUS_BUNDLE);
}

static bool read_field(struct span name, const struct reader_item *value, struct request *request, struct outcome *outcome)
{
	if (span_begins_word(name, "PrKN"))
		return entry_set(value, READER_TEXT, &request->key_name, outcome);
	if (span_begins_word(name, "Ext"))
		return read_extensions(value, &request->wish, outcome);
	if (span_begins_word(name, "Subj"))
		return entry_set(value, READER_TEXT, &request->subject, outcome);
	if (span_begins_word(name, "MD"))
		return take_number(value, &request->digest, outcome);
	if (span_begins_word(name, "SM"))
		return read_media(value, &request->wants_public, outcome);
	return outcome_fail_plain(outcome, STATUS_NOT_SUPPORTED);
}

static bool read_request(struct reader inside, struct request *ret_request, struct outcome *outcome)
{
	struct span name;
	struct reader_item value;

	while (!reader_at_end(&inside))
		if (!entry_take_field(&inside, &name, &value, outcome) || !read_field(name, &value, ret_request, outcome))
			return false;
	if (!ret_request->key_name.data || !ret_request->subject.data || ret_request->digest == 0)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	/* FCC makes a C string of it. */
	ret_request->wish.subject = ret_request->subject;
	ret_request->wish.subject.size = strnlen((const char *)ret_request->subject.data, ret_request->subject.size);
	return true;
}

/* All that can be wrong with the name of the new key; FCC names no item here. */
static bool check_name(const struct gateway *gateway, const struct request *request, struct outcome *outcome)
{
	enum store_verdict verdict = store_check_name(request->key_name);

	if (verdict == STORE_GOOD && (store_find(&gateway->store, STORE_PRIVATE_KEY, request->key_name) ||
				      (request->wants_public && store_find(&gateway->store, STORE_PUBLIC_KEY, request->key_name))))
		return outcome_fail(outcome, STATUS_EXISTS, "Desired generated key name already exists:", (struct span){0});
	return entry_stored(outcome, verdict, (struct span){0});
}

static bool store_pair(struct gateway *gateway, const struct request *request, struct span private_der,
		       const struct key_point *point, struct outcome *outcome)
{
	AUTO(buffer_fini) struct buffer public_der;
	struct span part;

	buffer_init(&public_der, 256);
	if (!entry_stored(outcome, store_add(&gateway->store, STORE_PRIVATE_KEY, request->key_name, &private_der, 1),
			  (struct span){0}))
		return false;
	if (!request->wants_public)
		return true;
	key_put_public(&public_der, point);
	part = (struct span){(const uint8_t *)public_der.data, public_der.size};
	return entry_stored(outcome, store_add(&gateway->store, STORE_PUBLIC_KEY, request->key_name, &part, 1), (struct span){0});
}

static bool append_csr(struct answer *answer, struct span key_name, const struct buffer *csr)
{
	encode_map_start(&answer->csrs);
	encode_text(&answer->csrs, span_text("PrKN"));
	encode_text(&answer->csrs, key_name);
	encode_text(&answer->csrs, span_text("Data"));
	encode_bytes(&answer->csrs, (struct span){(const uint8_t *)csr->data, csr->size});
	encode_break(&answer->csrs);
	answer->csr_count++;
	return !answer->csrs.failed;
}

static bool handle_request(struct gateway *gateway, struct reader inside, struct answer *answer)
{
	struct request request = {0};
	struct key_point point;
	AUTO(buffer_fini) struct buffer private_der;
	AUTO(buffer_fini) struct buffer csr;
	struct span private_span;

	buffer_init(&private_der, 1024);
	buffer_init(&csr, ANSWER_MAX_SIZE_CSR);
	if (!read_request(inside, &request, &answer->outcome) || !check_name(gateway, &request, &answer->outcome))
		return false;
	if (request.wish.extended_usage & ~(uint32_t)CSR_EXTENDED_USAGE_KNOWN)
		return outcome_fail_plain(&answer->outcome, STATUS_KCM);
	if ((uint32_t)request.digest != MD_SHA256)
		return outcome_fail_plain(&answer->outcome, STATUS_CRYPTO);
	if (gateway->fault.wrong_name)
		request.wish.common_name = "another-gateway";
	if (!key_generate(&private_der, &point))
		return outcome_fail_plain(&answer->outcome, STATUS_NO_MEMORY);
	private_span = (struct span){(const uint8_t *)private_der.data, private_der.size};
	if (!csr_put(&csr, &request.wish, private_span, &point))
		return outcome_fail_plain(&answer->outcome, csr.failed ? STATUS_KCM : STATUS_CRYPTO);
	return store_pair(gateway, &request, private_span, &point, &answer->outcome) &&
	       (append_csr(answer, request.key_name, &csr) || outcome_fail_plain(&answer->outcome, STATUS_KCM));
}

bool requests_handle(struct gateway *gateway, const struct reader_item *group, struct answer *answer)
{
	struct reader inside = group->inside;
	struct reader_item entry;

	if (group->kind != READER_ARRAY)
		return outcome_fail_plain(&answer->outcome, STATUS_BUNDLE);
	if (group->indefinite)
		return outcome_fail_plain(&answer->outcome, STATUS_RESPONSE);
	if (group->number > REQUESTS_MAX)
		return outcome_fail(&answer->outcome, STATUS_TOO_MANY_CSRS,
				    "Too many CSR requests. Maximum CSR requests supported is CSR_MAX_NUMBER_OF_CSRS",
				    (struct span){0});
	while (!reader_at_end(&inside)) {
		if (!reader_take(&inside, &entry) || entry.kind != READER_MAP)
			return outcome_fail_plain(&answer->outcome, STATUS_BUNDLE);
		if (!handle_request(gateway, entry.inside, answer))
			return false;
	}
	return true;
}
