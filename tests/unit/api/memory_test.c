/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_test.c - every allocation of the checks of a request, and of a page of the list, fails once: an honest answer, and no leak.
 */
#include "support.h"

#include "../provision/fail_memory.h"
#include "../provision/fake_store.h"

#include "core/api/body.h"
#include "core/api/fields.h"

#include <stdlib.h>
#include <string.h>

#define SERIAL "GW-2027-03-01-0000000000000000000000001"
static const char body[] = "{\"serialNumber\":\"" SERIAL
			   "\",\"ip\":\"10.0.0.1\",\"port\":7001,\"hardwareVersion\":\"hw-with-some-bytes\",\"OU\":\"o\","
			   "\"ethernetMAC\":[1,2,3,4,5,6],\"sixBMAC\":[1,2,3,4,5,6,7,8],\"verificationKey\":\"k\"}";

/* A 500, never a word against the request. Without any memory even the problem is only a text. */
static void assert_blames_memory(const struct support *support)
{
	assert_int_equal(support->reply.status, 500);
	assert_non_null(support->reply.error_code);
	assert_string_equal(support->reply.error_code, "internal");
}

/* True: the nth allocation was reached. */
static bool torture_request(unsigned nth, bool for_good)
{
	void *state = NULL;
	struct support *support;
	struct http_pair *pairs = NULL;
	struct provision_request request;
	size_t count = 0;
	bool is_good;
	bool has_failed;

	assert_int_equal(support_set_up(&state), 0);
	support = state;
	support_post(support, body);
	fail_memory_at(nth, for_good);
	is_good = body_parse(&support->request, &pairs, &count, &support->reply) &&
		  fields_parse(&support->api, &support->request, pairs, count, &request, &support->reply);
	has_failed = fail_memory_end();
	if (is_good) {
		assert_int_equal(count, 8);
		assert_string_equal(request.fields.serial, SERIAL); /* not a byte less: jansson would leave some out */
		assert_string_equal(request.fields.hardware_version, "hw-with-some-bytes");
		assert_string_equal(request.target.ip, "10.0.0.1");
		assert_int_equal(request.target.port, 7001);
		assert_string_equal(request.fields.ethernet_mac, "1,2,3,4,5,6");
		assert_int_equal(strlen(request.fields.request_digest), 64);
	} else {
		assert_true(has_failed);
		assert_blames_memory(support);
	}
	(void)support_tear_down(&state);
	return has_failed;
}

static void every_allocation_of_a_request_fails(void **state)
{
	(void)state;
	for (int for_good = 0; for_good <= 1; for_good++) {
		unsigned nth = 1;

		while (torture_request(nth, for_good))
			nth++;
		assert_true(nth > 30);
	}
}

static void put(struct storage *store, const char *serial, const char *dispatch_id)
{
	const struct pep_identity id = {.struct_size = sizeof(id),
					.state = PEP_DEPLOYED,
					.serial = serial,
					.dispatch_id = dispatch_id,
					.enrollment_id = dispatch_id,
					.category = "production"};

	fake_store_put(store, &id);
}

/* True: the nth allocation was reached. */
static bool torture_page(unsigned nth, bool for_good)
{
	void *state = NULL;
	struct storage *store = malloc(sizeof(*store));
	struct support *support;
	bool has_failed;

	assert_non_null(store);
	assert_int_equal(support_set_up(&state), 0);
	support = state;
	fake_store_init(store);
	put(store, "S0", "000000000000000000000000");
	put(store, "S1", "000000000000000000000001");
	put(store, "S2", "000000000000000000000002");
	put(store, "S3", "000000000000000000000003");
	support->api.storage = store;
	support_pair(support, "limit", "2");
	support_pair(support, "last", "000000000000000000000003");
	fail_memory_at(nth, for_good);
	api_enrollment_ids(&support->api, &support->request, &support->reply);
	has_failed = fail_memory_end();
	if (support->reply.status == 200) {
		support_assert_has(support, "},\"next\":{\"href\":\"/v3/enrollment-ids?limit=2&last=000000000000000000000001\"}}");
		support_assert_has(support, "\"results\":[{\"_id\":\"000000000000000000000002\"");
		support_assert_has(support, "\"total_count\":2");
	} else {
		assert_true(has_failed);
		assert_blames_memory(support);
	}
	assert_int_equal(store->open_scans, 0);
	fake_store_fini(store);
	free(store);
	(void)support_tear_down(&state);
	return has_failed;
}

static void every_allocation_of_a_page_fails(void **state)
{
	(void)state;
	for (int for_good = 0; for_good <= 1; for_good++) {
		unsigned nth = 1;

		while (torture_page(nth, for_good))
			nth++;
		assert_true(nth > 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_request_fails),
		cmocka_unit_test(every_allocation_of_a_page_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
