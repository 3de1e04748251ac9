/* SPDX-License-Identifier: Apache-2.0
 *
 * fields_test.c - what each field of a request to provision may hold, at the edge and one beyond it; defaults, and the digest.
 */
#include "support.h"

#include "core/api/fields.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>

static bool parse(struct support *support, struct provision_request *ret_request)
{
	return fields_parse(&support->api, &support->request, support->pairs, support->request.query_count, ret_request,
			    &support->reply);
}

/* Serial "S" and this field (or this serial): is it taken? If not, the reply blames it. */
static bool takes(struct support *support, const char *name, const char *value, struct provision_request *ret_request)
{
	bool is_taken;

	support_get(support);
	if (strcmp(name, "serialNumber") != 0)
		support_pair(support, "serialNumber", "S");
	support_pair(support, name, value);
	is_taken = parse(support, ret_request);
	if (is_taken)
		assert_int_equal(support->reply.status, 0);
	else
		support_assert_problem(support, 400, "bad_argument", name);
	return is_taken;
}

static void assert_good(struct support *support, const char *name, const char *value)
{
	struct provision_request request;

	if (!takes(support, name, value, &request))
		fail_msg("%s=\"%s\" is refused", name, value);
}

static void assert_bad(struct support *support, const char *name, const char *value)
{
	struct provision_request request;

	if (takes(support, name, value, &request))
		fail_msg("%s=\"%s\" is taken", name, value);
}

static void serials(void **state)
{
	static const char *const good[] = {"A", "0", "a b", "'()+,-./:=?", "_", "R2D2/C-3.PO", "a  b", "..", "MOCK-SLOW-5"};
	static const char *const bad[] = {"",    " ",   " a",  "a ",  "a\tb", "a\nb", "a*b",  "a\"b",        "a&b", "a%b",
					  "a;b", "a@b", "a#b", "a!b", "a$b",  "a<b",  "a>b",  "a[b",         "a]b", "a^b",
					  "a`b", "a{b", "a|b", "a}b", "a~b",  "a\\b", "\x7f", "Ger\xc3\xa4t"};
	struct support *support = *state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_good(support, "serialNumber", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(support, "serialNumber", bad[i]);
	assert_good(support, "serialNumber", support_repeat(support, "x", 64));
	assert_bad(support, "serialNumber", support_repeat(support, "x", 65));
	support_get(support);
	support_pair(support, "ip", "10.0.0.1");
	assert_false(parse(support, &(struct provision_request){0}));
	support_assert_problem(support, 400, "bad_argument", "serialNumber");
}

static void legacy_serials(void **state)
{
	struct support *support = *state;

	support->config.serials = CONFIG_SERIALS_LEGACY;
	assert_good(support, "serialNumber", "a*b \"%\xc3\xa4 ");
	assert_good(support, "serialNumber", " ");
	assert_good(support, "serialNumber", support_repeat(support, "\xc3\xa4", 32));
	assert_bad(support, "serialNumber", support_repeat(support, "\xc3\xa4", 33)); /* bytes, not characters */
	assert_bad(support, "serialNumber", "");
	assert_bad(support, "serialNumber", "a\nb");
	assert_bad(support, "serialNumber", "a\xc2\x85");
	assert_bad(support, "serialNumber", "a\xff");
}

static void a_narrower_pattern(void **state)
{
	struct support *support = *state;
	regex_t pattern;

	assert_int_equal(regcomp(&pattern, "^(GW-[0-9]{4})$", REG_EXTENDED | REG_NOSUB), 0);
	support->api.serial_pattern = &pattern;
	assert_good(support, "serialNumber", "GW-0001");
	assert_bad(support, "serialNumber", "GW-001");
	assert_bad(support, "serialNumber", "xGW-0001");
	regfree(&pattern);
}

/* name, characters at most, is an empty one absent (or an error)? */
struct text_rule {
	const char *name;
	size_t limit;
	bool empty_is_absent;
};
static const struct text_rule text_rules[] = {
	{"hardwareVersion", 128, false}, {"radioConfig", 128, false}, {"ledConfig", 128, false},
	{"category", 128, true},         {"OU", 128, true},           {"deviceID", 128, true},
	{"verificationKey", 256, true},
};

static void printable_texts(void **state)
{
	static const char *const bad[] = {"a\nb", "\t", "\x7f", "\xc2\x80", "a\xff", "\xed\xa0\x80", "a\xc3"};
	struct support *support = *state;

	for (size_t i = 0; i < sizeof(text_rules) / sizeof(text_rules[0]); i++) {
		const struct text_rule *rule = &text_rules[i];

		assert_good(support, rule->name, "x");
		assert_good(support, rule->name, " ");
		assert_good(support, rule->name, support_repeat(support, "x", rule->limit));
		assert_bad(support, rule->name, support_repeat(support, "x", rule->limit + 1));
		assert_good(support, rule->name,
			    support_repeat(support, "\xf0\x9f\x98\x80", rule->limit)); /* characters, not bytes */
		assert_bad(support, rule->name, support_repeat(support, "\xf0\x9f\x98\x80", rule->limit + 1));
		if (rule->empty_is_absent)
			assert_good(support, rule->name, "");
		else
			assert_bad(support, rule->name, "");
		for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
			assert_bad(support, rule->name, bad[j]);
	}
}

static void urls(void **state)
{
	static const char *const names[] = {"apiAddress", "gatewayServicesAddress"};
	static const char *const good[] = {"https://a",     "http://a",          "https://a.example:8080/x?y=z#f",
					   "http://[::1]/", "https://user@host", "https://\xc3\xa4.example"};
	static const char *const bad[] = {"",
					  "a",
					  "https://",
					  "http://",
					  "http:///x",
					  "https://?",
					  "https://#",
					  "https://:80",
					  "ftp://a",
					  "//a",
					  "https:/a",
					  "https:a",
					  " https://a",
					  "https://a b",
					  "https://a\"",
					  "https://a<",
					  "https://a\\b",
					  "https://a\n",
					  "https://a\x7f",
					  "javascript:alert(1)",
					  "https://a{b}",
					  "https://a|b",
					  "https://a^",
					  "https://a`"};
	struct support *support = *state;

	for (size_t i = 0; i < 2; i++) {
		const char *longest = support_repeat(support, "x", 256);
		char *url = arena_text(&support->arena, longest);

		for (size_t j = 0; j < sizeof(good) / sizeof(good[0]); j++)
			assert_good(support, names[i], good[j]);
		for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
			assert_bad(support, names[i], bad[j]);
		for (size_t j = 0; j < 8; j++)
			url[j] = "https://"[j];
		assert_good(support, names[i], url);
		assert_bad(support, names[i], arena_format(&support->arena, "%sx", url));
	}
}

static void ports(void **state)
{
	static const char *const bad[] = {
		"0", "65536", "-1", "+1", "01", "07777", "1.0", "1e3", "0x10", " 1", "1 ", "x", "99999999999999999999"};
	struct support *support = *state;
	struct provision_request request;

	assert_true(takes(support, "port", "1", &request));
	assert_int_equal(request.target.port, 1);
	assert_true(takes(support, "port", "65535", &request));
	assert_int_equal(request.target.port, 65535);
	assert_true(takes(support, "port", "", &request));
	assert_int_equal(request.target.port, 7777);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(support, "port", bad[i]);
}

struct ip_case {
	const char *value, *ip;
};

static void addresses(void **state)
{
	static const struct ip_case good[] = {
		{"", "10.0.0.9"},
		{"10.0.0.1", "10.0.0.1"},
		{"10.127.255.255", "10.127.255.255"},
		{"::ffff:10.0.0.1", "10.0.0.1"},
		{"::FFFF:0a00:0001", "10.0.0.1"},
		{"192.168.1.5", "192.168.1.5"},
		{"fd00::1", "fd00::1"},
		{"FDFF:0:0:0:0:0:0:1", "fdff::1"},
		{"2001:db8::1", "2001:db8::1"},
	};
	static const char *const bad[] = {"localhost", "10.0.0",      "10.0.0.01",  "10.0.0.256", "010.0.0.1",    "10.0.0.1 ",
					  " 10.0.0.1", "10.0.0.1:80", "0x0a.0.0.1", "167772161",  "fd00::1%eth0", "[fd00::1]",
					  "fd00::g",   "fd00:::1",    "1.2.3.4.5",  "10.0.0.1/8"};
	static const char *const elsewhere[] = {
		"10.128.0.0",      "11.0.0.1", "9.255.255.255", "192.168.1.4", "192.168.1.6", "fe00::1", "2001:db8::2",
		"2001:db8:0:1::1", "::1",      "127.0.0.1",     "::10.0.0.1",  "0.0.0.0",     "::"};
	struct support *support = *state;
	struct provision_request request;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(takes(support, "ip", good[i].value, &request));
		assert_string_equal(request.target.ip, good[i].ip);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(support, "ip", bad[i]);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		support_get(support);
		support_pair(support, "serialNumber", "S");
		support_pair(support, "ip", elsewhere[i]);
		assert_false(parse(support, &request));
		support_assert_problem(support, 403, "endpoint_not_allowed", "ip");
	}
}

static void the_peer_must_be_allowed_too(void **state)
{
	struct support *support = *state;
	struct provision_request request;

	support_pair(support, "serialNumber", "S");
	support->request.peer = "172.16.0.1";
	assert_false(parse(support, &request));
	support_assert_problem(support, 403, "endpoint_not_allowed", "ip");
	support->config.network_count = 0;
	support->request.peer = "10.0.0.9";
	assert_false(parse(support, &request));
	support_assert_problem(support, 403, "endpoint_not_allowed", "ip");
}

/* An address of this machine that is neither loopback nor link-local; false: it has none. */
static bool own_address(char *ret_text, size_t size)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	assert_int_equal(getifaddrs(&all), 0);
	for (const struct ifaddrs *entry = all; entry && !found; entry = entry->ifa_next)
		found = entry->ifa_addr && entry->ifa_addr->sa_family == AF_INET && !(entry->ifa_flags & IFF_LOOPBACK) &&
			getnameinfo(entry->ifa_addr, sizeof(struct sockaddr_in), ret_text, (socklen_t)size, NULL, 0,
				    NI_NUMERICHOST) == 0 &&
			strncmp(ret_text, "169.254.", 8) != 0;
	freeifaddrs(all);
	return found;
}

/* Whatever its networks and ports say. Loopback is for simulated gateways. */
static void the_server_connects_to_no_address_of_its_own(void **state)
{
	struct config_network all = {.address = {[10] = 0xff, [11] = 0xff}, .prefix = 96};
	struct support *support = *state;
	struct provision_request request;
	char own[64];

	support->config.networks = &all;
	support->config.network_count = 1;
	support_get(support);
	assert_true(takes(support, "ip", "127.0.0.1", &request));
	if (!own_address(own, sizeof(own)))
		return;
	support_get(support);
	support_pair(support, "serialNumber", "S");
	support_pair(support, "ip", own);
	assert_false(parse(support, &request));
	support_assert_problem(support, 403, "endpoint_not_allowed", "ip");
}

static void macs(void **state)
{
	static const char *const bad_six[] = {"1",
					      "1,2,3,4,5",
					      "1,2,3,4,5,6,7",
					      "1,2,3,4,5,256",
					      "1,2,3,4,5,-1",
					      "1,2,,4,5,6",
					      ",2,3,4,5,6",
					      "1,2,3,4,5,",
					      "1,2,3,4,5,6,",
					      "01,2,3,4,5,6",
					      "1,2,3,4,5,6.0",
					      "1, 2,3,4,5,6",
					      "00:11:22:33:44:55",
					      "a,b,c,d,e,f",
					      "1,2,3,4,5,1000"};
	struct support *support = *state;
	struct provision_request request;

	assert_true(takes(support, "ethernetMAC", "0,1,2,3,4,255", &request));
	assert_string_equal(request.fields.ethernet_mac, "0,1,2,3,4,255");
	assert_true(takes(support, "ethernetMAC", "", &request));
	assert_null(request.fields.ethernet_mac);
	for (size_t i = 0; i < sizeof(bad_six) / sizeof(bad_six[0]); i++)
		assert_bad(support, "ethernetMAC", bad_six[i]);
	assert_good(support, "sixBMAC", "0,1,2,3,4,5,6,255");
	assert_good(support, "sixBMAC", "");
	assert_bad(support, "sixBMAC", "0,1,2,3,4,5,6");
	assert_bad(support, "sixBMAC", "0,1,2,3,4,5,6,7,8");
	assert_bad(support, "sixBMAC", "0,1,2,3,4,5,6,256");
}

static void unknown_and_repeated(void **state)
{
	static const char *const unknown[] = {"_id", "createdAt", "enrollmentID", "deployed", "serialnumber",
					      "IP",  "",          "serialNumber "};
	struct support *support = *state;
	struct provision_request request;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_bad(support, unknown[i], "x");
	support_get(support);
	support_pair(support, "serialNumber", "S");
	support_pair(support, "OU", "");
	support_pair(support, "OU", "x");
	assert_false(parse(support, &request));
	support_assert_problem(support, 400, "bad_argument", "OU");
}

static void defaults(void **state)
{
	struct support *support = *state;
	struct provision_request request;
	const struct pep_identity *id = &request.fields;

	support_pair(support, "serialNumber", "S");
	support_pair(support, "category", "");
	assert_true(parse(support, &request));
	assert_string_equal(id->serial, "S");
	assert_string_equal(id->hardware_version, "izuma-edge-gateway");
	assert_string_equal(id->radio_config, "00");
	assert_string_equal(id->led_config, "01");
	assert_string_equal(id->category, "production");
	assert_string_equal(id->api_address, "https://api.example");
	assert_string_equal(id->gateway_services_address, "https://gateways.example");
	assert_null(id->verification_key);
	assert_null(id->ou);
	assert_null(id->device_id);
	assert_null(id->ethernet_mac);
	assert_null(id->sixb_mac);
	assert_null(id->idempotency_key);
	assert_string_equal(id->station, "10.0.0.9");
	assert_string_equal(id->request_id, "req-1");
	assert_string_equal(request.target.ip, "10.0.0.9");
	assert_int_equal(request.target.port, 7777);
	assert_string_equal(support->reply.serial, "S");
}

/* --- the digest --- */

static const char *digest(struct support *support, const char *const *pairs)
{
	struct provision_request request;

	support_get(support);
	for (; pairs[0]; pairs += 2)
		support_pair(support, pairs[0], pairs[1]);
	assert_true(parse(support, &request));
	assert_int_equal(strlen(request.fields.request_digest), 64);
	return request.fields.request_digest;
}
#define DIGEST(...) digest(support, (const char *const[]){__VA_ARGS__, NULL})

static void the_digest_is_of_what_is_stored(void **state)
{
	struct support *support = *state;
	const char *plain = DIGEST("serialNumber", "S");

	assert_string_equal(plain, DIGEST("serialNumber", "S", "hardwareVersion", "izuma-edge-gateway", "radioConfig", "00",
					  "ledConfig", "01", "category", "production", "apiAddress", "https://api.example",
					  "gatewayServicesAddress", "https://gateways.example"));
	assert_string_equal(plain, DIGEST("serialNumber", "S", "category", "", "OU", "", "deviceID", "", "ethernetMAC", "",
					  "sixBMAC", "", "verificationKey", "", "ip", "", "port", ""));
	assert_string_equal(plain, DIGEST("ip", "10.0.0.77", "port", "1234", "serialNumber", "S"));
	assert_string_equal(DIGEST("serialNumber", "S", "OU", "o", "deviceID", "d"),
			    DIGEST("deviceID", "d", "serialNumber", "S", "OU", "o"));
}

static void every_field_counts(void **state)
{
	static const char *const others[][2] = {
		{"hardwareVersion", "x"},
		{"radioConfig", "x"},
		{"ledConfig", "x"},
		{"category", "x"},
		{"apiAddress", "http://x"},
		{"gatewayServicesAddress", "http://x"},
		{"verificationKey", "x"},
		{"OU", "x"},
		{"deviceID", "x"},
		{"ethernetMAC", "1,2,3,4,5,6"},
		{"sixBMAC", "1,2,3,4,5,6,7,8"},
	};
	enum { COUNT = sizeof(others) / sizeof(others[0]) };
	struct support *support = *state;
	const char *digests[COUNT + 2];

	digests[COUNT] = DIGEST("serialNumber", "S");
	digests[COUNT + 1] = DIGEST("serialNumber", "T");
	for (size_t i = 0; i < COUNT; i++)
		digests[i] = DIGEST("serialNumber", "S", others[i][0], others[i][1]);
	for (size_t i = 0; i < COUNT + 2; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(digests[i], digests[j]);
}

static void fields_do_not_run_into_each_other(void **state)
{
	struct support *support = *state;

	assert_string_not_equal(DIGEST("serialNumber", "S", "OU", "a\" deviceID=\"b"),
				DIGEST("serialNumber", "S", "OU", "a", "deviceID", "b"));
	assert_string_not_equal(DIGEST("serialNumber", "S", "OU", "null"), DIGEST("serialNumber", "S"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_set_up, support_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serials),
		TEST(legacy_serials),
		TEST(a_narrower_pattern),
		TEST(printable_texts),
		TEST(urls),
		TEST(ports),
		TEST(addresses),
		TEST(the_peer_must_be_allowed_too),
		TEST(the_server_connects_to_no_address_of_its_own),
		TEST(macs),
		TEST(unknown_and_repeated),
		TEST(defaults),
		TEST(the_digest_is_of_what_is_stored),
		TEST(every_field_counts),
		TEST(fields_do_not_run_into_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
