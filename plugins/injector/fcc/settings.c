/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "rules.h"

#include <stdlib.h>
#include <string.h>

/* One of two words. */
static pep_status read_word(const union pep_value *values, int option, const char *if_true, const char *if_false, bool *ret_flag,
			    struct pep_error *err)
{
	const char *text = values[option].text;

	*ret_flag = strcmp(text, if_true) == 0;
	if (*ret_flag || strcmp(text, if_false) == 0)
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, 0, "fcc: %s must be %s or %s, not \"%.64s\"", settings_options[option].key, if_true,
			if_false, text);
}

static pep_status read_uuid(const union pep_value *values, int option, uint8_t ret_uuid[16], bool *ret_is_set,
			    struct pep_error *err)
{
	const char *text = values[option].text;

	*ret_is_set = *text != '\0';
	if (!*ret_is_set || rules_uuid(text, ret_uuid))
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, 0, "fcc: %s \"%.64s\" is not a UUID; write 8-4-4-4-12 hex digits",
			settings_options[option].key, text);
}

/* A key or certificate that is not a token's must be a file, whatever folder the server runs in. */
static pep_status check_place(const union pep_value *values, int option, struct pep_error *err)
{
	const char *text = values[option].text;

	if (strncmp(text, "pkcs11:", 7) == 0 && strstr(text, "pin-value"))
		return pep_fail(err, PEP_INVALID, 0, "fcc: %s holds a PIN, which everybody can read; write it as ca_key_password",
				settings_options[option].key);
	if (strncmp(text, "pkcs11:", 7) == 0 || *text == '/')
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, 0, "fcc: %s \"%.200s\" is neither a path that begins with / nor a pkcs11: URI",
			settings_options[option].key, text);
}

/* The address with the account in it, where first_to_claim is off and it stands in account_id only. */
static pep_status join_account(struct settings *settings, const char *uri, const char *account_id, struct pep_error *err)
{
	const char *account = rules_account_of(uri);
	size_t room = strlen(uri) + strlen(account_id) + sizeof("?aid=");
	bool must_add = *account_id && !settings->first_to_claim && !account;

	if (*account_id && settings->first_to_claim)
		return pep_fail(
			err, PEP_INVALID, 0,
			"fcc: account_id and first_to_claim exclude each other; a gateway that is claimed has no account yet");
	if (*account_id && account && strcmp(account_id, account) != 0)
		return pep_fail(err, PEP_INVALID, 0, "fcc: account_id \"%.64s\" is not the aid=%.64s at the end of bootstrap_uri",
				account_id, account);
	settings->uri = malloc(room);
	if (!settings->uri)
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcc: no memory for the settings");
	(void)snprintf(settings->uri, room, "%s%s%s", uri, must_add ? strchr(uri, '?') ? "&aid=" : "?aid=" : "",
		       must_add ? account_id : "");
	return PEP_OK;
}

static pep_status read_server(struct settings *settings, const union pep_value *values, struct pep_error *err)
{
	pep_status status = join_account(settings, values[OPT_BOOTSTRAP_URI].text, values[OPT_ACCOUNT_ID].text, err);
	const char *fault;

	if (status != PEP_OK)
		return status;
	fault = rules_uri_fault(settings->uri, settings->first_to_claim);
	if (fault)
		return pep_fail(err, PEP_INVALID, 0, "fcc: bootstrap_uri \"%.200s\": %s", settings->uri, fault);
	if (!settings->use_bootstrap && settings->first_to_claim)
		return pep_fail(err, PEP_INVALID, 0, "fcc: first_to_claim needs use_bootstrap; turn one off or the other on");
	settings->account = rules_account_of(settings->uri);
	return PEP_OK;
}

static pep_status check_country(const struct settings *settings, struct pep_error *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	if (strspn(settings->country, letters) == strlen(settings->country))
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, 0, "fcc: subject_country \"%.16s\" must be two letters", settings->country);
}

static pep_status read_words(struct settings *settings, const union pep_value *values, struct pep_error *err)
{
	pep_status status = read_word(values, OPT_KEY_MODE, "by_device", "by_tool", &settings->by_device, err);

	if (status == PEP_OK)
		status = read_word(values, OPT_ENTROPY, "by_tool", "by_device", &settings->entropy_by_tool, err);
	if (status == PEP_OK)
		status = read_uuid(values, OPT_VENDOR_ID, settings->vendor_id, &settings->has_vendor_id, err);
	if (status == PEP_OK)
		status = read_uuid(values, OPT_CLASS_ID, settings->class_id, &settings->has_class_id, err);
	if (status == PEP_OK)
		status = check_place(values, OPT_CA_KEY, err);
	if (status == PEP_OK)
		status = check_place(values, OPT_CA_CERTIFICATE, err);
	if (status == PEP_OK && *settings->utc_offset && !rules_utc_offset(settings->utc_offset))
		status = pep_fail(err, PEP_INVALID, 0, "fcc: utc_offset \"%.64s\" must be +hh:mm or -hh:mm", settings->utc_offset);
	if (status == PEP_OK)
		status = read_word(values, OPT_ROOT_OF_TRUST, "by_tool", "by_device", &settings->root_of_trust_by_tool, err);
	if (status == PEP_OK && settings->secure_element && !settings->by_device)
		status = pep_fail(err, PEP_INVALID, 0,
				  "fcc: secure_element needs key_mode by_device; a key made here is not made in the gateway");
	if (status == PEP_OK)
		status = check_country(settings, err);
	if (status == PEP_OK)
		status = parameters_read("parameters", values[OPT_PARAMETERS].text, &settings->parameters, err);
	return status;
}

static struct settings take_values(const union pep_value *values)
{
	return (struct settings){
		.use_bootstrap = values[OPT_USE_BOOTSTRAP].flag,
		.first_to_claim = values[OPT_FIRST_TO_CLAIM].flag,
		.time_sync = values[OPT_TIME_SYNC].flag,
		.verify_on_device = values[OPT_VERIFY_ON_DEVICE].flag,
		.secure_element = values[OPT_SECURE_ELEMENT].flag,
		.enrollment_id_parameter = values[OPT_ENROLLMENT_ID_PARAMETER].flag,
		.disable = values[OPT_DISABLE].flag,
		.ca_key = values[OPT_CA_KEY].text,
		.ca_key_password = values[OPT_CA_KEY_PASSWORD].text,
		.ca_certificate = values[OPT_CA_CERTIFICATE].text,
		.pkcs11_module = values[OPT_PKCS11_MODULE].text,
		.server_ca = values[OPT_BOOTSTRAP_CA].text,
		.update_certificate = values[OPT_UPDATE_CERTIFICATE].text,
		.country = values[OPT_SUBJECT_COUNTRY].text,
		.state = values[OPT_SUBJECT_STATE].text,
		.locality = values[OPT_SUBJECT_LOCALITY].text,
		.organization = values[OPT_SUBJECT_ORGANIZATION].text,
		.unit = values[OPT_SUBJECT_UNIT].text,
		.manufacturer = values[OPT_MANUFACTURER].text,
		.model_number = values[OPT_MODEL_NUMBER].text,
		.device_type = values[OPT_DEVICE_TYPE].text,
		.hardware_version = values[OPT_HARDWARE_VERSION].text,
		.timezone = values[OPT_TIMEZONE].text,
		.utc_offset = values[OPT_UTC_OFFSET].text,
		.chain_depth = values[OPT_CHAIN_DEPTH].number,
		.validity_days = values[OPT_VALIDITY_DAYS].number,
		.memory_total_kb = values[OPT_MEMORY_TOTAL_KB].number,
		.connect_timeout_ms = values[OPT_CONNECT_TIMEOUT].number,
		.send_timeout_ms = values[OPT_SEND_TIMEOUT].number,
		.answer_timeout_ms = values[OPT_ANSWER_TIMEOUT].number,
	};
}

pep_status settings_read(const union pep_value *values, struct settings *ret_settings, struct pep_error *err)
{
	struct settings settings = take_values(values);
	pep_status status = read_words(&settings, values, err);

	if (status == PEP_OK)
		status = read_server(&settings, values, err);
	if (status != PEP_OK) {
		settings_free(&settings);
		return status;
	}
	*ret_settings = settings;
	return PEP_OK;
}

void settings_free(struct settings *settings)
{
	parameters_free(&settings->parameters);
	free(settings->uri);
	settings->uri = NULL;
}
