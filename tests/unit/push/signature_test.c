/* SPDX-License-Identifier: Apache-2.0
 *
 * signature_test.c - the example of the specification, and keys that are refused.
 */
#include "signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

static void the_example_of_the_specification(void **state)
{
	static const char body[] = "{\"test\": 2432232314}";
	struct signature_key key;
	struct pep_error err = {0};
	char signature[SIGNATURE_SIZE];

	(void)state;
	assert_int_equal(signature_read_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &key, &err), PEP_OK);
	assert_int_equal(key.size, 24);
	signature_make(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, sizeof(body) - 1, signature);
	assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void a_plain_text_is_its_bytes(void **state)
{
	struct signature_key key;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(signature_read_key("123456789012345678901234", &key, &err), PEP_OK);
	assert_int_equal(key.size, 24);
	assert_memory_equal(key.bytes, "123456789012345678901234", 24);
}

static void keys_are_refused_and_not_shown(void **state)
{
	static const char *const secrets[] = {"",
					      "short-and-secret",
					      "whsec_",
					      "whsec_c2hvcnQ=",
					      "whsec_not base64 at all, and so secret",
					      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"};
	struct signature_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		struct pep_error err = {0};

		assert_int_equal(signature_read_key(secrets[i], &key, &err), PEP_INVALID);
		assert_non_null(strstr(err.message, "secret"));
		if (strlen(secrets[i]) > 6)
			assert_null(strstr(err.message, secrets[i] + 6));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_specification),
		cmocka_unit_test(a_plain_text_is_its_bytes),
		cmocka_unit_test(keys_are_refused_and_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
