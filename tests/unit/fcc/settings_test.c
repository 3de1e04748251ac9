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
		{OPT_ROOT_OF_TRUST, "none", false, "root_of_trust must be"},
		{OPT_SUBJECT_COUNTRY, "F1", false, "subject_country \"F1\" must be two letters"},
		{OPT_PARAMETERS, "a=1; b", false, "parameters, number 2: it is not NAME=text"},
		{OPT_PARAMETERS, "a b=1", false, "parameters, number 1: a name has"},
		{OPT_PARAMETERS, "mbed.C=1", false, "one of FCC's own"},
		{OPT_PARAMETERS, "a=1;a=2", false, "number 2: it has the name of an earlier one"},
		{OPT_PARAMETERS, "a:int=", false, "whole number"},
		{OPT_PARAMETERS, "a:int=0x1", false, "whole number"},
		{OPT_PARAMETERS, "a:int= 1", false, "whole number"},
		{OPT_PARAMETERS, "a:int=9223372036854775808", false, "whole number"},
		{OPT_PARAMETERS, "a:hex=123", false, "pairs of hex digits"},
		{OPT_PARAMETERS, "a:hex=0g", false, "pairs of hex digits"},
		{OPT_PARAMETERS, "a:text=1", false, "neither :int nor :hex"},
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

static void secure_element(void **state)
{
	const struct change good[] = {{OPT_SECURE_ELEMENT, NULL, true, NULL}};
	const struct change bad[] = {{OPT_SECURE_ELEMENT, NULL, true, NULL}, {OPT_KEY_MODE, "by_tool", false, NULL}};

	(void)state;
	check(good, 1, PEP_OK, NULL);
	check(bad, 2, PEP_INVALID, "secure_element needs key_mode by_device");
}

static void parameters(void **state)
{
	union pep_value values[OPT_COUNT];
	struct settings settings;
	struct pep_error err = {0};
	const struct parameter *list;

	(void)state;
	factory_options(values);
	values[OPT_PARAMETERS].text = " a=b=c d ;; n:int=-9223372036854775808;x:hex=;y:hex=0aFF;";
	assert_int_equal(settings_read(values, &settings, &err), PEP_OK);
	list = settings.parameters.list;
	assert_int_equal(settings.parameters.count, 4);
	assert_string_equal(list[0].name, "a");
	assert_int_equal(list[0].kind, PARAMETER_TEXT);
	assert_int_equal(list[0].data.size, 5);
	assert_memory_equal(list[0].data.data, "b=c d", 5);
	assert_true(list[1].kind == PARAMETER_NUMBER && list[1].number == INT64_MIN);
	assert_true(list[2].kind == PARAMETER_BYTES && list[2].data.size == 0);
	assert_int_equal(list[3].data.size, 2);
	assert_memory_equal(list[3].data.data, "\x0a\xff", 2);
	settings_free(&settings);
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
		cmocka_unit_test(single_faults),    cmocka_unit_test(account_in_two_places),
		cmocka_unit_test(account_is_added), cmocka_unit_test(secure_element),
		cmocka_unit_test(parameters),       cmocka_unit_test(defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
