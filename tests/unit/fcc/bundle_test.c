/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages: one is compared with a recorded one byte for byte, the other is read again.
 */
#include "hex.h"
#include "plugins/injector/fcc/bundle.h"
#include "plugins/injector/fcc/cursor.h"
#include "plugins/injector/fcc/response.h"
#include "recorded.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t key[] = "KEY", leaf[] = "LEAF", server[] = "SERVER", update[] = "UPDATE", seed[48] = {7};
static const struct blob chain[] = {{leaf, 4}, {server, 6}};

static struct settings plain = {
	.by_device = true,
	.use_bootstrap = true,
	.first_to_claim = true,
	.time_sync = true,
	.verify_on_device = true,
	.has_vendor_id = true,
	.vendor_id = {1, 2, 3},
	.uri = (char[]){"coaps://host:5684"},
	.manufacturer = "M",
	.model_number = "N",
	.device_type = "",
	.timezone = "",
	.utc_offset = "+01:00",
	.memory_total_kb = 1048576,
};

static struct bundle plain_bundle(void)
{
	return (struct bundle){.settings = &plain,
			       .sid = "88636361-e9de-5f43-83c1-df7dcdd3e269",
			       .serial = "gw-ok-by-device",
			       .hardware_version = "hw-1",
			       .now_s = 1795435954,
			       .server_ca = {server, 6},
			       .update_certificate = {update, 6},
			       .chain = chain,
			       .chain_count = 1};
}

static void request_is_the_recorded_one(void **state)
{
	struct bundle bundle = plain_bundle();
	struct message message;
	size_t size;
	uint8_t *recorded = hex_bytes(RECORDED_REQUEST_CSR, &size);

	(void)state;
	assert_true(bundle_write_request(&bundle, &message));
	assert_int_equal(message.size, size);
	assert_memory_equal(message.data, recorded, size);
	message_fini(&message);
	free(recorded);
}

/* The first value under a key, wherever it stands, as CBOR; NULL: there is none. */
static const uint8_t *value_of(const struct message *message, const char *name)
{
	size_t size = strlen(name);
	const uint8_t *found;

	found = memmem(message->data, message->size, name, size);
	return found ? found + size : NULL;
}

static bool has_parameter(const struct message *message, const char *name, const char *value, size_t size)
{
	const uint8_t *found = value_of(message, name);

	return found &&
	       memcmp(found,
		      "\x64"
		      "Data",
		      5) == 0 &&
	       memcmp(found + 5, value, size) == 0;
}

static void identity_holds_what_is_set(void **state)
{
	struct bundle bundle = plain_bundle();
	struct message message;

	(void)state;
	assert_true(bundle_write_identity(&bundle, &message));
	assert_true(has_parameter(&message, "mbed.UseBootstrap", "\x01", 1));
	assert_true(has_parameter(&message, "mbed.FirstToClaim", "\x01", 1));
	assert_true(has_parameter(&message, "mbed.CurrentTime", "\x1a\x6b\x04\x2d\xb2", 5));
	assert_true(has_parameter(&message, "mbed.BootstrapServerURI",
				  "\x71"
				  "coaps://host:5684",
				  18));
	assert_true(has_parameter(&message, "mbed.EndpointName",
				  "\x6f"
				  "gw-ok-by-device",
				  16));
	assert_true(has_parameter(&message, "mbed.SerialNumber",
				  "\x6f"
				  "gw-ok-by-device",
				  16));
	assert_true(has_parameter(&message, "mbed.DeviceType", "\x60", 1));
	assert_true(has_parameter(&message, "mbed.MemoryTotalKB", "\x1a\x00\x10\x00\x00", 5));
	assert_true(has_parameter(&message, "mbed.UTCOffset",
				  "\x66"
				  "+01:00",
				  7));
	assert_true(has_parameter(&message, "mbed.VendorId", "\x50\x01\x02\x03\x00", 5));
	assert_memory_equal(value_of(&message, "mbed.BootstrapDeviceCert"),
			    "\x64"
			    "PrKN"
			    "\x78\x1e",
			    7);
	assert_memory_equal(value_of(&message, "Verify"), "\x01", 1);
	assert_memory_equal(value_of(&message, "Disable"), "\x00", 1);
	assert_null(value_of(&message, "mbed.ClassId"));
	assert_null(value_of(&message, "mbed.Timezone"));
	assert_null(value_of(&message, "mbed.AccountID"));
	assert_null(value_of(&message, "CertificateChains"));
	assert_null(value_of(&message, "Entropy"));
	assert_null(value_of(&message, "ECCPrivate"));
	message_fini(&message);
}

static void all_at_once(void **state)
{
	struct settings settings = plain;
	struct bundle bundle = plain_bundle();
	struct cursor cursor;
	struct message message;
	struct item item;

	(void)state;
	settings.use_bootstrap = settings.first_to_claim = settings.by_device = settings.verify_on_device = false;
	settings.disable = settings.has_class_id = true;
	settings.uri = (char[]){"coaps://host:5684?aid=0123"};
	settings.account = "0123";
	settings.timezone = "Europe/London";
	bundle.settings = &settings;
	bundle.private_key = (struct blob){key, 3};
	bundle.entropy = (struct blob){seed, sizeof(seed)};
	bundle.chain_count = 2;
	assert_true(bundle_write_identity(&bundle, &message));
	cursor = (struct cursor){.left = {message.data + 12, message.size - 44}};
	assert_true(cursor_next(&cursor, &item));
	assert_int_equal(item.kind, ITEM_MAP);
	assert_false(item.is_open);
	assert_in_range(item.number, 9, 12);
	assert_true(cursor_skip(&cursor, &item, 8));
	assert_int_equal(cursor.left.size, 0); /* one item, and nothing behind it */
	assert_true(has_parameter(&message, "mbed.UseBootstrap", "\x00", 1));
	assert_true(has_parameter(&message, "mbed.AccountID",
				  "\x64"
				  "0123",
				  5));
	assert_null(value_of(&message, "mbed.FirstToClaim"));
	assert_null(value_of(&message, "PrKN"));
	assert_null(value_of(&message, "mbed.Bootstrap"));
	assert_non_null(value_of(&message, "mbed.LwM2MDevicePrivateKey"));
	assert_non_null(value_of(&message, "mbed.LwM2MServerCACert"));
	assert_memory_equal(value_of(&message, "DataArray"), "\x82\x44LEAF\x46SERVER", 13);
	assert_memory_equal(value_of(&message, "Entropy"), "\x58\x30\x07", 3);
	assert_memory_equal(value_of(&message, "Disable"), "\x01", 1);
	message_fini(&message);
}

/* By key mode: seeds stand in the first message, and a secure element is asked for there. */
static void request_with_all(void **state)
{
	struct settings settings = plain;
	struct bundle bundle = plain_bundle();
	struct cursor cursor;
	struct message message;
	struct item item;

	(void)state;
	settings.secure_element = true;
	bundle.settings = &settings;
	bundle.entropy = (struct blob){seed, sizeof(seed)};
	bundle.root_of_trust = (struct blob){seed, 16};
	assert_true(bundle_write_request(&bundle, &message));
	cursor = (struct cursor){.left = {message.data + 12, message.size - 44}};
	assert_true(cursor_next(&cursor, &item));
	assert_true(cursor_skip(&cursor, &item, 8));
	assert_int_equal(cursor.left.size, 0);
	assert_memory_equal(value_of(&message, "ROT"), "\x50\x07\x00", 3);
	assert_memory_equal(value_of(&message, "SM"), "\xa1\x63Prv\x62SE", 8);
	message_fini(&message);
}

/* More than fit a head of one byte, the largest number, and the smallest. */
static void many_parameters(void **state)
{
	struct settings settings = plain;
	struct bundle bundle = plain_bundle();
	struct parameter list[300];
	char names[300][8];
	struct cursor cursor;
	struct message message;
	struct item item;

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
		list[i] = (struct parameter){
			.name = names[i], .kind = PARAMETER_NUMBER, .number = i ? INT64_MIN + (int64_t)i - 1 : INT64_MAX};
	}
	settings.parameters = (struct parameters){.list = list, .count = 300};
	bundle.settings = &settings;
	assert_true(bundle_write_identity(&bundle, &message));
	cursor = (struct cursor){.left = {message.data + 12, message.size - 44}};
	assert_true(cursor_next(&cursor, &item));
	assert_true(cursor_skip(&cursor, &item, 8));
	assert_int_equal(cursor.left.size, 0);
	assert_memory_equal(value_of(&message, "ConfigParams"), "\x99\x01\x39", 3); /* 13 of the gateway's own */
	assert_true(has_parameter(&message, "\x62n0", "\x1b\x7f\xff\xff\xff\xff\xff\xff\xff", 9));
	assert_true(has_parameter(&message, "\x62n1", "\x3b\x7f\xff\xff\xff\xff\xff\xff\xff", 9));
	message_fini(&message);
}

static void commas_are_escaped(void **state)
{
	struct bundle bundle = plain_bundle();
	struct message message;

	(void)state;
	bundle.serial = "a,b=c d,";
	assert_true(bundle_write_request(&bundle, &message));
	assert_memory_equal(value_of(&message, "Subj"),
			    "\x6d"
			    "CN=a\\,b=c d\\,",
			    14);
	message_fini(&message);
}

static void too_large_is_said(void **state)
{
	struct message message;

	(void)state;
	assert_true(message_init(&message, 4));
	message_append(&message, "12345", 5);
	assert_null(message_reserve(&message, 1));
	assert_false(message_finish(&message));
	message_fini(&message);
	assert_true(message_init(&message, 4));
	assert_false(message_finish(&message)); /* nothing in it */
	message_fini(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_is_the_recorded_one),
		cmocka_unit_test(identity_holds_what_is_set),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(request_with_all),
		cmocka_unit_test(many_parameters),
		cmocka_unit_test(commas_are_escaped),
		cmocka_unit_test(too_large_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
