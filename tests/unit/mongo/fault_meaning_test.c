/* SPDX-License-Identifier: Apache-2.0
 *
 * What an error of the driver means for a write: "certainly not" only where nothing can have been sent.
 */
#include "plugins/storage/mongo/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bson_error_t make(uint32_t domain, uint32_t code, const char *message)
{
	bson_error_t error;

	bson_set_error(&error, domain, code, "%s", message);
	return error;
}

static void writes(void **state)
{
	static const struct {
		uint32_t domain, code;
		pep_status status;
	} cases[] = {
		{MONGOC_ERROR_SERVER, 11000, PEP_CONFLICT},
		{MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE, PEP_UNAVAILABLE},
		{MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, PEP_UNAVAILABLE},
		{MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, PEP_UNAVAILABLE},
		{MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_NOT_ESTABLISHED, PEP_UNAVAILABLE},
		{MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, PEP_UNKNOWN},
		{MONGOC_ERROR_WRITE_CONCERN, 64, PEP_UNKNOWN},
		{MONGOC_ERROR_SERVER, 10107, PEP_UNKNOWN},
		{MONGOC_ERROR_SERVER, 189, PEP_UNKNOWN},
		{MONGOC_ERROR_SERVER, 13, PEP_UNKNOWN},
		{MONGOC_ERROR_PROTOCOL, MONGOC_ERROR_PROTOCOL_INVALID_REPLY, PEP_UNKNOWN},
		{MONGOC_ERROR_WRITE_CONCERN, 11000, PEP_UNKNOWN},
		{MONGOC_ERROR_COMMAND, MONGOC_ERROR_COMMAND_INVALID_ARG, PEP_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bson_error_t error = make(cases[i].domain, cases[i].code, "x");

		if (fault_of_write(&error) != cases[i].status)
			fail_msg("case %zu: %d instead of %d", i, (int)fault_of_write(&error), (int)cases[i].status);
	}
}

static void starts(void **state)
{
	bson_error_t password = make(MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, "Authentication failed.");
	bson_error_t away = make(MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE, "none");
	bson_error_t duplicate = make(MONGOC_ERROR_SERVER, 11000, "E11000");

	(void)state;
	assert_int_equal(fault_of_start(&password), PEP_INVALID);
	assert_int_equal(fault_of_start(&away), PEP_UNAVAILABLE);
	assert_int_equal(fault_of_start(&duplicate), PEP_INVALID);
}

static void messages_are_one_line_and_say_what_to_do(void **state)
{
	bson_error_t error = make(MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE, "No\nservers\tyet");
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(fault_fail(&err, PEP_UNAVAILABLE, &error, "open", "db:1/pep"), PEP_UNAVAILABLE);
	assert_int_equal(err.status, PEP_UNAVAILABLE);
	assert_string_equal(err.message,
			    "cannot open db:1/pep: No servers yet; is it running, and are host and port in uri right?");
	error = make(MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE, "[Failed initialize TLS state.]");
	(void)fault_fail(&err, PEP_UNAVAILABLE, &error, "open", "db:1/pep");
	assert_non_null(strstr(err.message, "check tls, tlsCAFile"));
	error = make(MONGOC_ERROR_SERVER, FAULT_UNAUTHORIZED, "not authorized");
	(void)fault_fail(&err, PEP_INVALID, &error, "open", "db:1/pep");
	assert_non_null(strstr(err.message, "readWrite"));
	assert_int_equal(fault_fail(NULL, PEP_UNKNOWN, &error, "open", "x"), PEP_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(starts),
		cmocka_unit_test(messages_are_one_line_and_say_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
