/* SPDX-License-Identifier: Apache-2.0
 *
 * A record as a document: what the original tool would have written, and what it has written is read.
 */
#include "plugins/storage/mongo/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bson_t *parse(const char *json)
{
	bson_error_t error;
	bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);

	if (!document)
		fail_msg("%s: %s", json, error.message);
	return document;
}

static struct pep_identity *must_read(const char *json)
{
	bson_t *document = parse(json);
	struct pep_identity *id = NULL;
	char why[128] = "";

	if (!record_read(document, &id, why))
		fail_msg("%s: %s", json, why);
	bson_destroy(document);
	assert_non_null(id);
	return id;
}

static void expect_refused(const char *json, const char *part)
{
	bson_t *document = parse(json);
	struct pep_identity *id = NULL;
	char why[128] = "";

	assert_false(record_read(document, &id, why));
	assert_null(id);
	if (!strstr(why, part))
		fail_msg("\"%s\" does not say \"%s\"", why, part);
	bson_destroy(document);
}

static void expect_json(const bson_t *document, const char *part)
{
	char *json = bson_as_canonical_extended_json(document, NULL);

	if (!strstr(json, part))
		fail_msg("%s has no %s", json, part);
	bson_free(json);
}

static void names_are_those_of_the_original(void **state)
{
	struct pep_identity id = {.struct_size = sizeof(id),
				  .state = PEP_DEPLOYED,
				  .created_ms = 1500,
				  .serial = "S1",
				  .dispatch_id = "d",
				  .enrollment_id = "A-01",
				  .ou = "unit",
				  .device_id = "device",
				  .gateway_services_address = "https://gw",
				  .api_address = "https://api",
				  .verification_key = "vk",
				  .ethernet_mac = "0,1,2,3,4,255"};
	bson_t document = BSON_INITIALIZER;

	(void)state;
	assert_true(record_append(&document, &id));
	expect_json(&document, "\"serialNumber\" : \"S1\"");
	expect_json(&document, "\"OU\" : \"unit\"");
	expect_json(&document, "\"deviceID\" : \"device\"");
	expect_json(&document, "\"enrollmentID\" : \"A-01\"");
	expect_json(&document, "\"gatewayServicesAddress\" : \"https://gw\"");
	expect_json(&document, "\"cloudAddress\" : \"https://gw\"");
	expect_json(&document, "\"apiAddress\" : \"https://api\"");
	expect_json(&document, "\"verificationKey\" : \"vk\"");
	expect_json(&document, "\"deployed\" : true");
	expect_json(&document, "\"createdAt\" : { \"$date\" : { \"$numberLong\" : \"1500\" } }");
	expect_json(&document, "\"ethernetMAC\" : [ { \"$numberInt\" : \"0\" }");
	expect_json(&document, "\"listOrder\" : \"0d\"");
	expect_json(&document, "\"enrollmentKey\" : \"0A-01\"");
	bson_destroy(&document);
}

static void without_ids_the_serial_is_the_key(void **state)
{
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_CLAIMED, .serial = "S1"};
	bson_t document = BSON_INITIALIZER, absent = BSON_INITIALIZER;

	(void)state;
	assert_true(record_append(&document, &id));
	expect_json(&document, "\"listOrder\" : \"1S1\"");
	expect_json(&document, "\"enrollmentKey\" : \"1S1\"");
	expect_json(&document, "\"deployed\" : false");
	assert_false(bson_has_field(&document, "dispatchID"));
	assert_false(bson_has_field(&document, "cloudAddress"));
	assert_true(record_append_absent(&absent, &id));
	assert_true(bson_has_field(&absent, "dispatchID") && bson_has_field(&absent, "history"));
	assert_true(bson_has_field(&absent, "cloudAddress"));
	assert_false(bson_has_field(&absent, "serialNumber") || bson_has_field(&absent, "revision"));
	bson_destroy(&document);
	bson_destroy(&absent);
}

/* Lists become lists only where they are read as the same text again. */
static void every_mac_comes_back(void **state)
{
	static const char *const macs[] = {"0,1,2,3,4,255",
					   "7",
					   "1,2,3,4,5,6,7,8",
					   "1,2,3,4,5,6,7,8,9",
					   "256",
					   "01",
					   "1,",
					   ",1",
					   "",
					   "1, 2",
					   "-1",
					   "1000",
					   "a",
					   "1,2x"};

	(void)state;
	for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++) {
		struct pep_identity id = {.struct_size = sizeof(id), .serial = "s", .ethernet_mac = macs[i]}, *read = NULL;
		bson_t document = BSON_INITIALIZER;
		bson_iter_t iter;
		char why[128];

		assert_true(record_append(&document, &id));
		assert_true(record_read(&document, &read, why));
		assert_string_equal(read->ethernet_mac, macs[i]);
		assert_true(bson_iter_init_find(&iter, &document, "ethernetMAC"));
		assert_int_equal(BSON_ITER_HOLDS_ARRAY(&iter), i < 3);
		free(read);
		bson_destroy(&document);
	}
}

static void old_documents_are_read(void **state)
{
	struct pep_identity *id = must_read(
		"{\"_id\": {\"$oid\": \"5f0000000000000000000001\"}, \"createdAt\": {\"$date\": {\"$numberLong\": \"42\"}},"
		"\"ethernetMAC\": [1, 2.0, {\"$numberLong\": \"3\"}], \"sixBMAC\": [], \"hash\": [1], \"serialNumber\": \"S1\","
		"\"OU\": null, \"deployed\": true, \"__v\": 0}");

	(void)state;
	assert_string_equal(id->serial, "S1");
	assert_string_equal(id->ethernet_mac, "1,2,3");
	assert_null(id->sixb_mac);
	assert_null(id->ou);
	assert_int_equal(id->created_ms, 42);
	assert_int_equal(id->revision, 0);
	free(id);
}

static void what_is_no_record_is_refused(void **state)
{
	bson_t with_nul = BSON_INITIALIZER;
	struct pep_identity *id = NULL;
	char why[128];

	(void)state;
	expect_refused("{}", "no serialNumber");
	expect_refused("{\"serialNumber\": 5}", "serialNumber is no text");
	expect_refused("{\"serialNumber\": \"a\", \"ethernetMAC\": [256]}", "ethernetMAC is no list");
	expect_refused("{\"serialNumber\": \"a\", \"ethernetMAC\": [\"x\"]}", "ethernetMAC is no list");
	expect_refused("{\"serialNumber\": \"a\", \"OU\": [1]}", "OU is no text");
	expect_refused("{\"serialNumber\": \"a\", \"state\": -1}", "state is out of range");
	expect_refused("{\"serialNumber\": \"a\", \"state\": {\"$numberLong\": \"4294967296\"}}", "state is out of range");
	expect_refused("{\"serialNumber\": \"a\", \"revision\": \"1\"}", "revision is no whole number");
	expect_refused("{\"serialNumber\": \"a\", \"createdAt\": 5}", "createdAt is no date");
	assert_true(bson_append_utf8(&with_nul, "serialNumber", -1, "a\0b", 3));
	assert_false(record_read(&with_nul, &id, why));
	bson_destroy(&with_nul);
	bson_init(&with_nul);
	assert_true(bson_append_utf8(&with_nul, "serialNumber", -1, "\xff\xfe", 2));
	assert_false(record_read(&with_nul, &id, why));
	bson_destroy(&with_nul);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_original),
		cmocka_unit_test(without_ids_the_serial_is_the_key),
		cmocka_unit_test(every_mac_comes_back),
		cmocka_unit_test(old_documents_are_read),
		cmocka_unit_test(what_is_no_record_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
