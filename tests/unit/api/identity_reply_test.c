/* SPDX-License-Identifier: Apache-2.0
 *
 * identity_reply_test.c - what each outcome of a provisioning is answered with. The service is a stub that plays an outcome.
 */
#include "support.h"

#include "core/api/provision_event.h"
#include "core/service/audit.h"
#include "core/service/journal.h"
#include "core/service/meters.h"
#include "core/service/provision.h"

#include <string.h>

#define FCC_TEXT                                                                                                               \
	"Make sure you are running fcc-example on the gateway with ip=10.0.0.9 at port=7777. Also inspect the pep-api-server " \
	"logs "                                                                                                                \
	"to know more about this error - docker logs -f pep-api-server\n"

/* What the stub plays, and what it was asked: a stub has no other way to its test. */
static struct provision_result played;
static struct provision_request asked;
static unsigned calls;

void provision_identity(struct provisioner *provisioner, struct arena *arena, const struct provision_request *request,
			struct provision_result *ret_result)
{
	(void)provisioner;
	(void)arena;
	calls++;
	asked = *request;
	*ret_result = played;
}

/* The audit: can it be written, and what it was told. */
static struct audit_report report = {.is_well = true};
static const char *event_outcome, *event_code;

void audit_report(struct audit *audit, struct audit_report *ret_report)
{
	(void)audit;
	*ret_report = report;
}

void provision_event_record(const struct api_context *api, const struct http_request *request,
			    const struct provision_request *provision, const struct provision_result *result, const char *outcome,
			    const char *code)
{
	(void)api;
	(void)request;
	assert_string_equal(provision->fields.serial, "S");
	assert_int_equal(result->outcome, played.outcome);
	event_outcome = outcome;
	event_code = code;
}

/* The last attempt that was shown. */
static struct journal_attempt shown;

void api_observe(const struct api_context *api, const struct journal_attempt *attempt)
{
	(void)api;
	shown = *attempt;
}

static bool is_listed(const struct journal_attempt *attempt)
{
	for (size_t i = 0; meters_endings[i].result; i++)
		if (strcmp(meters_endings[i].result, attempt->outcome) == 0 && strcmp(meters_endings[i].reason, attempt->code) == 0)
			return true;
	return false;
}

static const struct pep_identity deployed = {.struct_size = sizeof(deployed),
					     .state = PEP_DEPLOYED,
					     .created_ms = 1700000000123,
					     .serial = "S\"1",
					     .dispatch_id = "0123456789abcdef01234567",
					     .enrollment_id = "A-11:22",
					     .hardware_version = "hw",
					     .radio_config = "00",
					     .led_config = "01",
					     .category = "production",
					     .api_address = "https://api",
					     .gateway_services_address = "https://gw",
					     .verification_key = "SECRET",
					     .ou = "org",
					     .ethernet_mac = "1,2,3,4,5,6",
					     .sixb_mac = "1,2,3,4,5,6,7,8",
					     .nonce = "NONCE",
					     .reason = "REASON"};

static void play(struct support *support, enum provision_outcome outcome)
{
	support_get(support);
	support_pair(support, "serialNumber", "S");
	played = (struct provision_result){.outcome = outcome};
	if (outcome == PROVISION_DEPLOYED || outcome == PROVISION_REPLAYED)
		played.identity = &deployed;
	calls = 0;
	event_outcome = event_code = NULL;
	api_identity(&support->api, &support->request, &support->reply);
	assert_int_equal(calls, 1);
	assert_string_equal(event_outcome, shown.outcome);
	assert_string_equal(event_code, shown.code);
	assert_true(is_listed(&shown)); /* else /metrics counts it as "other", and nobody has thought of an advice */
}

/* What could not be put on record is not begun. */
static void without_an_audit_nothing_is_provisioned(void **state)
{
	struct support *support = *state;

	support_get(support);
	support_pair(support, "serialNumber", "S");
	support_pair(support, "ip", "10.0.0.9");
	calls = 0;
	report.is_well = false;
	api_identity(&support->api, &support->request, &support->reply);
	report.is_well = true;
	assert_int_equal(calls, 0);
	assert_int_equal(support->reply.status, 503);
	assert_string_equal(support->reply.error_code, "storage_unavailable");
}

static void deployed_and_replayed(void **state)
{
	static const char json[] =
		"{\"serialNumber\":\"S\\\"1\",\"hardwareVersion\":\"hw\",\"radioConfig\":\"00\",\"ledConfig\":\"01\","
		"\"category\":\"production\",\"gatewayServicesAddress\":\"https://gw\",\"apiAddress\":\"https://"
		"api\",\"OU\":\"org\","
		"\"ethernetMAC\":[1,2,3,4,5,6],\"sixBMAC\":[1,2,3,4,5,6,7,8],\"deployed\":true,\"cloudAddress\":\"https://gw\","
		"\"createdAt\":1700000000123,\"enrollmentID\":\"A-11:22\"}";
	struct support *support = *state;

	play(support, PROVISION_DEPLOYED);
	assert_int_equal(support->reply.status, 200);
	assert_string_equal(support->reply.content_type, "application/json");
	assert_string_equal(support_reply_header(support, "Pep-Replay"), "0");
	assert_null(support->reply.error_code);
	support_assert_body(support, json);
	assert_string_equal(support->reply.serial, "S");
	assert_string_equal(shown.serial, "S");
	assert_string_equal(shown.outcome, "deployed");
	play(support, PROVISION_REPLAYED);
	assert_string_equal(shown.outcome, "replayed");
	assert_int_equal(support->reply.status, 200);
	assert_string_equal(support_reply_header(support, "Pep-Replay"), "1");
	support_assert_body(support, json);
}

static void exists(void **state)
{
	struct support *support = *state;

	play(support, PROVISION_EXISTS);
	assert_int_equal(support->reply.status, 409);
	assert_string_equal(support->reply.content_type, "text/plain; charset=utf-8");
	assert_string_equal(support->reply.error_code, "exists");
	assert_string_equal(shown.outcome, "refused");
	support_assert_body(support, "Identity with this serial number exists already!");
	assert_null(support_reply_header(support, "Pep-Replay"));
}

struct gateway_case {
	enum provision_outcome outcome;
	const char *code;
};

static void the_gateway_did_not_get_it(void **state)
{
	static const struct gateway_case cases[] = {
		{PROVISION_UNREACHABLE, "gateway_unreachable"},
		{PROVISION_REFUSED, "gateway_refused"},
		{PROVISION_FAILED, "injector_failed"},
		{PROVISION_TIMEOUT, "injector_timeout"},
		{PROVISION_IN_DOUBT, "in_doubt"},
	};
	struct support *support = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play(support, cases[i].outcome);
		assert_int_equal(support->reply.status, 500);
		assert_string_equal(support->reply.content_type, "text/plain; charset=utf-8");
		assert_string_equal(support->reply.error_code, cases[i].code);
		assert_string_equal(shown.code, cases[i].code);
		assert_string_equal(shown.outcome, cases[i].outcome == PROVISION_IN_DOUBT ? "in_doubt" : "failed");
		support_assert_body(support, FCC_TEXT);
		assert_null(support_reply_header(support, "Retry-After"));
		assert_null(support_reply_header(support, "Pep-Enrollment-Id"));
	}
}

static void doubt_names_its_candidate(void **state)
{
	struct support *support = *state;

	support_pair(support, "serialNumber", "S");
	played = (struct provision_result){.outcome = PROVISION_IN_DOUBT, .enrollment_id = "A-33:44"};
	api_identity(&support->api, &support->request, &support->reply);
	assert_string_equal(support_reply_header(support, "Pep-Enrollment-Id"), "A-33:44");
	support_get(support);
	support_pair(support, "serialNumber", "S");
	played.outcome = PROVISION_REFUSED;
	api_identity(&support->api, &support->request, &support->reply);
	assert_null(support_reply_header(support, "Pep-Enrollment-Id"));
}

struct problem_case {
	enum provision_outcome outcome;
	unsigned status;
	const char *code;
	bool retry;
};

static void problems(void **state)
{
	static const struct problem_case cases[] = {
		{PROVISION_NOT_EXPECTED, 403, "not_expected", false},
		{PROVISION_QUOTA, 403, "quota", false},
		{PROVISION_MISMATCH, 422, "idempotency_mismatch", false},
		{PROVISION_IN_PROGRESS, 409, "in_progress", true},
		{PROVISION_ENDPOINT_BUSY, 409, "endpoint_busy", true},
		{PROVISION_STORAGE_UNAVAILABLE, 503, "storage_unavailable", true},
		{PROVISION_RECORDED_LOCALLY, 503, "recorded_locally", true},
		{PROVISION_UNRECORDED, 503, "storage_unavailable", true},
		{PROVISION_DRAINING, 503, "draining", true},
		{PROVISION_NO_MEMORY, 503, "busy", true},
	};
	struct support *support = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *retry;

		play(support, cases[i].outcome);
		support_assert_problem(support, cases[i].status, cases[i].code, NULL);
		retry = support_reply_header(support, "Retry-After");
		assert_int_equal(retry != NULL, cases[i].retry);
		assert_true(!retry || (retry[0] >= '1' && retry[0] <= '9'));
	}
}

/* --- the request --- */

static void assert_not_asked(struct support *support)
{
	calls = 0;
	event_outcome = event_code = NULL;
	api_identity(&support->api, &support->request, &support->reply);
	assert_int_equal(calls, 0);
}

static void a_post_goes_the_same_way(void **state)
{
	struct support *support = *state;

	support_post(support, "{\"serialNumber\":\"S\",\"port\":7001,\"OU\":\"o\"}");
	played = (struct provision_result){.outcome = PROVISION_DEPLOYED, .identity = &deployed};
	api_identity(&support->api, &support->request, &support->reply);
	assert_int_equal(support->reply.status, 200);
	assert_string_equal(asked.fields.serial, "S");
	assert_string_equal(asked.fields.ou, "o");
	assert_int_equal(asked.target.port, 7001);
	assert_null(asked.fields.idempotency_key);
}

static void what_is_wrong_never_reaches_the_service(void **state)
{
	struct support *support = *state;

	assert_not_asked(support); /* no serial */
	support_assert_problem(support, 400, "bad_argument", "serialNumber");
	support_post(support, "{\"serialNumber\":\"S\"}");
	support_pair(support, "ip", "10.0.0.1");
	assert_not_asked(support);
	support_assert_problem(support, 400, "bad_request", NULL);
	support_post(support, "{}");
	support->request.method = HTTP_GET; /* GET with a body */
	support_pair(support, "serialNumber", "S");
	assert_not_asked(support);
	support_assert_problem(support, 400, "bad_request", NULL);
	support_post(support, "{\"serialNumber\":");
	assert_not_asked(support);
	support_assert_problem(support, 400, "bad_request", NULL);
}

static void idempotency_keys(void **state)
{
	static const char *const bad[] = {"", "a b", "a/b", "\xc3\xa4", "a,b"};
	struct support *support = *state;

	support_pair(support, "serialNumber", "S");
	support_header(support, "idempotency-key", "Key_1.a-b");
	played = (struct provision_result){.outcome = PROVISION_EXISTS};
	api_identity(&support->api, &support->request, &support->reply);
	assert_string_equal(asked.fields.idempotency_key, "Key_1.a-b");
	support->headers[0].value = support_repeat(support, "x", 64);
	api_identity(&support->api, &support->request, &support->reply);
	assert_int_equal(strlen(asked.fields.idempotency_key), 64);
	support->headers[0].value = support_repeat(support, "x", 65);
	assert_not_asked(support);
	support_assert_problem(support, 400, "bad_argument", "Idempotency-Key");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		support->headers[0].value = bad[i];
		assert_not_asked(support);
		support_assert_problem(support, 400, "bad_argument", "Idempotency-Key");
	}
	support->headers[0].value = "a";
	support_header(support, "Idempotency-Key", "a");
	assert_not_asked(support); /* two */
	support_assert_problem(support, 400, "bad_argument", "Idempotency-Key");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_set_up, support_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deployed_and_replayed),
		TEST(exists),
		TEST(the_gateway_did_not_get_it),
		TEST(doubt_names_its_candidate),
		TEST(problems),
		TEST(a_post_goes_the_same_way),
		TEST(what_is_wrong_never_reaches_the_service),
		TEST(idempotency_keys),
		TEST(without_an_audit_nothing_is_provisioned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
