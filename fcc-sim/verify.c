/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the gateway ready to meet its servers? The order of the checks is FCC's: it decides which error is told and the order of warnings.
 */
#include "fcc-sim/verify.h"
#include "fcc-sim/certificate.h"

#include "core/base/cleanup.h"

#define UTC_OFFSET_SIZE 6u

static const char use_bootstrap_name[] = "mbed.UseBootstrap";
static const char endpoint_name[] = "mbed.EndpointName";
static const char first_to_claim_name[] = "mbed.FirstToClaim";

static const struct verify_mode bootstrap_mode = {"mbed.BootstrapServerURI", "mbed.BootstrapServerCACert",
						  "mbed.BootstrapDeviceCert", "mbed.BootstrapDevicePrivateKey", false};
static const struct verify_mode lwm2m_mode = {"mbed.LwM2MServerURI", "mbed.LwM2MServerCACert", "mbed.LwM2MDeviceCert",
					      "mbed.LwM2MDevicePrivateKey", true};

bool verify_find_parameter(const struct gateway *gateway, const char *name, struct span *ret_value)
{
	const struct store_item *item = store_find_text(&gateway->store, STORE_PARAMETER, name);

	if (item)
		*ret_value = item->parts[0];
	return item != NULL;
}

void verify_warn_redundant(const struct gateway *gateway, enum store_kind kind, const char *name, struct outcome *outcome)
{
	if (store_find_text(&gateway->store, kind, name))
		outcome_warn(outcome, "Item redundant:", name);
}

static const struct verify_mode *fail_mode(struct outcome *outcome, enum return_status status, const char *phrase)
{
	(void)outcome_fail(outcome, status, phrase, span_text(use_bootstrap_name));
	return NULL;
}

/* The mode that mbed.UseBootstrap asks for. NULL: the outcome says why not. */
static const struct verify_mode *find_mode(const struct gateway *gateway, struct outcome *outcome)
{
	struct span value;
	uint32_t number;

	if (!verify_find_parameter(gateway, use_bootstrap_name, &value))
		return fail_mode(outcome, STATUS_ITEM_MISSING, NO_SUCH_ITEM);
	if (value.size != sizeof(number))
		return fail_mode(outcome, STATUS_ITEM_SIZE, "Item size is wrong:");
	memcpy(&number, value.data, sizeof(number));
	if (number > 1)
		return fail_mode(outcome, STATUS_BOOTSTRAP_MODE, "Bootstrap mode value incorrect:");
	if (number == 0)
		outcome_warn(outcome, "Bootstrap mode not activated:", use_bootstrap_name);
	return number ? &bootstrap_mode : &lwm2m_mode;
}

static bool is_utc_offset(struct span value)
{
	static const char form[] = "+00:00";

	if (value.size < UTC_OFFSET_SIZE || (value.data[0] != '+' && value.data[0] != '-') || value.data[3] != ':')
		return false;
	for (size_t i = 1; i < UTC_OFFSET_SIZE; i++)
		if (form[i] == '0' && (value.data[i] < '0' || value.data[i] > '9'))
			return false;
	return true;
}

static bool check_time(const struct gateway *gateway, struct outcome *outcome)
{
	struct span value;

	if (gateway_clock(gateway) == 0)
		outcome_warn(outcome, NOT_SET, "mbed.CurrentTime");
	if (!verify_find_parameter(gateway, "mbed.Timezone", &value) || value.size == 0)
		outcome_warn(outcome, NOT_SET, "mbed.Timezone");
	if (!verify_find_parameter(gateway, "mbed.UTCOffset", &value) || value.size == 0)
		outcome_warn(outcome, NOT_SET, "mbed.UTCOffset");
	else if (!is_utc_offset(value))
		return outcome_fail(outcome, STATUS_UTC_OFFSET, "UTC offset incorrect:", span_text("mbed.UTCOffset"));
	return true;
}

static bool check_info(const struct gateway *gateway, struct outcome *outcome)
{
	static const char *const names[] = {"mbed.Manufacturer",    "mbed.ModelNumber",   "mbed.DeviceType",
					    "mbed.HardwareVersion", "mbed.MemoryTotalKB", "mbed.SerialNumber"};
	struct span value;

	if (!verify_find_parameter(gateway, endpoint_name, &value))
		return outcome_fail(outcome, STATUS_ITEM_MISSING, NO_SUCH_ITEM, span_text(endpoint_name));
	if (value.size == 0)
		return outcome_fail(outcome, STATUS_ITEM_EMPTY, "Item empty:", span_text(endpoint_name));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!verify_find_parameter(gateway, names[i], &value))
			return outcome_fail(outcome, STATUS_ITEM_MISSING, NO_SUCH_ITEM, span_text(names[i]));
	return true;
}

/* The compressed key of a stored CA. */
static bool ca_identity(const struct store_item *item, uint8_t ret_id[1 + KEY_COORDINATE_SIZE])
{
	AUTO(certificate_free) struct certificate *certificate = NULL;
	struct key_point point;

	if (certificate_read(item->parts[0], &certificate) != CERTIFICATE_GOOD)
		return false;
	certificate_point(certificate, &point);
	key_compress(&point, ret_id);
	return true;
}

bool verify_save_ca(struct gateway *gateway, struct outcome *outcome)
{
	const struct verify_mode *mode = find_mode(gateway, outcome);
	const struct store_item *item;

	if (!mode)
		return false;
	if (mode != &bootstrap_mode)
		return true;
	item = store_find_text(&gateway->store, STORE_CERTIFICATE, mode->ca);
	if (!item)
		return outcome_fail(outcome, STATUS_ITEM_MISSING, NO_SUCH_ITEM, span_text(mode->ca));
	if (!gateway->has_ca_id)
		gateway->has_ca_id = ca_identity(item, gateway->ca_id);
	return true;
}

static bool check_ca(const struct gateway *gateway, const struct verify_mode *mode, const struct verify_mode *other,
		     struct outcome *outcome)
{
	const struct store_item *item = store_find_text(&gateway->store, STORE_CERTIFICATE, mode->ca);
	uint8_t id[1 + KEY_COORDINATE_SIZE];

	if (!item)
		return outcome_fail(outcome, STATUS_ITEM_MISSING, NO_SUCH_ITEM, span_text(mode->ca));
	verify_warn_redundant(gateway, STORE_CERTIFICATE, other->ca, outcome);
	if (mode == &bootstrap_mode &&
	    (!gateway->has_ca_id || !ca_identity(item, id) || memcmp(id, gateway->ca_id, sizeof(id)) != 0))
		outcome_warn(outcome, "CA identifier wasn't set properly:", mode->ca);
	return true;
}

bool verify_find_account(struct span uri, struct span *ret_account)
{
	static const char *const marks[] = {"?aid=", "&aid="};

	uri.size = strnlen((const char *)uri.data, uri.size);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const uint8_t *mark = memmem(uri.data, uri.size, marks[i], strlen(marks[i]));

		if (mark) {
			mark += strlen(marks[i]);
			*ret_account = (struct span){mark, uri.size - (size_t)(mark - uri.data)};
			return true;
		}
	}
	return false;
}

static bool begins_with(struct span text, const char *start)
{
	return text.size >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

static bool is_first_to_claim(const struct gateway *gateway)
{
	struct span value;
	uint32_t number = 0;

	if (verify_find_parameter(gateway, first_to_claim_name, &value) && value.size == sizeof(number))
		memcpy(&number, value.data, sizeof(number));
	return number == 1;
}

static bool check_uri(const struct gateway *gateway, const struct verify_mode *mode, const struct verify_mode *other,
		      struct outcome *outcome)
{
	static const char not_allowed[] = "first to claim not allowed:";
	struct span uri, account;
	bool has_account;

	if (!verify_find_parameter(gateway, mode->uri, &uri))
		return outcome_fail(outcome, STATUS_ITEM_MISSING, NO_SUCH_ITEM, span_text(mode->uri));
	if (uri.size == 0)
		return outcome_fail(outcome, STATUS_ITEM_EMPTY, "Item empty:", span_text(mode->uri));
	verify_warn_redundant(gateway, STORE_PARAMETER, other->uri, outcome);
	if (!begins_with(uri, "coap://") && !begins_with(uri, "coaps://"))
		return outcome_fail(outcome, STATUS_URI, "URI format incorrect:", span_text(mode->uri));
	has_account = verify_find_account(uri, &account);
	if (is_first_to_claim(gateway)) {
		if (mode == &lwm2m_mode)
			return outcome_fail(outcome, STATUS_FIRST_TO_CLAIM, not_allowed, span_text(first_to_claim_name));
		return !has_account || outcome_fail(outcome, STATUS_FIRST_TO_CLAIM, not_allowed, span_text(mode->uri));
	}
	return has_account || outcome_fail(outcome, STATUS_URI, "URI format incorrect:", span_text(mode->uri));
}

bool verify_gateway(struct gateway *gateway, struct outcome *outcome)
{
	const struct verify_mode *mode, *other;

	outcome_clear(outcome);
	if (!check_time(gateway, outcome))
		return false;
	mode = find_mode(gateway, outcome);
	if (!mode || !check_info(gateway, outcome))
		return false;
	other = mode == &bootstrap_mode ? &lwm2m_mode : &bootstrap_mode;
	return check_ca(gateway, mode, other, outcome) && check_uri(gateway, mode, other, outcome) &&
	       verify_device(gateway, mode, other, outcome) && verify_update(gateway, outcome);
}
