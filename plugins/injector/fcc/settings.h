/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h - the options of the plugin, checked by the rules of the gateway's program.
 */
#ifndef FCC_SETTINGS_H
#define FCC_SETTINGS_H

#include "parameters.h"

/* Indexes of options and of their values. */
enum {
	OPT_KEY_MODE,
	OPT_CA_KEY,
	OPT_CA_KEY_PASSWORD,
	OPT_CA_CERTIFICATE,
	OPT_CHAIN_DEPTH,
	OPT_PKCS11_MODULE,
	OPT_VALIDITY_DAYS,
	OPT_SUBJECT_COUNTRY,
	OPT_SUBJECT_STATE,
	OPT_SUBJECT_LOCALITY,
	OPT_SUBJECT_ORGANIZATION,
	OPT_SUBJECT_UNIT,
	OPT_USE_BOOTSTRAP,
	OPT_FIRST_TO_CLAIM,
	OPT_BOOTSTRAP_URI,
	OPT_BOOTSTRAP_CA,
	OPT_ACCOUNT_ID,
	OPT_MANUFACTURER,
	OPT_MODEL_NUMBER,
	OPT_DEVICE_TYPE,
	OPT_HARDWARE_VERSION,
	OPT_MEMORY_TOTAL_KB,
	OPT_TIMEZONE,
	OPT_UTC_OFFSET,
	OPT_VENDOR_ID,
	OPT_CLASS_ID,
	OPT_UPDATE_CERTIFICATE,
	OPT_TIME_SYNC,
	OPT_VERIFY_ON_DEVICE,
	OPT_ENTROPY,
	OPT_ROOT_OF_TRUST,
	OPT_SECURE_ELEMENT,
	OPT_ENROLLMENT_ID_PARAMETER,
	OPT_PARAMETERS,
	OPT_DISABLE,
	OPT_CONNECT_TIMEOUT,
	OPT_SEND_TIMEOUT,
	OPT_ANSWER_TIMEOUT,
	OPT_COUNT
};

extern const struct pep_option settings_options[OPT_COUNT + 1];

/* Texts are borrowed from the option values and live until the plugin is closed; an empty one is not set. */
struct settings {
	bool by_device, use_bootstrap, first_to_claim, time_sync, verify_on_device, entropy_by_tool, disable;
	bool root_of_trust_by_tool, secure_element, enrollment_id_parameter;
	bool has_vendor_id, has_class_id;
	uint8_t vendor_id[16], class_id[16];
	char *uri;                    /* with the account in it where it must be; our own */
	struct parameters parameters; /* our own */
	const char *account;          /* in `uri`, or the text of account_id */
	const char *ca_key, *ca_key_password, *ca_certificate, *pkcs11_module;
	const char *server_ca, *update_certificate;
	const char *country, *state, *locality, *organization, *unit;
	const char *manufacturer, *model_number, *device_type, *hardware_version, *timezone, *utc_offset;
	int64_t chain_depth, validity_days, memory_total_kb;
	int64_t connect_timeout_ms, send_timeout_ms, answer_timeout_ms;
};

/* PEP_INVALID: an option, or two together, are such that every gateway would refuse. [any thread] */
pep_status settings_read(const union pep_value *values, struct settings *ret_settings, struct pep_error *err);
void settings_free(struct settings *settings);

#endif
