/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificates and the key of the device, and what it needs for updates.
 */
#include "fcc-sim/certificate.h"
#include "fcc-sim/verify.h"

#include "core/base/cleanup.h"

#define VALIDITY_MIN_S 315360000 /* ten years */
#define CLOCK_SLACK_S 60
#define UUID_SIZE 16u

static const char endpoint_name[] = "mbed.EndpointName";

static bool fail_name(struct outcome *outcome, const char *item)
{
	return outcome_fail(outcome, STATUS_NAME_MISMATCH, "Certificate CN attribute invalid:", span_text(item));
}

static bool check_common_name(const struct gateway *gateway, const struct certificate *certificate, const char *item,
			      struct outcome *outcome)
{
	struct span name, endpoint = {0};

	if (!certificate_subject(certificate, CERTIFICATE_CN, &name))
		return outcome_fail(outcome, STATUS_ATTRIBUTE, NULL, span_text(item));
	if (!verify_find_parameter(gateway, endpoint_name, &endpoint) || !span_equal(name, endpoint) || gateway->fault.wrong_name)
		return fail_name(outcome, item);
	return true;
}

/* The first OU is the account that the URI names. */
static bool check_account(const struct gateway *gateway, const struct certificate *certificate, const struct verify_mode *mode,
			  struct outcome *outcome)
{
	struct span unit, uri, account;

	if (!certificate_subject(certificate, CERTIFICATE_OU, &unit))
		return outcome_fail(outcome, STATUS_ATTRIBUTE, NULL, span_text(mode->certificate));
	if (!verify_find_parameter(gateway, mode->uri, &uri) || !verify_find_account(uri, &account) || account.size < unit.size)
		return outcome_fail(outcome, STATUS_URI, "URI format incorrect:", span_text(mode->certificate));
	return span_equal(unit, account) || fail_name(outcome, mode->certificate);
}

static bool check_validity(const struct gateway *gateway, const struct certificate *certificate, const char *item,
			   struct outcome *outcome)
{
	uint64_t now = gateway_clock(gateway);
	int64_t from = certificate_valid_from(certificate), until = certificate_valid_until(certificate);

	if (now == 0) {
		outcome_warn(outcome, "Certificate validity cannot be checked:", item);
		return true;
	}
	if (until < 0 || now > (uint64_t)until)
		return outcome_fail(outcome, STATUS_EXPIRED, "Certificate expired:", span_text(item));
	if (from >= 0 && now + CLOCK_SLACK_S < (uint64_t)from)
		outcome_warn(outcome, "Certificate validity cannot be checked:", item);
	if ((uint64_t)until - now < VALIDITY_MIN_S)
		outcome_warn(outcome, "Certificate validity is less than 10 years:", item);
	return true;
}

static bool check_validities(const struct gateway *gateway, const struct store_item *item, const char *name,
			     struct outcome *outcome)
{
	for (size_t i = 0; i < item->part_count; i++) {
		AUTO(certificate_free) struct certificate *certificate = NULL;

		if (certificate_read(item->parts[i], &certificate) != CERTIFICATE_GOOD)
			return outcome_fail(outcome, STATUS_CRYPTO, "Certificate parse failed:", span_text(name));
		if (!check_validity(gateway, certificate, name, outcome))
			return false;
	}
	return true;
}

static bool check_leaf(const struct gateway *gateway, const struct certificate *certificate, const struct store_item *key,
		       const struct verify_mode *mode, const struct verify_mode *other, struct outcome *outcome)
{
	struct key_point mine, theirs;

	certificate_point(certificate, &theirs);
	if (key_read_private(key->parts[0], &mine) != KEY_GOOD || memcmp(&mine, &theirs, sizeof(mine)) != 0)
		return outcome_fail(outcome, STATUS_KEY_MISMATCH,
				    "Certificate public key validation failed:", span_text(mode->certificate));
	verify_warn_redundant(gateway, STORE_CERTIFICATE, other->certificate, outcome);
	if (!certificate_allows_client(certificate))
		return outcome_fail(outcome, STATUS_CERTIFICATE, "Certificate invalid:", span_text(mode->certificate));
	if (!check_common_name(gateway, certificate, mode->certificate, outcome) ||
	    (mode->is_lwm2m && !check_account(gateway, certificate, mode, outcome)))
		return false;
	if (certificate_is_self_signed(certificate))
		outcome_warn(outcome, "Certificate is self signed:", mode->certificate);
	return true;
}

bool verify_device(const struct gateway *gateway, const struct verify_mode *mode, const struct verify_mode *other,
		   struct outcome *outcome)
{
	const struct store_item *key = store_find_text(&gateway->store, STORE_PRIVATE_KEY, mode->key);
	const struct store_item *item = store_find_text(&gateway->store, STORE_CERTIFICATE, mode->certificate);
	AUTO(certificate_free) struct certificate *leaf = NULL;

	if (!key)
		return outcome_fail(outcome, STATUS_ITEM_MISSING, NO_SUCH_ITEM, span_text(mode->key));
	verify_warn_redundant(gateway, STORE_PRIVATE_KEY, other->key, outcome);
	if (!item)
		return outcome_fail(outcome, STATUS_ITEM_MISSING, NO_SUCH_ITEM, span_text(mode->certificate));
	if (certificate_read(item->parts[0], &leaf) != CERTIFICATE_GOOD)
		return outcome_fail(outcome, STATUS_CRYPTO, "Certificate parse failed:", span_text(mode->certificate));
	return check_leaf(gateway, leaf, key, mode, other, outcome) && check_validities(gateway, item, mode->certificate, outcome);
}

bool verify_update(const struct gateway *gateway, struct outcome *outcome)
{
	static const char certificate_name[] = "mbed.UpdateAuthCert";
	static const char *const uuid_names[] = {"mbed.ClassId", "mbed.VendorId"};
	const struct store_item *item = store_find_text(&gateway->store, STORE_CERTIFICATE, certificate_name);
	struct span value;

	if (!item)
		outcome_warn(outcome, NOT_SET, certificate_name);
	else if (!check_validities(gateway, item, certificate_name, outcome))
		return false;
	for (size_t i = 0; i < sizeof(uuid_names) / sizeof(uuid_names[0]); i++) {
		if (!verify_find_parameter(gateway, uuid_names[i], &value))
			outcome_warn(outcome, NOT_SET, uuid_names[i]);
		else if (value.size != UUID_SIZE)
			return outcome_fail(outcome, STATUS_ITEM_SIZE, "Item size is wrong:", span_text(uuid_names[i]));
	}
	return true;
}
