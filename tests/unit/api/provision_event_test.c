/* SPDX-License-Identifier: Apache-2.0
 *
 * provision_event_test.c - the members of the event, and of that of an attempt that recovery ended.
 */
#include "support.h"

#include "core/api/provision_event.h"
#include "core/service/audit.h"
#include "core/service/audit_settled.h"

#include <stdlib.h>
#include <string.h>

static char *told;

void audit_record(struct audit *audit, json_t *event)
{
	assert_ptr_equal(audit, (struct audit *)7);
	free(told);
	told = json_dumps(event, JSON_COMPACT);
	json_decref(event);
}

static const struct pep_identity record = {
	.struct_size = sizeof(record), .serial = "S-1", .attempt = 2, .enrollment_id = "A-11", .verification_key = "SECRET"};

/* `expected`: with "ms":0 in place of how long it took. */
static void expect(struct support *support, const struct provision_result *result, const char *outcome, const char *code,
		   const char *expected)
{
	const struct provision_request provision = {
		.fields = {.serial = "S-1", .station = "10.0.0.7", .verification_key = "SECRET"}};
	json_t *read;
	char *text;

	support->api.audit = (struct audit *)7;
	provision_event_record(&support->api, &support->request, &provision, result, outcome, code);
	assert_non_null(told);
	read = json_loads(told, 0, NULL);
	assert_true(json_integer_value(json_object_get(read, "ms")) >= 0);
	(void)json_object_set_new(read, "ms", json_integer(0));
	text = json_dumps(read, JSON_COMPACT);
	assert_string_equal(text, expected);
	free(text);
	json_decref(read);
}

static void an_attempt_that_deployed(void **state)
{
	const struct provision_result result = {
		.outcome = PROVISION_DEPLOYED, .identity = &record, .attempt = 2, .error = {.message = "no"}};
	struct support *support = *state;

	support_get(support);
	support->request.actor = "line-1";
	support->request.id = "r-1";
	expect(support, &result, "deployed", "deployed",
	       "{\"event\":\"provision\",\"actor\":\"line-1\",\"serial\":\"S-1\",\"station\":\"10.0.0.7\",\"outcome\":\"deployed\","
	       "\"code\":\"deployed\",\"ms\":0,\"attempt\":2,\"enrollment_id\":\"A-11\",\"request_id\":\"r-1\"}");
}

/* The record of another identity is none of this event's. */
static void an_attempt_that_did_not(void **state)
{
	struct provision_result result = {
		.outcome = PROVISION_IN_DOUBT, .attempt = 1, .enrollment_id = "A-22", .error = {.message = "cut \xc3"}};
	struct support *support = *state;

	support_get(support);
	support->request.actor = "line-1";
	support->request.id = "r-1";
	expect(support, &result, "in_doubt", "in_doubt",
	       "{\"event\":\"provision\",\"actor\":\"line-1\",\"serial\":\"S-1\",\"station\":\"10.0.0.7\",\"outcome\":\"in_doubt\","
	       "\"code\":\"in_doubt\",\"detail\":\"cut "
	       "?\",\"ms\":0,\"attempt\":1,\"enrollment_id\":\"A-22\",\"request_id\":\"r-1\"}");
	result = (struct provision_result){.outcome = PROVISION_EXISTS, .identity = &record};
	expect(support, &result, "refused", "exists",
	       "{\"event\":\"provision\",\"actor\":\"line-1\",\"serial\":\"S-1\",\"station\":\"10.0.0.7\",\"outcome\":\"refused\","
	       "\"code\":\"exists\",\"ms\":0,\"attempt\":0,\"request_id\":\"r-1\"}");
}

static void an_attempt_that_recovery_ended(void **state)
{
	struct provision_settled settled = {.serial = "S-1", .outcome = "in_doubt", .by = "lease", .attempt = 3};

	(void)state;
	audit_settled((void *)7, &settled);
	assert_string_equal(
		told, "{\"event\":\"settled\",\"actor\":\"server\",\"serial\":\"S-1\",\"outcome\":\"in_doubt\",\"by\":\"lease\","
		      "\"attempt\":3}");
	settled.enrollment_id = "A-11";
	settled.detail = "why";
	audit_settled((void *)7, &settled);
	assert_non_null(strstr(told, "\"enrollment_id\":\"A-11\",\"detail\":\"why\"}"));
}

static int forget(void **state)
{
	(void)state;
	free(told);
	told = NULL;
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_set_up, support_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_attempt_that_deployed),
		TEST(an_attempt_that_did_not),
		cmocka_unit_test(an_attempt_that_recovery_ended),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
