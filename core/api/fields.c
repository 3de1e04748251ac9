/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/fields.h"

#include "core/api/endpoint.h"
#include "core/base/buffer.h"
#include "core/base/text.h"
#include "core/config/network.h"

#include <arpa/inet.h>
#include <string.h>

#define DIGEST_LIMIT 65536u
#define SERIAL_SIZE 64u

enum field_kind { FIELD_SERIAL, FIELD_IP, FIELD_PORT, FIELD_TEXT, FIELD_URL, FIELD_NUMBERS };
#define EMPTY_IS_ABSENT 1u
#define NO_MEMBER SIZE_MAX

/* One row per field that a request may have. */
struct field {
	const char *name;
	enum field_kind kind;
	unsigned limit; /* characters of a text, bytes of a URL, how many numbers */
	unsigned flags;
	size_t member;   /* of struct pep_identity */
	size_t fallback; /* of struct config: the default; NO_MEMBER: none */
};
#define MEMBER(name) offsetof(struct pep_identity, name)
#define FALLBACK(name) offsetof(struct config, name)

static const struct field fields[] = {
	{"serialNumber", FIELD_SERIAL, SERIAL_SIZE, 0, MEMBER(serial), NO_MEMBER},
	{"ip", FIELD_IP, 0, EMPTY_IS_ABSENT, NO_MEMBER, NO_MEMBER},
	{"port", FIELD_PORT, 0, EMPTY_IS_ABSENT, NO_MEMBER, NO_MEMBER},
	{"hardwareVersion", FIELD_TEXT, 128, 0, MEMBER(hardware_version), FALLBACK(hardware_version)},
	{"radioConfig", FIELD_TEXT, 128, 0, MEMBER(radio_config), FALLBACK(radio_config)},
	{"ledConfig", FIELD_TEXT, 128, 0, MEMBER(led_config), FALLBACK(led_config)},
	{"category", FIELD_TEXT, 128, EMPTY_IS_ABSENT, MEMBER(category), FALLBACK(category)},
	{"apiAddress", FIELD_URL, 256, 0, MEMBER(api_address), FALLBACK(api_address)},
	{"gatewayServicesAddress", FIELD_URL, 256, 0, MEMBER(gateway_services_address), FALLBACK(gateway_services_address)},
	{"verificationKey", FIELD_TEXT, 256, EMPTY_IS_ABSENT, MEMBER(verification_key), NO_MEMBER},
	{"OU", FIELD_TEXT, 128, EMPTY_IS_ABSENT, MEMBER(ou), NO_MEMBER},
	{"deviceID", FIELD_TEXT, 128, EMPTY_IS_ABSENT, MEMBER(device_id), NO_MEMBER},
	{"ethernetMAC", FIELD_NUMBERS, 6, EMPTY_IS_ABSENT, MEMBER(ethernet_mac), NO_MEMBER},
	{"sixBMAC", FIELD_NUMBERS, 8, EMPTY_IS_ABSENT, MEMBER(sixb_mac), NO_MEMBER},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static void set_member(struct pep_identity *id, size_t member, const char *text)
{
	*(const char **)(void *)((char *)id + member) = text; /* not memcpy(): gcc -fsanitize fears for the member at offset 0 */
}

static const char *get_text(const void *start, size_t member)
{
	const char *text;

	memcpy(&text, (const char *)start + member, sizeof(text));
	return text;
}

/* --- the rules: NULL, or what the value should be --- */

static const char *check_text(const char *value, unsigned limit)
{
	unsigned count = 0;

	for (const char *byte = value; *byte; byte++)
		count += ((unsigned char)*byte & 0xc0) != 0x80; /* a character is what does not continue one */
	if (count < 1 || count > limit || !text_is_printable(value, strlen(value)))
		return limit == 256 ? "1 to 256 printable characters" : "1 to 128 printable characters";
	return NULL;
}

/* PrintableString is ASN.1's (X.680 41.4): what a certificate's subject can hold. The underscore is ours. */
static const char *check_serial(const struct api_context *api, const char *value)
{
	static const char printable[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+,-./:=? _";
	size_t size = strlen(value);
	bool legacy = api->config->serials == CONFIG_SERIALS_LEGACY;

	if (size < 1 || size > SERIAL_SIZE)
		return "1 to 64 bytes";
	if (!legacy && (strspn(value, printable) != size || value[0] == ' ' || value[size - 1] == ' '))
		return "letters, digits, space and '()+,-./:=?_, no space at its ends";
	if (legacy && !text_is_printable(value, size))
		return "UTF-8 without control characters";
	if (api->serial_pattern && regexec(api->serial_pattern, value, 0, NULL, 0) != 0)
		return "what identity.serial_pattern in the server's configuration allows";
	return NULL;
}

static const char *check_url(const char *value, unsigned limit)
{
	static const char hint[] = "an http or https URL of at most 256 bytes";
	size_t scheme = strncmp(value, "https://", 8) == 0 ? 8 : strncmp(value, "http://", 7) == 0 ? 7 : 0;

	if (!scheme || strlen(value) > limit || !value[scheme] || strchr("/?#:", value[scheme]))
		return hint;
	return strpbrk(value, " \"<>\\^`{|}") || !text_is_printable(value, strlen(value)) ? hint : NULL;
}

static const char *check_numbers(const char *value, unsigned count)
{
	const char *hint =
		count == 6 ? "6 numbers from 0 to 255 with commas between" : "8 numbers from 0 to 255 with commas between";
	char number[4];
	int64_t parsed;

	for (unsigned i = 0; i < count; i++) {
		size_t size = strcspn(value, ",");

		if (size >= sizeof(number) || (value[size] == ',') != (i + 1 < count))
			return hint;
		memcpy(number, value, size);
		number[size] = '\0';
		if (!text_to_number(number, 0, 255, &parsed))
			return hint;
		value += size + (value[size] == ',');
	}
	return NULL;
}

/* The one way to write an address: IPv4 also for what came v4-mapped. */
static const char *address_text(struct arena *arena, const unsigned char bytes[16])
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)bytes);

	if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + 12 : bytes, text, sizeof(text)))
		return NULL;
	return arena_text(arena, text);
}

/* --- one field after the other --- */

static const char *take_value(const struct api_context *api, const struct field *field, const char *value,
			      struct provision_request *provision, unsigned char address[16])
{
	int64_t port;

	switch (field->kind) {
	case FIELD_SERIAL:
		return check_serial(api, value);
	case FIELD_IP:
		return network_address(value, address) ? NULL : "a numeric IPv4 or IPv6 address";
	case FIELD_PORT:
		if (!text_to_number(value, 1, 65535, &port))
			return "a number from 1 to 65535";
		provision->target.port = (uint16_t)port;
		return NULL;
	case FIELD_TEXT:
		return check_text(value, field->limit);
	case FIELD_URL:
		return check_url(value, field->limit);
	case FIELD_NUMBERS:
	default:
		return check_numbers(value, field->limit);
	}
}

static const struct field *find_field(const char *name)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

const char *fields_check(const struct api_context *api, const char *name, const char *value)
{
	const struct field *field = find_field(name);

	if (!field || field->member == NO_MEMBER)
		return "no such field";
	return take_value(api, field, value, NULL, NULL);
}

static bool take_pair(const struct api_context *api, const struct http_request *request, const struct http_pair *pair, bool *seen,
		      struct provision_request *provision, unsigned char address[16], struct http_reply *reply)
{
	const struct field *field = find_field(pair->name);
	const char *hint;

	if (!field) {
		reply_problem(request, reply, 400, "bad_argument", pair->name, "there is no field of this name");
		return false;
	}
	if (seen[field - fields]) {
		reply_problem(request, reply, 400, "bad_argument", pair->name, "this field is given more than once");
		return false;
	}
	seen[field - fields] = true;
	if (!*pair->value && field->flags & EMPTY_IS_ABSENT)
		return true;
	hint = take_value(api, field, pair->value, provision, address);
	if (hint) {
		reply_problem(request, reply, 400, "bad_argument", pair->name, "%s should be %s", pair->name, hint);
		return false;
	}
	if (field->member != NO_MEMBER)
		set_member(&provision->fields, field->member, pair->value);
	return true;
}

/* Over the fields as they will be stored, so that a default is equal to its explicit value; not over ip and port, since a retry may
 * come from another address. */
static bool make_digest(struct arena *arena, struct pep_identity *id)
{
	struct buffer text;
	char *digest = arena_alloc(arena, 65);

	buffer_init(&text, DIGEST_LIMIT);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].member == NO_MEMBER)
			continue;
		buffer_text(&text, fields[i].name);
		buffer_byte(&text, '=');
		buffer_json_text(&text, get_text(id, fields[i].member));
		buffer_byte(&text, '\n');
	}
	if (digest && !text.failed)
		text_sha256(text.data, text.size, digest);
	else
		digest = NULL;
	buffer_fini(&text);
	id->request_digest = digest;
	return digest;
}

static bool fill_defaults(const struct config *config, struct pep_identity *id)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (fields[i].fallback != NO_MEMBER && !get_text(id, fields[i].member))
			set_member(id, fields[i].member, get_text(config, fields[i].fallback));
	return id->serial;
}

bool fields_parse(const struct api_context *api, const struct http_request *request, const struct http_pair *pairs,
		  size_t pair_count, struct provision_request *ret_request, struct http_reply *reply)
{
	bool seen[FIELD_COUNT] = {false};
	unsigned char address[16];
	struct endpoint_fault fault;
	struct provision_request provision = {
		.fields = {.struct_size = sizeof(provision.fields),
			   .station = request->station ? request->station : request->peer,
			   .request_id = request->id},
		.target = {.struct_size = sizeof(provision.target), .port = api->config->gateway_port}};

	if (!network_address(request->peer, address))
		memset(address, 0, sizeof(address)); /* a peer that has no address (tests): only an explicit ip will do */
	for (size_t i = 0; i < pair_count; i++)
		if (!take_pair(api, request, &pairs[i], seen, &provision, address, reply))
			return false;
	if (!fill_defaults(api->config, &provision.fields)) {
		reply_problem(request, reply, 400, "bad_argument", "serialNumber", "serialNumber is missing");
		return false;
	}
	reply->serial = provision.fields.serial;
	if (!endpoint_is_allowed(api->config, address, provision.target.port, api->own_port, &fault)) {
		reply_problem(request, reply, 403, "endpoint_not_allowed", fault.field, "%s", fault.why);
		return false;
	}
	provision.target.ip = address_text(request->arena, address);
	if (!provision.target.ip || !make_digest(request->arena, &provision.fields)) {
		reply_problem(request, reply, 500, "internal", NULL, "out of memory");
		return false;
	}
	*ret_request = provision;
	return true;
}
