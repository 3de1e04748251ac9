/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include <cbor/encoding.h>
#include <string.h>

#define HEAD_ROOM 9      /* of one item, at most */
#define FIXED_ROOM 3072  /* names, heads and numbers; about 1300 are used */
#define OWN_ROOM 40      /* of a parameter beside its name and data; 29 are used */
#define KEY_USAGE 9      /* digitalSignature and keyAgreement */
#define EXTENDED_USAGE 4 /* clientAuth */
#define MD_SHA256 1

typedef size_t (*encode_start)(size_t count, unsigned char *place, size_t room);

static void put_start(struct message *message, encode_start encode, size_t count)
{
	uint8_t head[HEAD_ROOM];

	message_append(message, head, encode(count, head, sizeof(head)));
}

static void put_text(struct message *message, const char *text)
{
	put_start(message, cbor_encode_string_start, strlen(text));
	message_append(message, text, strlen(text));
}

static void put_bytes(struct message *message, struct blob bytes)
{
	put_start(message, cbor_encode_bytestring_start, bytes.size);
	message_append(message, bytes.data, bytes.size);
}

static void put_number(struct message *message, int64_t number)
{
	uint8_t head[HEAD_ROOM];

	message_append(message, head,
		       number < 0 ? cbor_encode_negint((uint64_t)(-1 - number), head, sizeof(head))
				  : cbor_encode_uint((uint64_t)number, head, sizeof(head)));
}

static void put_text_pair(struct message *message, const char *key, const char *text)
{
	put_text(message, key);
	put_text(message, text);
}

static void put_number_pair(struct message *message, const char *key, int64_t number)
{
	put_text(message, key);
	put_number(message, number);
}

/* A list or map of known length, whose length is written when it is over: one byte, so at most 23 items. */
struct counted {
	struct message *message;
	size_t place;
	size_t count;
};

static struct counted counted_begin(struct message *message, encode_start encode)
{
	struct counted list = {.message = message, .place = message->size};

	put_start(message, encode, 0);
	return list;
}

static void counted_end(const struct counted *list)
{
	if (list->count > 23)
		list->message->failed = true;
	else if (!list->message->failed)
		list->message->data[list->place] = (uint8_t)(list->message->data[list->place] | list->count);
}

/* --- ConfigParams --- */

static void put_parameter(struct counted *list, const char *name)
{
	list->count++;
	put_start(list->message, cbor_encode_map_start, 2);
	put_text_pair(list->message, "Name", name);
	put_text(list->message, "Data");
}

static void put_text_parameter(struct counted *list, const char *name, const char *text)
{
	put_parameter(list, name);
	put_text(list->message, text);
}

/* What a gateway can do without is left out when it is empty. */
static void put_optional_parameter(struct counted *list, const char *name, const char *text)
{
	if (text && *text)
		put_text_parameter(list, name, text);
}

static void put_number_parameter(struct counted *list, const char *name, int64_t number)
{
	put_parameter(list, name);
	put_number(list->message, number);
}

static void put_uuid_parameter(struct counted *list, const char *name, const uint8_t uuid[16])
{
	put_parameter(list, name);
	put_bytes(list->message, (struct blob){.data = uuid, .size = 16});
}

static void put_server_parameters(struct counted *list, const struct settings *settings)
{
	put_number_parameter(list, "mbed.UseBootstrap", settings->use_bootstrap);
	if (settings->first_to_claim)
		put_number_parameter(list, "mbed.FirstToClaim", 1);
	put_text_parameter(list, settings->use_bootstrap ? "mbed.BootstrapServerURI" : "mbed.LwM2MServerURI", settings->uri);
	put_optional_parameter(list, "mbed.AccountID", settings->account);
}

static void put_own_parameter(struct counted *list, const struct parameter *parameter)
{
	put_parameter(list, parameter->name);
	if (parameter->kind == PARAMETER_NUMBER) {
		put_number(list->message, parameter->number);
	} else {
		put_start(list->message,
			  parameter->kind == PARAMETER_TEXT ? cbor_encode_string_start : cbor_encode_bytestring_start,
			  parameter->data.size);
		message_append(list->message, parameter->data.data, parameter->data.size);
	}
}

static void put_all_parameters(const struct bundle *bundle, struct counted *list)
{
	const struct settings *settings = bundle->settings;

	if (settings->time_sync)
		put_number_parameter(list, "mbed.CurrentTime", bundle->now_s);
	put_server_parameters(list, settings);
	put_text_parameter(list, "mbed.EndpointName", bundle->serial);
	put_text_parameter(list, "mbed.SerialNumber", bundle->serial);
	put_text_parameter(list, "mbed.Manufacturer", settings->manufacturer);
	put_text_parameter(list, "mbed.ModelNumber", settings->model_number);
	put_text_parameter(list, "mbed.DeviceType", settings->device_type);
	put_text_parameter(list, "mbed.HardwareVersion", bundle->hardware_version);
	put_number_parameter(list, "mbed.MemoryTotalKB", settings->memory_total_kb);
	put_optional_parameter(list, "mbed.Timezone", settings->timezone);
	put_optional_parameter(list, "mbed.UTCOffset", settings->utc_offset);
	if (settings->has_class_id)
		put_uuid_parameter(list, "mbed.ClassId", settings->class_id);
	if (settings->has_vendor_id)
		put_uuid_parameter(list, "mbed.VendorId", settings->vendor_id);
	if (settings->enrollment_id_parameter)
		put_text_parameter(list, "mbed.DeviceEnrollmentId", bundle->enrollment_id);
	for (size_t i = 0; i < settings->parameters.count; i++)
		put_own_parameter(list, &settings->parameters.list[i]);
}

/* There may be many, so they are counted first: by writing them into a message that takes nothing. */
static void put_parameters(const struct bundle *bundle, struct message *message)
{
	struct message nowhere = {.failed = true};
	struct counted counted = {.message = &nowhere}, list = {.message = message};

	put_all_parameters(bundle, &counted);
	put_text(message, "ConfigParams");
	put_start(message, cbor_encode_array_start, counted.count);
	put_all_parameters(bundle, &list);
}

/* --- keys and certificates --- */

const char *bundle_key_name(const struct settings *settings)
{
	return settings->use_bootstrap ? "mbed.BootstrapDevicePrivateKey" : "mbed.LwM2MDevicePrivateKey";
}

static const char *own_certificate_name(const struct settings *settings)
{
	return settings->use_bootstrap ? "mbed.BootstrapDeviceCert" : "mbed.LwM2MDeviceCert";
}

static void put_keys(const struct bundle *bundle, struct message *message)
{
	put_text(message, "Keys");
	put_start(message, cbor_encode_array_start, 1);
	put_start(message, cbor_encode_map_start, 4);
	put_text_pair(message, "Name", bundle_key_name(bundle->settings));
	put_text_pair(message, "Type", "ECCPrivate");
	put_text_pair(message, "Format", "der");
	put_text(message, "Data");
	put_bytes(message, bundle->private_key);
}

/* `key_name`: of the key on the gateway, which then refuses a certificate that does not fit before it stores it; NULL: none there. */
static void put_certificate_head(struct message *message, const char *name, const char *key_name)
{
	put_start(message, cbor_encode_map_start, key_name ? 4 : 3);
	put_text_pair(message, "Name", name);
	if (key_name)
		put_text_pair(message, "PrKN", key_name);
	put_text_pair(message, "Format", "der");
}

static const char *key_on_gateway(const struct bundle *bundle)
{
	return bundle->private_key.data ? NULL : bundle_key_name(bundle->settings);
}

static void put_certificate(struct counted *list, const char *name, const char *key_name, struct blob der)
{
	list->count++;
	put_certificate_head(list->message, name, key_name);
	put_text(list->message, "Data");
	put_bytes(list->message, der);
}

static void put_certificates(const struct bundle *bundle, struct message *message)
{
	const struct settings *settings = bundle->settings;
	struct counted list;

	put_text(message, "Certificates");
	list = counted_begin(message, cbor_encode_array_start);
	if (bundle->chain_count == 1)
		put_certificate(&list, own_certificate_name(settings), key_on_gateway(bundle), bundle->chain[0]);
	put_certificate(&list, settings->use_bootstrap ? "mbed.BootstrapServerCACert" : "mbed.LwM2MServerCACert", NULL,
			bundle->server_ca);
	if (bundle->update_certificate.data)
		put_certificate(&list, "mbed.UpdateAuthCert", NULL, bundle->update_certificate);
	counted_end(&list);
}

static void put_chain(const struct bundle *bundle, struct message *message)
{
	put_text(message, "CertificateChains");
	put_start(message, cbor_encode_array_start, 1);
	put_certificate_head(message, own_certificate_name(bundle->settings), key_on_gateway(bundle));
	put_text(message, "DataArray");
	put_start(message, cbor_encode_array_start, bundle->chain_count);
	for (size_t i = 0; i < bundle->chain_count; i++)
		put_bytes(message, bundle->chain[i]);
}

/* --- messages --- */

/* First, so that even an answer to a refused message names the session. */
static void put_session(const struct bundle *bundle, struct counted *map)
{
	map->count += 2;
	put_text_pair(map->message, "SchemeVersion", "0.0.1");
	put_text_pair(map->message, "SID", bundle->sid);
}

static void put_seed(struct counted *map, const char *name, struct blob seed)
{
	if (!seed.data)
		return;
	map->count++;
	put_text(map->message, name);
	put_bytes(map->message, seed);
}

/* Taken once in the life of the gateway's program, so they stand in its first message. */
static void put_seeds(const struct bundle *bundle, struct counted *map)
{
	put_seed(map, "Entropy", bundle->entropy);
	put_seed(map, "ROT", bundle->root_of_trust);
}

/* "CN=serial", with the comma escaped: the only character that must be. False: it does not fit. */
static bool write_subject(const char *serial, char *ret_subject, size_t size)
{
	size_t used = 3;

	memcpy(ret_subject, "CN=", 4);
	for (; *serial && used + 2 < size; serial++) {
		if (*serial == ',')
			ret_subject[used++] = '\\';
		ret_subject[used++] = *serial;
	}
	ret_subject[used] = '\0';
	return !*serial;
}

bool bundle_write_request(const struct bundle *bundle, struct message *ret_message)
{
	struct message message;
	struct counted map;
	char subject[256];

	if (!message_init(&message, 1024))
		return false;
	map = counted_begin(&message, cbor_encode_map_start);
	put_session(bundle, &map);
	put_seeds(bundle, &map);
	map.count += 3;
	put_number_pair(&message, "KpAlvSess", 1);
	put_number_pair(&message, "Verify", 0);
	put_text(&message, "CsrReqs");
	put_start(&message, cbor_encode_array_start, 1);
	put_start(&message, cbor_encode_map_start, bundle->settings->secure_element ? 5 : 4);
	put_text_pair(&message, "PrKN", bundle_key_name(bundle->settings));
	message.failed |= !write_subject(bundle->serial, subject, sizeof(subject));
	put_text_pair(&message, "Subj", subject);
	put_number_pair(&message, "MD", MD_SHA256);
	put_text(&message, "Ext");
	put_start(&message, cbor_encode_map_start, 2);
	put_number_pair(&message, "KU", KEY_USAGE);
	put_number_pair(&message, "EKU", EXTENDED_USAGE);
	if (bundle->settings->secure_element) {
		put_text(&message, "SM");
		put_start(&message, cbor_encode_map_start, 1);
		put_text_pair(&message, "Prv", "SE");
	}
	counted_end(&map);
	if (!message_finish(&message)) {
		message_fini(&message);
		return false;
	}
	*ret_message = message;
	return true;
}

/* An upper bound of the payload, so that a message with a key in it is never moved. */
static size_t identity_room(const struct bundle *bundle)
{
	const struct settings *settings = bundle->settings;
	const char *texts[] = {bundle->sid,
			       bundle->serial,
			       bundle->serial,
			       bundle->hardware_version,
			       settings->uri,
			       settings->account ? settings->account : "",
			       settings->manufacturer,
			       settings->model_number,
			       settings->device_type,
			       settings->timezone,
			       settings->utc_offset};
	const struct parameters *own = &settings->parameters;
	size_t room = FIXED_ROOM + bundle->server_ca.size + bundle->update_certificate.size + bundle->private_key.size +
		      bundle->entropy.size + bundle->root_of_trust.size;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		room += strlen(texts[i]);
	for (size_t i = 0; i < bundle->chain_count; i++)
		room += bundle->chain[i].size;
	for (size_t i = 0; i < own->count; i++)
		room += OWN_ROOM + strlen(own->list[i].name) + own->list[i].data.size;
	return room;
}

bool bundle_write_identity(const struct bundle *bundle, struct message *ret_message)
{
	const struct settings *settings = bundle->settings;
	struct message message;
	struct counted map;

	if (!message_init(&message, identity_room(bundle)))
		return false;
	map = counted_begin(&message, cbor_encode_map_start);
	put_session(bundle, &map);
	put_seeds(bundle, &map);
	map.count += 2;
	put_number_pair(&message, "Verify", settings->verify_on_device);
	put_number_pair(&message, "Disable", settings->disable);
	if (bundle->private_key.data) {
		map.count++;
		put_keys(bundle, &message);
	}
	map.count++;
	put_certificates(bundle, &message);
	if (bundle->chain_count > 1) {
		map.count++;
		put_chain(bundle, &message);
	}
	map.count++;
	put_parameters(bundle, &message);
	counted_end(&map);
	if (!message_finish(&message)) {
		message_fini(&message);
		return false;
	}
	*ret_message = message;
	return true;
}
