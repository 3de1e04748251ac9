/* SPDX-License-Identifier: Apache-2.0
 *
 * Options that every gateway would refuse are refused before there is a gateway.
 */
#include "factory.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

struct change {
	int option;
	const char *text; /* NULL: the flag */
	bool flag;
	const char *words; /* in the message */
};

static void check(const struct change *changes, size_t count, pep_status expected, const char *words)
{
	union pep_value values[OPT_COUNT];
	struct settings settings = {0};
	struct pep_error err = {0};
	pep_status status;

	factory_options(values);
	for (size_t i = 0; i < count; i++) {
		if (changes[i].text)
			values[changes[i].option].text = changes[i].text;
		else
			values[changes[i].option].flag = changes[i].flag;
	}
	status = settings_read(values, &settings, &err);
	if (status != expected || (words && !strstr(err.message, words)))
		fail_msg("%s: status %d, %s", words ? words : "good", status, err.message);
	settings_free(&settings);
}

static void single_faults(void **state)
{
	static const struct change changes[] = {
		{OPT_KEY_MODE, "by_magic", false, "key_mode must be by_device or by_tool"},
		{OPT_ENTROPY, "none", false, "entropy must be"},
		{OPT_VENDOR_ID, "7e97eeb8", false, "vendor_id \"7e97eeb8\" is not a UUID"},
		{OPT_CLASS_ID, "x", false, "class_id"},
		{OPT_CA_KEY, "ca.key", false, "ca_key \"ca.key\" is neither"},
		{OPT_CA_CERTIFICATE, "ca.crt", false, "ca_certificate"},
		{OPT_CA_KEY, "pkcs11:token=x;object=y?pin-value=1234", false, "holds a PIN"},
		{OPT_UTC_OFFSET, "UTC", false, "utc_offset"},
		{OPT_BOOTSTRAP_URI, "https://host", false, "coap:// or coaps://"},
		{OPT_BOOTSTRAP_URI, "coaps://host?aid=1", false, "must not hold aid="},
		{OPT_FIRST_TO_CLAIM, NULL, false, "must hold ?aid="},
		{OPT_USE_BOOTSTRAP, NULL, false, "first_to_claim needs use_bootstrap"},
		{OPT_ACCOUNT_ID, "1", false, "exclude each other"},
	};

	(void)state;
	check(NULL, 0, PEP_OK, NULL);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		check(&changes[i], 1, PEP_INVALID, changes[i].words);
}

static void account_in_two_places(void **state)
{
	const struct change differs[] = {{OPT_FIRST_TO_CLAIM, NULL, false, NULL},
					 {OPT_BOOTSTRAP_URI, "coaps://host?aid=1", false, NULL},
					 {OPT_ACCOUNT_ID, "2", false, NULL}};

	(void)state;
	check(differs, 3, PEP_INVALID, "is not the aid=1");
}

static void account_is_added(void **state)
{
	static const struct {
		const char *uri, *expected;
	} cases[] = {
		{"coaps://host:1", "coaps://host:1?aid=0123"},
		{"coaps://host:1?a=b", "coaps://host:1?a=b&aid=0123"},
		{"coaps://host:1?aid=0123", "coaps://host:1?aid=0123"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union pep_value values[OPT_COUNT];
		struct settings settings;
		struct pep_error err = {0};

		factory_options(values);
		values[OPT_FIRST_TO_CLAIM].flag = false;
		values[OPT_ACCOUNT_ID].text = "0123";
		values[OPT_BOOTSTRAP_URI].text = cases[i].uri;
		assert_int_equal(settings_read(values, &settings, &err), PEP_OK);
		assert_string_equal(settings.uri, cases[i].expected);
		assert_string_equal(settings.account, "0123");
		settings_free(&settings);
	}
}

static void defaults(void **state)
{
	union pep_value values[OPT_COUNT];
	struct settings settings;
	struct pep_error err = {0};

	(void)state;
	factory_options(values);
	assert_int_equal(settings_read(values, &settings, &err), PEP_OK);
	assert_true(settings.by_device && settings.use_bootstrap && settings.first_to_claim && settings.verify_on_device);
	assert_false(settings.disable || settings.entropy_by_tool || settings.has_class_id || settings.has_vendor_id);
	assert_null(settings.account);
	settings_free(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_faults),
		cmocka_unit_test(account_in_two_places),
		cmocka_unit_test(account_is_added),
		cmocka_unit_test(defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
