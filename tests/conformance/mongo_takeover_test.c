/* SPDX-License-Identifier: Apache-2.0
 *
 * A database that the original tool has left: its documents are records, and stay what they were for whoever else reads them.
 */
#include "mongo_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As the original writes them; ids are of 2020-07-04 04:03:28 UTC and later. */
#define ID_1 "5f000000aaaaaaaaaaaaaa01"
#define ID_2 "5f000001aaaaaaaaaaaaaa02"
#define ENROLLMENT_1 "A-01:02"
#define DEPLOYED                                                                                                                   \
	"{\"_id\": {\"$oid\": \"" ID_1 "\"}, \"createdAt\": {\"$date\": {\"$numberLong\": \"1593000000123\"}},"                    \
	"\"serialNumber\": \"OLD1\", \"hardwareVersion\": \"hw\", \"radioConfig\": \"00\", \"ledConfig\": \"01\","                 \
	"\"category\": \"production\", \"gatewayServicesAddress\": \"https://gw\", \"apiAddress\": \"https://api\","               \
	"\"verificationKey\": \"vk\", \"ethernetMAC\": [1, 2, 3, 4, 5, 6], \"hash\": [9, 9], \"sixBMAC\": [], \"deployed\": true," \
	"\"cloudAddress\": \"https://gw\", \"enrollmentID\": \"" ENROLLMENT_1 "\", \"__v\": 0}"
#define STUCK                                                                                                   \
	"{\"_id\": {\"$oid\": \"" ID_2 "\"}, \"createdAt\": {\"$date\": {\"$numberLong\": \"1593000000123\"}}," \
	"\"serialNumber\": \"OLD2\", \"hardwareVersion\": \"hw\", \"deployed\": false, \"__v\": 0}"
#define INSERT(documents) "{\"insert\": \"edge_identities\", \"documents\": [" documents "]}"
#define OLD_INDEX                                                                                                               \
	"{\"createIndexes\": \"edge_identities\", \"indexes\": [{\"key\": {\"serialNumber\": 1}, \"name\": \"serialNumber_1\"," \
	"\"unique\": true, \"background\": true}]}"

static void expect_text(const char *actual, const char *expected)
{
	assert_non_null(actual);
	assert_string_equal(actual, expected);
}

static void deployed_ones_are_deployed(void **state)
{
	struct mongo_world *world = *state;
	struct pep_identity *id;
	void *store;

	mongo_world_next(world);
	mongo_world_do(world, false, OLD_INDEX);
	mongo_world_do(world, false, INSERT(DEPLOYED "," STUCK));
	store = mongo_world_open(world);
	id = mongo_world_get(world, store, "OLD1");
	assert_non_null(id);
	assert_int_equal(id->state, PEP_DEPLOYED);
	assert_int_equal(id->revision, 1);
	assert_int_equal(id->attempt, 1);
	assert_int_equal(id->contacted, 1);
	assert_int_equal(id->created_ms, 1593000000123);
	assert_int_equal(id->deployed_ms, INT64_C(0x5f000000) * 1000);
	expect_text(id->dispatch_id, ID_1);
	expect_text(id->enrollment_id, ENROLLMENT_1);
	expect_text(id->hardware_version, "hw");
	expect_text(id->verification_key, "vk");
	expect_text(id->gateway_services_address, "https://gw");
	expect_text(id->ethernet_mac, "1,2,3,4,5,6");
	assert_null(id->sixb_mac);
	free(id);
	id = mongo_world_get(world, store, "OLD2");
	assert_non_null(id);
	assert_int_equal(id->state, PEP_FAILED);
	assert_null(id->dispatch_id);
	assert_int_equal(id->deployed_ms, 0);
	assert_non_null(strstr(id->reason, "taken_over: "));
	free(id);
	world->ops->close(store);
}

/* What the plugin does not know stays, also when the record changes; and the old names go on to say what is. */
static void nothing_of_theirs_is_lost(void **state)
{
	static const char *const parts[] = {"\"hash\" : [ 9, 9 ]", "\"__v\" : 0", "\"deployed\" : false",
					    "\"cloudAddress\" : \"https://new\"", ("\"$oid\" : \"" ID_1 "\"")};
	struct mongo_world *world = *state;
	struct pep_error err = {0};
	struct pep_identity *id;
	char *document;
	void *store;

	mongo_world_next(world);
	mongo_world_do(world, false, INSERT(DEPLOYED));
	store = mongo_world_open(world);
	id = mongo_world_get(world, store, "OLD1");
	assert_non_null(id);
	id->state = PEP_RETIRED;
	id->gateway_services_address = "https://new";
	assert_int_equal(world->ops->update(store, id, &err), PEP_OK);
	free(id);
	document = mongo_world_document(world, "OLD1");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!strstr(document, parts[i]))
			fail_msg("%s has no %s", document, parts[i]);
	}
	bson_free(document);
	world->ops->close(store);
}

/* The second start changes nothing; one that the old tool adds afterwards is taken over at the next. */
static void starts_may_be_repeated(void **state)
{
	struct mongo_world *world = *state;
	struct pep_error err = {0};
	struct pep_identity *id;
	void *store;

	mongo_world_next(world);
	mongo_world_do(world, false, INSERT(DEPLOYED));
	store = mongo_world_open(world);
	id = mongo_world_get(world, store, "OLD1");
	id->reason = "ours";
	assert_int_equal(world->ops->update(store, id, &err), PEP_OK);
	free(id);
	world->ops->close(store);
	mongo_world_do(world, false, INSERT(STUCK));
	store = mongo_world_open(world);
	id = mongo_world_get(world, store, "OLD1");
	assert_int_equal(id->revision, 2);
	expect_text(id->reason, "ours");
	free(id);
	id = mongo_world_get(world, store, "OLD2");
	assert_int_equal(id->state, PEP_FAILED);
	assert_int_equal(id->revision, 1);
	free(id);
	world->ops->close(store);
}

/* Over several pages, and by dispatch id, that is: in the order in which the old tool had listed them. */
static void many_are_taken_over(void **state)
{
	enum { COUNT = 1203, BATCH = 401 };
	struct mongo_world *world = *state;
	const struct pep_scan_query query = {.struct_size = sizeof(query), .state = PEP_DEPLOYED};
	const struct pep_identity *id = NULL;
	struct pep_error err = {0};
	void *store, *scan = NULL;
	char last[32] = "";
	int count = 0;

	mongo_world_next(world);
	for (int first = 0; first < COUNT; first += BATCH) {
		bson_string_t *json = bson_string_new("{\"insert\": \"edge_identities\", \"documents\": [");

		for (int i = first; i < first + BATCH; i++)
			bson_string_append_printf(json,
						  "%s{\"_id\": {\"$oid\": \"5f%06xaaaaaaaaaaaaaaaa\"}, \"serialNumber\": \"S%d\", "
						  "\"deployed\": true}",
						  i > first ? "," : "", i, COUNT - i);
		bson_string_append(json, "]}");
		mongo_world_do(world, false, json->str);
		bson_string_free(json, true);
	}
	store = mongo_world_open(world);
	assert_int_equal(world->ops->scan_open(store, &query, &scan, &err), PEP_OK);
	while (world->ops->scan_next(scan, &id, &err) == PEP_OK && id) {
		assert_true(strcmp(id->dispatch_id, last) > 0);
		(void)snprintf(last, sizeof(last), "%s", id->dispatch_id);
		count++;
	}
	world->ops->scan_close(scan);
	assert_int_equal(count, COUNT);
	world->ops->close(store);
}

static void what_cannot_be_a_record_stops_the_start(void **state)
{
	struct mongo_world *world = *state;

	mongo_world_next(world);
	mongo_world_do(world, false,
		       INSERT("{\"_id\": {\"$oid\": \"" ID_1 "\"}, \"serialNumber\": "
			      "\"1234567890123456789012345678901234567890123456789012345678901234x\", \"deployed\": true}"));
	mongo_world_refuse(world, world->uri, NULL, PEP_INVALID, ID_1, NULL);
	mongo_world_next(world);
	mongo_world_do(world, false, INSERT("{\"_id\": \"mine\", \"serialNumber\": \"S\", \"deployed\": true}"));
	mongo_world_refuse(world, world->uri, NULL, PEP_INVALID, "_id is no ObjectId", NULL);
	mongo_world_next(world);
	mongo_world_do(world, false, INSERT("{\"_id\": {\"$oid\": \"" ID_1 "\"}, \"deployed\": true}"));
	mongo_world_refuse(world, world->uri, NULL, PEP_INVALID, "no serialNumber", NULL);
}

static void duplicates_stop_the_start(void **state)
{
	struct mongo_world *world = *state;

	mongo_world_next(world);
	mongo_world_do(world, false,
		       INSERT("{\"_id\": {\"$oid\": \"" ID_1 "\"}, \"serialNumber\": \"TWICE\", \"deployed\": true},"
			      "{\"_id\": {\"$oid\": \"" ID_2 "\"}, \"serialNumber\": \"TWICE\", \"deployed\": true}"));
	mongo_world_refuse(world, world->uri, NULL, PEP_INVALID, "TWICE", NULL);
	mongo_world_next(world);
	mongo_world_do(world, false,
		       INSERT("{\"_id\": {\"$oid\": \"" ID_1
			      "\"}, \"serialNumber\": \"S1\", \"deployed\": true, \"enrollmentID\": \"A-SAME\"},"
			      "{\"_id\": {\"$oid\": \"" ID_2
			      "\"}, \"serialNumber\": \"S2\", \"deployed\": true, \"enrollmentID\": \"A-SAME\"}"));
	mongo_world_refuse(world, world->uri, NULL, PEP_INVALID, "A-SAME", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deployed_ones_are_deployed),
		cmocka_unit_test(nothing_of_theirs_is_lost),
		cmocka_unit_test(starts_may_be_repeated),
		cmocka_unit_test(many_are_taken_over),
		cmocka_unit_test(what_cannot_be_a_record_stops_the_start),
		cmocka_unit_test(duplicates_stop_the_start),
	};
	struct CMUnitTest own[sizeof(tests) / sizeof(tests[0])];
	struct mongo_world world;
	int failed;

	mongo_world_init(&world, NULL);
	memcpy(own, tests, sizeof(own));
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		own[i].initial_state = &world;
	failed = cmocka_run_group_tests(own, NULL, NULL);
	mongo_world_fini(&world);
	return failed;
}
