/* SPDX-License-Identifier: Apache-2.0
 *
 * decide_test.c - who may do what: each rule of docs/security.md by itself, and the file of tokens read again meanwhile.
 */
#include "world.h"

#include "core/service/audit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STATION TOKEN("1")
#define PERSON TOKEN("2")
#define BOUND TOKEN("3")
#define SHORT TOKEN("4")
#define FINGERPRINT "aaaaaaaabbbbbbbbccccccccddddddddaaaaaaaabbbbbbbbccccccccdddddddd"
#define NOW_MS INT64_C(1800000000000) /* 2027-01-15T08:00:00Z */

static char told[512]; /* what was audited; there is no state of a test behind the stub */
static pep_status told_status;

pep_status audit_append(struct audit *audit, json_t *event, struct pep_error *err)
{
	size_t size = strlen(told);

	(void)audit;
	assert_non_null(event);
	(void)snprintf(told + size, sizeof(told) - size, "%s:%s:%s ", json_string_value(json_object_get(event, "event")),
		       json_string_value(json_object_get(event, "name")), json_string_value(json_object_get(event, "scopes")));
	json_decref(event);
	return told_status == PEP_OK ? PEP_OK : pep_fail(err, told_status, 0, "the disk is full");
}

static int setup(void **state)
{
	static struct world world; /* one test at a time */

	told[0] = '\0';
	told_status = PEP_OK;
	world_make(&world);
	world_add_token(&world, STATION, "line-1", "station", "\"provision\",\"read\"", "");
	world_add_token(&world, PERSON, "anna", "person", "\"operate\"", "");
	world_add_token(&world, BOUND, "line-2", "station", "\"provision\"", ",\"networks\":[\"10.20.0.0/16\",\"fd00::/8\"]");
	world_add_token(&world, SHORT, "line-3", "station", "\"provision\"", ",\"expires\":\"2027-01-15T08:00:00Z\"");
	world_add_line(&world,
		       "{\"id\":\"crt_aaaaaaaa\",\"name\":\"cell-7\",\"kind\":\"station\",\"certificate_sha256\":\"" FINGERPRINT
		       "\",\"scopes\":[\"export\"],\"created\":\"2026-01-02T03:04:05Z\"}");
	world_end_file(&world);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_destroy(*state);
	return 0;
}

static struct access_caller somebody(void)
{
	return (struct access_caller){.peer = "10.1.2.3", .now_ms = NOW_MS, .now_boot_ms = 5000};
}

static struct access_decision decide(struct world *world, const struct access_caller *caller, enum http_scope scope)
{
	struct access_decision decision;

	access_decide(world->access, caller, scope, &decision);
	return decision;
}

/* With this token and nothing else; "": none. */
static struct access_decision ask(struct world *world, const char *token, enum http_scope scope)
{
	struct access_caller caller = somebody();
	char header[512];

	(void)snprintf(header, sizeof(header), "Bearer %s", token);
	caller.authorization = *token ? header : NULL;
	return decide(world, &caller, scope);
}

static enum access_verdict verdict(struct world *world, const char *token, enum http_scope scope)
{
	return ask(world, token, scope).verdict;
}

static void a_token_may_do_what_its_line_says(void **state)
{
	struct world *world = *state;
	struct access_decision decision;

	world_open(world);
	decision = ask(world, STATION, SCOPE_PROVISION);
	assert_int_equal(decision.verdict, ACCESS_GRANTED);
	assert_string_equal(decision.actor, "line-1");
	assert_string_equal(decision.id, "pep_00000001");
	assert_true(decision.is_station);
	assert_int_equal(verdict(world, STATION, SCOPE_READ), ACCESS_GRANTED);
	assert_int_equal(verdict(world, STATION, SCOPE_EXPORT), ACCESS_NOT_ALLOWED);
	assert_int_equal(verdict(world, STATION, SCOPE_AUDIT), ACCESS_NOT_ALLOWED);
	decision = ask(world, PERSON, SCOPE_OPERATE);
	assert_int_equal(decision.verdict, ACCESS_GRANTED);
	assert_string_equal(decision.actor, "anna");
	assert_false(decision.is_station);
	assert_int_equal(verdict(world, PERSON, SCOPE_PROVISION), ACCESS_NOT_ALLOWED);
}

static void nobody_else_may_do_anything_but_what_is_open(void **state)
{
	struct world *world = *state;
	struct access_caller caller = somebody();

	world_open(world);
	assert_int_equal(verdict(world, "", SCOPE_READ), ACCESS_MISSING);
	assert_int_equal(verdict(world, "", SCOPE_OPEN), ACCESS_GRANTED);
	assert_int_equal(verdict(world, "nonsense", SCOPE_READ), ACCESS_UNKNOWN);
	assert_int_equal(verdict(world, "nonsense", SCOPE_OPEN), ACCESS_GRANTED);
	assert_int_equal(verdict(world, TOKEN("5"), SCOPE_READ), ACCESS_UNKNOWN);
	assert_string_equal(ask(world, TOKEN("5"), SCOPE_READ).actor, "anonymous");
	/* Only all of it counts. */
	assert_int_equal(verdict(world, STATION "0", SCOPE_READ), ACCESS_UNKNOWN);
	assert_int_equal(verdict(world, "pep_00000001", SCOPE_READ), ACCESS_UNKNOWN);
	caller.authorization = "Basic " STATION;
	assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_UNKNOWN);
	/* Not even from this machine. */
	caller = somebody();
	caller.peer = "127.0.0.1";
	assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_MISSING);
}

static void a_token_may_be_bound_to_networks(void **state)
{
	static const struct {
		const char *peer;
		enum access_verdict verdict;
	} cases[] = {
		{"10.20.255.1", ACCESS_GRANTED}, {"fd00::1", ACCESS_GRANTED}, {"10.21.0.1", ACCESS_ELSEWHERE},
		{"fe80::1", ACCESS_ELSEWHERE},   {"", ACCESS_ELSEWHERE},
	};
	struct world *world = *state;
	struct access_caller caller = somebody();

	world_open(world);
	caller.authorization = "Bearer " BOUND;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		caller.peer = cases[i].peer;
		assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, cases[i].verdict);
	}
	/* Where a token is refused, it is nobody's. */
	assert_string_equal(decide(world, &caller, SCOPE_PROVISION).actor, "anonymous");
	assert_false(decide(world, &caller, SCOPE_PROVISION).is_station);
}

static void a_token_ends_at_its_time(void **state)
{
	struct world *world = *state;
	struct access_caller caller = somebody();

	world_open(world);
	caller.authorization = "Bearer " SHORT;
	caller.now_ms = NOW_MS - 1;
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_GRANTED);
	caller.now_ms = NOW_MS;
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_EXPIRED);
	assert_int_equal(decide(world, &caller, SCOPE_AUDIT).verdict, ACCESS_EXPIRED); /* before anything is said of scopes */
}

static void a_certificate_has_a_line_too(void **state)
{
	struct world *world = *state;
	struct access_caller caller = somebody();

	world_open(world);
	caller.certificate_sha256 = FINGERPRINT;
	caller.certificate_name = "anything";
	assert_int_equal(decide(world, &caller, SCOPE_EXPORT).verdict, ACCESS_GRANTED);
	assert_string_equal(decide(world, &caller, SCOPE_EXPORT).actor, "cell-7");
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_NOT_ALLOWED);
	/* The token is what somebody has said; a certificate is sent along. */
	caller.authorization = "Bearer " STATION;
	assert_string_equal(decide(world, &caller, SCOPE_READ).actor, "line-1");
	caller.authorization = "Bearer " FINGERPRINT;
	assert_int_equal(decide(world, &caller, SCOPE_EXPORT).verdict, ACCESS_UNKNOWN);
	/* With a file, only who is in it. */
	caller.authorization = NULL;
	caller.certificate_sha256 = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_UNKNOWN);
}

static void without_a_file_a_certificate_is_a_stations(void **state)
{
	struct world *world = *state;
	struct access_caller caller = somebody();

	world->config.access_tokens = NULL;
	world->config.tls_client_ca = "ca.pem";
	world->config.listen = "127.0.0.1"; /* who names an authority wants certificates here, too */
	world_open(world);
	assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_MISSING);
	assert_int_equal(verdict(world, STATION, SCOPE_READ), ACCESS_UNKNOWN);
	caller.certificate_sha256 = FINGERPRINT;
	caller.certificate_name = "cell-7";
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_GRANTED);
	assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_GRANTED);
	assert_string_equal(decide(world, &caller, SCOPE_READ).actor, "cell-7");
	assert_int_equal(decide(world, &caller, SCOPE_OPERATE).verdict, ACCESS_NOT_ALLOWED);
	caller.certificate_name = "local"; /* a name must not say more than it is */
	assert_string_equal(decide(world, &caller, SCOPE_READ).actor, "crt_aaaaaaaa");
	caller.certificate_name = NULL;
	assert_string_equal(decide(world, &caller, SCOPE_READ).actor, "crt_aaaaaaaa");
}

static void anonymous_stations_may_provision_and_nothing_else(void **state)
{
	struct config_network network = {.address = {[10] = 0xff, [11] = 0xff, 10, 1, 0, 0}, .prefix = 112};
	struct world *world = *state;
	struct access_caller caller = somebody();

	world->config.anonymous_provision = true;
	world->config.anonymous_networks = &network;
	world->config.anonymous_network_count = 1;
	world_open(world);
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_GRANTED);
	assert_string_equal(decide(world, &caller, SCOPE_PROVISION).actor, "anonymous");
	assert_false(decide(world, &caller, SCOPE_PROVISION).is_station); /* the record has its address */
	assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_MISSING);
	assert_int_equal(verdict(world, TOKEN("5"), SCOPE_PROVISION), ACCESS_UNKNOWN); /* a revoked station hears of it */
	caller.is_cross_site = true;
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_CROSS_SITE);
	caller = somebody();
	caller.peer = "10.2.0.1";
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_MISSING);
	caller.peer = "127.0.0.1";
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_MISSING);
	world->config.anonymous_provision = false;
	caller = somebody();
	assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_MISSING);
}

static void on_loopback_without_a_file_everybody_is_local(void **state)
{
	static const char *const loopback[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
	static const char *const others[] = {"0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1"};
	struct world *world = *state;
	struct access_caller caller = somebody();
	struct pep_error err = {0};

	world->config.access_tokens = NULL;
	world->config.requests_per_second = 1; /* not for them */
	caller.peer = "127.0.0.1";
	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
		world->config.listen = loopback[i];
		assert_int_equal(access_check(&world->config, &err), PEP_OK);
		world_open(world);
		caller.is_cross_site = false;
		for (unsigned scope = SCOPE_PROVISION; scope <= SCOPE_AUDIT; scope <<= 1)
			assert_int_equal(decide(world, &caller, scope).verdict, ACCESS_GRANTED);
		assert_string_equal(decide(world, &caller, SCOPE_READ).actor, "local");
		caller.is_cross_site = true;
		assert_int_equal(decide(world, &caller, SCOPE_PROVISION).verdict, ACCESS_CROSS_SITE);
		assert_int_equal(decide(world, &caller, SCOPE_OPERATE).verdict, ACCESS_CROSS_SITE);
		assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_GRANTED);
		access_close(world->access);
		world->access = NULL;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		world->config.listen = others[i];
		assert_int_equal(access_check(&world->config, &err), PEP_INVALID);
		assert_non_null(strstr(err.message, "access.tokens"));
		assert_non_null(strstr(err.message, "tls.client_ca"));
		assert_non_null(strstr(err.message, "access.anonymous_networks"));
		assert_int_equal(access_open(&world->config, &world->access, &err), PEP_INVALID);
	}
}

static void each_token_has_its_own_rate(void **state)
{
	struct world *world = *state;

	world->config.requests_per_second = 1;
	world->config.request_burst = 3;
	world_open(world);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(verdict(world, STATION, SCOPE_READ), ACCESS_GRANTED);
	assert_int_equal(verdict(world, STATION, SCOPE_READ), ACCESS_TOO_MANY);
	assert_int_equal(ask(world, STATION, SCOPE_EXPORT).wait_s, 2);
	assert_int_equal(verdict(world, PERSON, SCOPE_OPERATE), ACCESS_GRANTED);
	/* Who has no token shares what his address has. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(verdict(world, "", i ? SCOPE_OPEN : SCOPE_READ), i ? ACCESS_GRANTED : ACCESS_MISSING);
	assert_int_equal(verdict(world, "", SCOPE_OPEN), ACCESS_TOO_MANY);
}

static void a_flood_of_wrong_tokens_does_not_shut_out_good_ones(void **state)
{
	struct world *world = *state;
	struct access_caller caller = somebody();

	world->config.failures_per_minute = 10;
	world_open(world);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(verdict(world, TOKEN("5"), SCOPE_READ), ACCESS_UNKNOWN);
	assert_int_equal(verdict(world, TOKEN("5"), SCOPE_READ), ACCESS_TOO_MANY);
	assert_int_equal(verdict(world, BOUND, SCOPE_PROVISION), ACCESS_TOO_MANY);
	assert_int_equal(verdict(world, STATION, SCOPE_READ), ACCESS_GRANTED);
	caller.peer = "10.1.2.4";
	caller.authorization = "Bearer x";
	assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_UNKNOWN);
	/* All addresses of an IPv6 network are one. */
	for (unsigned i = 0; i < 10; i++) {
		caller.peer = i % 2 ? "2001:db8::1" : "2001:db8::2";
		assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_UNKNOWN);
	}
	caller.peer = "2001:db8::3";
	assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_TOO_MANY);
	caller.peer = "2001:db8:0:1::3";
	assert_int_equal(decide(world, &caller, SCOPE_READ).verdict, ACCESS_UNKNOWN);
}

static void rotate_file(struct world *world, const char *scopes)
{
	world_begin_file(world);
	world_add_token(world, STATION, "line-1", "station", scopes, "");
	world_add_token(world, TOKEN("6"), "line-6", "station", "\"read\"", "");
	world_end_file(world);
}

static void a_reload_audits_what_has_changed(void **state)
{
	struct world *world = *state;
	struct pep_error err = {0};

	world_open(world);
	assert_int_equal(access_reload(world->access, NULL, &err), PEP_OK);
	assert_string_equal(told, "");
	rotate_file(world, "\"provision\",\"read\"");
	assert_int_equal(access_reload(world->access, NULL, &err), PEP_OK);
	assert_string_equal(told, "token_revoke:anna:operate token_revoke:line-2:provision token_revoke:line-3:provision "
				  "token_revoke:cell-7:export token_add:line-6:read ");
	assert_int_equal(verdict(world, TOKEN("6"), SCOPE_READ), ACCESS_GRANTED);
	assert_int_equal(verdict(world, PERSON, SCOPE_OPERATE), ACCESS_UNKNOWN);
	told[0] = '\0';
	rotate_file(world, "\"audit\"");
	assert_int_equal(access_reload(world->access, NULL, &err), PEP_OK);
	assert_string_equal(told, "token_revoke:line-1:provision,read token_add:line-1:audit ");
	assert_int_equal(verdict(world, STATION, SCOPE_READ), ACCESS_NOT_ALLOWED);
}

static void a_bad_file_or_no_audit_changes_nothing(void **state)
{
	struct world *world = *state;
	struct pep_error err = {0};

	world_open(world);
	world_begin_file(world);
	world_add_line(world, "{}");
	world_end_file(world);
	assert_int_equal(access_reload(world->access, NULL, &err), PEP_INVALID);
	rotate_file(world, "\"audit\"");
	told_status = PEP_UNAVAILABLE;
	assert_int_equal(access_reload(world->access, NULL, &err), PEP_UNAVAILABLE);
	assert_int_equal(verdict(world, STATION, SCOPE_READ), ACCESS_GRANTED);
	assert_int_equal(verdict(world, PERSON, SCOPE_OPERATE), ACCESS_GRANTED);
	assert_int_equal(verdict(world, TOKEN("6"), SCOPE_READ), ACCESS_UNKNOWN);
}

struct asker {
	struct world *world;
	atomic_bool *over;
	unsigned asked, refused;
};

static void *ask_until_over(void *context)
{
	struct asker *asker = context;

	do {
		asker->refused += verdict(asker->world, STATION, SCOPE_READ) != ACCESS_GRANTED;
		asker->asked++;
	} while (!atomic_load(asker->over));
	return NULL;
}

/* For the thread sanitizer, too. */
static void requests_go_on_while_the_file_changes(void **state)
{
	struct world *world = *state;
	atomic_bool over = false;
	struct asker askers[3];
	pthread_t threads[3];
	struct pep_error err = {0};

	world_open(world);
	for (unsigned i = 0; i < 3; i++) {
		askers[i] = (struct asker){.world = world, .over = &over};
		assert_int_equal(pthread_create(&threads[i], NULL, ask_until_over, &askers[i]), 0);
	}
	for (unsigned i = 0; i < 50; i++) {
		told[0] = '\0';
		rotate_file(world, i % 2 ? "\"read\"" : "\"read\",\"audit\"");
		assert_int_equal(access_reload(world->access, NULL, &err), PEP_OK);
	}
	atomic_store(&over, true);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(askers[i].refused, 0);
		assert_true(askers[i].asked > 0);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_may_do_what_its_line_says),
		TEST(nobody_else_may_do_anything_but_what_is_open),
		TEST(a_token_may_be_bound_to_networks),
		TEST(a_token_ends_at_its_time),
		TEST(a_certificate_has_a_line_too),
		TEST(without_a_file_a_certificate_is_a_stations),
		TEST(anonymous_stations_may_provision_and_nothing_else),
		TEST(on_loopback_without_a_file_everybody_is_local),
		TEST(each_token_has_its_own_rate),
		TEST(a_flood_of_wrong_tokens_does_not_shut_out_good_ones),
		TEST(a_reload_audits_what_has_changed),
		TEST(a_bad_file_or_no_audit_changes_nothing),
		TEST(requests_go_on_while_the_file_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
