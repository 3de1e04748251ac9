/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <string.h>

int rules_hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool rules_uuid(const char *text, uint8_t ret_uuid[16])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	uint8_t uuid[16] = {0};
	size_t digits = 0;

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		int value = rules_hex_value(text[i]);

		if (form[i] == '-' ? text[i] != '-' : value < 0)
			return false;
		if (form[i] == '-')
			continue;
		uuid[digits / 2] = (uint8_t)(uuid[digits / 2] << 4 | value);
		digits++;
	}
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return true;
}

bool rules_utc_offset(const char *text)
{
	static const char digits[] = "0123456789";

	return strlen(text) == 6 && (text[0] == '+' || text[0] == '-') && strspn(text + 1, digits) == 2 && text[3] == ':' &&
	       strspn(text + 4, digits) == 2;
}

const char *rules_account_of(const char *uri)
{
	const char *found = strstr(uri, "?aid=");

	if (!found)
		found = strstr(uri, "&aid=");
	return found ? found + 5 : NULL;
}

const char *rules_uri_fault(const char *uri, bool first_to_claim)
{
	const char *account = rules_account_of(uri);

	if (strncmp(uri, "coap://", 7) != 0 && strncmp(uri, "coaps://", 8) != 0)
		return "it must begin with coap:// or coaps://";
	if (first_to_claim && account)
		return "it must not hold aid= when first_to_claim is on; take it out, or turn first_to_claim off";
	if (!first_to_claim && !account)
		return "it must hold ?aid= and the account when first_to_claim is off; add it, or set account_id";
	if (account && !*account)
		return "nothing follows aid=; write the account there";
	return NULL;
}

const char *rules_parameter_fault(const char *name)
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_";
	static const char *const own[] = {"mbed.CurrentTime",     "mbed.UseBootstrap",       "mbed.FirstToClaim",
					  "mbed.EndpointName",    "mbed.BootstrapServerURI", "mbed.LwM2MServerURI",
					  "mbed.Manufacturer",    "mbed.ModelNumber",        "mbed.DeviceType",
					  "mbed.HardwareVersion", "mbed.SerialNumber",       "mbed.MemoryTotalKB",
					  "mbed.Timezone",        "mbed.UTCOffset",          "mbed.ClassId",
					  "mbed.VendorId",        "mbed.AccountID",          "mbed.DeviceEnrollmentId"};
	size_t size = strlen(name);

	if (size == 0 || size > RULES_NAME_SIZE || strspn(name, letters) != size)
		return "a name has 1 to 100 characters of 0-9 A-Z a-z . - _";
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strncmp(own[i], name, size) == 0)
			return "its name is one of FCC's own or the beginning of one, for which a gateway would take it; there are "
			       "options for those";
	return NULL;
}

const char *rules_serial_fault(const char *serial, bool by_device)
{
	size_t size = strlen(serial);

	if (size == 0 || size > RULES_SERIAL_SIZE)
		return "a certificate's name has 1 to 64 bytes";
	if (strchr(serial, '&'))
		return "the device client does not take an endpoint name with &";
	if (by_device && strchr(serial, '\\'))
		return "a gateway that makes its own key does not take a name with a backslash";
	for (const char *byte = serial; *byte; byte++)
		if ((unsigned char)*byte < ' ' || *byte == 0x7f)
			return "it holds a control character";
	return NULL;
}
