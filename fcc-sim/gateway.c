/* SPDX-License-Identifier: Apache-2.0
 *
 * One message: which groups there are, in which order they are done, and where the first error ends it.
 */
#include "fcc-sim/gateway.h"

#include "core/base/clock.h"
#include "fcc-sim/entry.h"
#include "fcc-sim/verify.h"

#define TOP_KEYS_MAX 12u
#define ENTROPY_SIZE 48u
#define ROT_SIZE 16u

struct bundle {
	struct reader top; /* what the top map holds */
	const uint8_t *end;
	bool verify, disable, keep_alive, has_requests;
	struct reader_item requests;
};

bool gateway_init(struct gateway *gateway, const char *folder, const struct fault *fault)
{
	*gateway = (struct gateway){.fault = *fault, .session_finished = true};
	return store_open(&gateway->store, folder);
}

void gateway_fini(struct gateway *gateway)
{
	store_close(&gateway->store);
}

uint64_t gateway_clock(const struct gateway *gateway)
{
	return gateway->clock_s ? gateway->clock_s + (uint64_t)(clock_boot_ms() - gateway->clock_set_ms) / 1000 : 0;
}

/* The value of the first key that is exactly this text. */
static bool find_key(struct reader top, const char *key, struct reader_item *ret_value)
{
	struct reader_item name;

	while (reader_take(&top, &name) && reader_take(&top, ret_value))
		if (name.kind == READER_TEXT && span_equal(name.string, span_text(key)))
			return true;
	return false;
}

static bool open_bundle(struct span message, struct bundle *ret_bundle, struct outcome *outcome)
{
	struct reader reader = {message.data, message.data + message.size};
	struct reader_item top = {0};

	if (!reader_is_whole(message.data, message.size) || !reader_take(&reader, &top) || top.kind != READER_MAP ||
	    top.indefinite || top.number > TOP_KEYS_MAX)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	*ret_bundle = (struct bundle){.top = top.inside, .end = reader.end, .verify = true};
	return true;
}

static bool check_scheme(const struct bundle *bundle, struct outcome *outcome)
{
	struct reader_item value;

	if (find_key(bundle->top, "SchemeVersion", &value) && (value.kind == READER_TEXT || value.kind == READER_BYTES) &&
	    span_equal(value.string, span_text("0.0.1")))
		return true;
	return outcome_fail_plain(outcome, STATUS_SCHEME);
}

/* Entropy and ROT: taken before anything else, each once in the life of the process. */
static bool take_seed(const struct bundle *bundle, const char *key, const char *item, size_t size, bool *ret_has,
		      struct outcome *outcome)
{
	struct reader_item value;

	if (!find_key(bundle->top, key, &value))
		return true;
	if (value.kind != READER_BYTES)
		return outcome_fail(outcome, STATUS_BUNDLE, NULL, span_text(item));
	if (value.string.size != size)
		return outcome_fail(outcome, STATUS_PARAMETER, NULL, span_text(item));
	if (*ret_has && size == ENTROPY_SIZE)
		return outcome_fail(outcome, STATUS_ENTROPY, "Entropy error:", span_text(item));
	if (*ret_has)
		return outcome_fail(outcome, STATUS_ROT, "Root of trust error:", span_text(item));
	*ret_has = true;
	return true;
}

/* Booleans are the integers 0 and 1. */
static bool take_flag(const struct reader_item *value, const char *key, enum return_status status, bool *ret_flag,
		      struct outcome *outcome)
{
	if (value->kind != READER_UINT || value->number > 1)
		return outcome_fail(outcome, status, NULL, span_text(key));
	*ret_flag = value->number == 1;
	return true;
}

static bool take_sid(const struct reader_item *value, struct answer *answer)
{
	if (value->kind != READER_TEXT)
		return outcome_fail(&answer->outcome, STATUS_BUNDLE, NULL, span_text("SID"));
	answer->has_sid = true;
	answer->sid = value->string;
	return true;
}

enum group { GROUP_KEYS, GROUP_CERTIFICATES, GROUP_CHAINS, GROUP_PARAMETERS };

static bool handle_entry(struct gateway *gateway, const struct bundle *bundle, enum group group, struct reader inside,
			 struct outcome *outcome)
{
	switch (group) {
	case GROUP_KEYS:
		return entry_key(gateway, inside, outcome);
	case GROUP_CERTIFICATES:
		return entry_certificate(gateway, inside, false, outcome);
	case GROUP_CHAINS:
		return entry_certificate(gateway, inside, true, outcome);
	case GROUP_PARAMETERS:
	default:
		return entry_parameter(gateway, inside, bundle->end, outcome);
	}
}

static bool handle_entries(struct gateway *gateway, const struct bundle *bundle, enum group group, const struct reader_item *array,
			   struct outcome *outcome)
{
	struct reader inside = array->inside;
	struct reader_item entry;

	if (array->kind != READER_ARRAY)
		return outcome_fail_plain(outcome, STATUS_BUNDLE);
	while (!reader_at_end(&inside)) {
		if (!reader_take(&inside, &entry) || entry.kind != READER_MAP)
			return outcome_fail_plain(outcome, STATUS_BUNDLE);
		if (!handle_entry(gateway, bundle, group, entry.inside, outcome))
			return false;
	}
	return true;
}

/* The order of the words decides what a beginning of several of them means. */
static bool handle_group(struct gateway *gateway, struct bundle *bundle, struct span name, const struct reader_item *value,
			 struct answer *answer)
{
	struct outcome *outcome = &answer->outcome;

	if (span_begins_word(name, "SchemeVersion") || span_begins_word(name, "Entropy") || span_begins_word(name, "ROT"))
		return true;
	if (span_begins_word(name, "Keys"))
		return handle_entries(gateway, bundle, GROUP_KEYS, value, outcome);
	if (span_begins_word(name, "Certificates"))
		return handle_entries(gateway, bundle, GROUP_CERTIFICATES, value, outcome);
	if (span_begins_word(name, "CertificateChains"))
		return handle_entries(gateway, bundle, GROUP_CHAINS, value, outcome);
	if (span_begins_word(name, "ConfigParams"))
		return handle_entries(gateway, bundle, GROUP_PARAMETERS, value, outcome);
	if (span_begins_word(name, "Verify"))
		return take_flag(value, "Verify", STATUS_BUNDLE, &bundle->verify, outcome);
	if (span_begins_word(name, "Disable"))
		return take_flag(value, "Disable", STATUS_BUNDLE, &bundle->disable, outcome);
	if (span_begins_word(name, "KpAlvSess"))
		return take_flag(value, "KpAlvSess", STATUS_KEEP_ALIVE, &bundle->keep_alive, outcome);
	if (span_begins_word(name, "SID"))
		return take_sid(value, answer);
	if (span_begins_word(name, "CsrReqs")) {
		bundle->has_requests = true;
		bundle->requests = *value;
		return true;
	}
	return outcome_fail_plain(outcome, STATUS_UNKNOWN_GROUP);
}

static bool handle_groups(struct gateway *gateway, struct bundle *bundle, struct answer *answer)
{
	struct reader top = bundle->top;
	struct reader_item name, value;

	while (!reader_at_end(&top)) {
		if (!reader_take(&top, &name) || name.kind != READER_TEXT || !reader_take(&top, &value))
			return outcome_fail_plain(&answer->outcome, STATUS_BUNDLE);
		if (!handle_group(gateway, bundle, name.string, &value, answer))
			return false;
	}
	return true;
}

static bool handle_requests(struct gateway *gateway, const struct bundle *bundle, struct answer *answer)
{
	if (!answer->has_sid || bundle->verify || bundle->disable)
		return outcome_fail_plain(&answer->outcome, STATUS_BUNDLE);
	answer->csr_stage = true;
	return requests_handle(gateway, &bundle->requests, answer);
}

/* What comes after the groups. */
static void finish(struct gateway *gateway, const struct bundle *bundle, struct answer *answer)
{
	gateway->session_finished = !bundle->keep_alive;
	if (bundle->disable && bundle->keep_alive) {
		(void)outcome_fail_plain(&answer->outcome, STATUS_KEEP_ALIVE);
		return;
	}
	if (bundle->has_requests && !handle_requests(gateway, bundle, answer))
		return;
	if (gateway->session_finished && !verify_save_ca(gateway, &answer->outcome))
		return;
	if (bundle->verify && !verify_gateway(gateway, &answer->outcome))
		return;
	gateway->is_disabled |= bundle->disable;
}

static bool begin(struct gateway *gateway, struct span message, struct bundle *ret_bundle, struct outcome *outcome)
{
	return open_bundle(message, ret_bundle, outcome) && check_scheme(ret_bundle, outcome) &&
	       take_seed(ret_bundle, "Entropy", "entropy", ENTROPY_SIZE, &gateway->has_entropy, outcome) &&
	       take_seed(ret_bundle, "ROT", "rot", ROT_SIZE, &gateway->has_rot, outcome);
}

void gateway_handle(struct gateway *gateway, struct span message, struct answer *answer)
{
	struct bundle bundle = {0};

	gateway->message_count++;
	/* Whatever the message turns out to be. */
	if (!gateway->was_erased)
		store_erase(&gateway->store);
	gateway->was_erased = true;
	if (!begin(gateway, message, &bundle, &answer->outcome))
		return;
	if (gateway->fault.disabled || gateway->is_disabled) {
		answer->is_closed = true;
		return;
	}
	if (gateway->fault.refuse_status && gateway->fault.refuse_message == gateway->message_count) {
		(void)outcome_fail_plain(&answer->outcome, gateway->fault.refuse_status);
		return;
	}
	if (handle_groups(gateway, &bundle, answer))
		finish(gateway, &bundle, answer);
}
