/* SPDX-License-Identifier: Apache-2.0
 *
 * The options as the server reads them: names, defaults, ranges.
 */
#include "settings.h"

#define TEXT(name, help_text)                                                                      \
	{                                                                                          \
		.key = (name), .type = PEP_STRING, .fallback = "", .max = 256, .help = (help_text) \
	}
/* X.520 gives each its limit. */
#define NAME(name, limit, help_text)                                                                   \
	{                                                                                              \
		.key = (name), .type = PEP_STRING, .fallback = "", .max = (limit), .help = (help_text) \
	}
#define FLAG(name, default_value, help_text)                                                      \
	{                                                                                         \
		.key = (name), .type = PEP_BOOL, .fallback = (default_value), .help = (help_text) \
	}
#define LIMIT(name, default_value, help_text)                                                                    \
	{                                                                                                        \
		.key = (name), .type = PEP_MILLISECONDS, .fallback = (default_value), .min = 10, .max = 3600000, \
		.help = (help_text)                                                                              \
	}

const struct pep_option settings_options[OPT_COUNT + 1] = {
	[OPT_KEY_MODE] = {.key = "key_mode",
			  .type = PEP_STRING,
			  .fallback = "by_device",
			  .help = "who makes the gateway's key: by_device (it never leaves the gateway) or by_tool (made here, "
				  "sent in the clear)"},
	[OPT_CA_KEY] = {.key = "ca_key",
			.type = PEP_STRING,
			.min = 1,
			.max = 1024,
			.help = "key that signs gateway certificates: PEM file with its whole path, or pkcs11: URI"},
	[OPT_CA_KEY_PASSWORD] = {.key = "ca_key_password",
				 .type = PEP_SECRET,
				 .fallback = "",
				 .help = "password of an encrypted PEM file, or PIN of the PKCS#11 token"},
	[OPT_CA_CERTIFICATE] =
		{.key = "ca_certificate",
		 .type = PEP_STRING,
		 .min = 1,
		 .max = 1024,
		 .help = "its certificate, and behind it those that signed it: PEM file with its whole path, or pkcs11: URI"},
	[OPT_CHAIN_DEPTH] = {.key = "chain_depth",
			     .type = PEP_INT,
			     .fallback = "1",
			     .min = 1,
			     .max = 5,
			     .help = "how many certificates a gateway gets as its own: its certificate and those behind it"},
	[OPT_PKCS11_MODULE] = {.key = "pkcs11_module",
			       .type = PEP_PATH,
			       .fallback = "",
			       .help = "PKCS#11 library; empty: those that p11-kit knows"},
	[OPT_VALIDITY_DAYS] = {.key = "validity_days",
			       .type = PEP_INT,
			       .fallback = "7305",
			       .min = 1,
			       .max = 36525,
			       .help = "how long gateway certificates are valid, in days; a gateway warns below 10 years"},
	[OPT_SUBJECT_COUNTRY] = {.key = "subject_country",
				 .type = PEP_STRING,
				 .fallback = "",
				 .min = 2,
				 .max = 2,
				 .help = "C of the certificate's subject: two letters"},
	[OPT_SUBJECT_STATE] = NAME("subject_state", 128, "ST of the certificate's subject"),
	[OPT_SUBJECT_LOCALITY] = NAME("subject_locality", 128, "L of the certificate's subject"),
	[OPT_SUBJECT_ORGANIZATION] = NAME("subject_organization", 64, "O of the certificate's subject"),
	[OPT_SUBJECT_UNIT] = NAME("subject_unit", 64, "OU of the certificate's subject; without bootstrap it is the account"),
	[OPT_USE_BOOTSTRAP] = FLAG("use_bootstrap", "true", "true: bootstrap server; false: the LwM2M server itself"),
	[OPT_FIRST_TO_CLAIM] = FLAG("first_to_claim", "true", "true: who knows the enrollment identity claims the gateway"),
	[OPT_BOOTSTRAP_URI] = {.key = "bootstrap_uri",
			       .type = PEP_STRING,
			       .min = 1,
			       .max = 1024,
			       .help = "address of that server: coaps://HOST:PORT"},
	[OPT_BOOTSTRAP_CA] = {.key = "bootstrap_ca",
			      .type = PEP_PATH,
			      .min = 1,
			      .max = 1024,
			      .help = "certificate by which a gateway knows that server: PEM or DER file"},
	[OPT_ACCOUNT_ID] = TEXT("account_id", "account that the gateways belong to, where first_to_claim is off"),
	[OPT_MANUFACTURER] = TEXT("manufacturer", "manufacturer, as the gateway tells it"),
	[OPT_MODEL_NUMBER] = TEXT("model_number", "model number"),
	[OPT_DEVICE_TYPE] = TEXT("device_type", "device type"),
	[OPT_HARDWARE_VERSION] = TEXT("hardware_version", "hardware version; empty: that of the request"),
	[OPT_MEMORY_TOTAL_KB] = {.key = "memory_total_kb",
				 .type = PEP_INT,
				 .fallback = "0",
				 .min = 0,
				 .max = INT32_MAX,
				 .help = "memory of the gateway, in kB"},
	[OPT_TIMEZONE] = TEXT("timezone", "time zone by name: Europe/London; empty: not set"),
	[OPT_UTC_OFFSET] = TEXT("utc_offset", "offset from UTC: +hh:mm or -hh:mm; empty: not set"),
	[OPT_VENDOR_ID] = TEXT("vendor_id", "vendor of updates: a UUID; empty: not set"),
	[OPT_CLASS_ID] = TEXT("class_id", "class of devices for updates: a UUID; empty: not set"),
	[OPT_UPDATE_CERTIFICATE] = {.key = "update_certificate",
				    .type = PEP_PATH,
				    .fallback = "",
				    .help = "certificate that signs updates: PEM or DER file; empty: not set"},
	[OPT_TIME_SYNC] = FLAG("time_sync", "true", "set the gateway's clock to this server's"),
	[OPT_VERIFY_ON_DEVICE] = FLAG("verify_on_device", "true", "the gateway checks at the end whether it is ready"),
	[OPT_ENTROPY] = {.key = "entropy",
			 .type = PEP_STRING,
			 .fallback = "by_device",
			 .help = "random seed of the gateway: by_device (its own) or by_tool (48 bytes from here)"},
	[OPT_ROOT_OF_TRUST] = {.key = "root_of_trust",
			       .type = PEP_STRING,
			       .fallback = "by_device",
			       .help = "root of the gateway's storage key: by_device (its own) or by_tool (16 bytes from here)"},
	[OPT_SECURE_ELEMENT] = FLAG("secure_element", "false",
				    "by_device: make the key in the gateway's secure element; images without one refuse"),
	[OPT_ENROLLMENT_ID_PARAMETER] = FLAG("enrollment_id_parameter", "false",
					     "store the enrollment identity on the gateway, as mbed.DeviceEnrollmentId"),
	[OPT_PARAMETERS] = {.key = "parameters",
			    .type = PEP_STRING,
			    .fallback = "",
			    .max = 4096,
			    .help = "parameters of your own for every gateway: NAME=text; NAME:int=number; NAME:hex=digits"},
	[OPT_DISABLE] = FLAG("disable", "false", "close the gateway's factory mode at the end"),
	[OPT_CONNECT_TIMEOUT] = LIMIT("connect_timeout", "5s", "how long a gateway may take to accept the connection"),
	[OPT_SEND_TIMEOUT] = LIMIT("send_timeout", "15s", "how long a gateway may take to read one message"),
	[OPT_ANSWER_TIMEOUT] = LIMIT("answer_timeout", "60s", "how long a gateway may take to answer one message"),
};
