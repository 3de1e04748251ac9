/* SPDX-License-Identifier: Apache-2.0
 *
 * The option `uri`: what is refused, what is added, and that no message shows a secret.
 */
#include "plugins/storage/mongo/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static pep_status init(struct address *address, const char *uri, const char *password, struct pep_error *err)
{
	const struct address_setup setup = {.uri = uri, .password = password, .connections = 7, .timeout_ms = 4000};

	return address_init(address, &setup, err);
}

static void expect_refused(const char *uri, const char *password, const char *part)
{
	struct address address = {0};
	struct pep_error err = {0};

	assert_int_equal(init(&address, uri, password, &err), PEP_INVALID);
	assert_null(address.uri);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" does not say \"%s\"", err.message, part);
	if (strstr(err.message, "s3cret"))
		fail_msg("\"%s\" shows the password", err.message);
}

static void bad_ones_are_refused(void **state)
{
	(void)state;
	expect_refused("mongodb://user:s3cret@db/pep", NULL, "password: file:PATH");
	expect_refused("mongodb://user:s3cret@@db/pep", NULL, "password: file:PATH");
	expect_refused("mongodb://user:s3c%ret@db", NULL, "password: file:PATH");
	expect_refused("mongodb://u:s3cret@db?x=1", NULL, "password: file:PATH");
	expect_refused("mongodb://u:12/x?ssl=s3cret@db/pep", NULL, "cannot read it");
	expect_refused("mongodb://db/pep?tls=true&tlsCertificateKeyFilePassword=s3cret", NULL, "use a key without one");
	expect_refused("mongodb://db/pep?ssl=true&sslClientCertificateKeyPassword=s3cret", NULL, "use a key without one");
	expect_refused("mongodb://db:27017", NULL, "no database");
	expect_refused("mongodb://db:27017/", NULL, "no database");
	expect_refused("db/pep", NULL, "uri: ");
	expect_refused("mongodb://db:99999/pep", NULL, "uri: ");
	expect_refused("mongodb://db/pep", "s3cret", "no user");
	expect_refused("mongodb://user@db/pep", "s3cret\xff", "UTF-8");
	expect_refused("mongodb://user@db/pep", NULL, "no password; put it into a file");
	expect_refused("mongodb://user@db/pep?authMechanism=SCRAM-SHA-256", "", "no password");
	expect_refused("mongodb://db/pep?tls=true&tlsCAFile=/nowhere.pem", NULL,
		       "tlsCAFile /nowhere.pem cannot be read: No such file");
	expect_refused("mongodb://db/pep?tls=true&tlsCertificateKeyFile=/nowhere.pem", NULL, "/nowhere.pem cannot be read");
}

static void what_durability_needs_is_set(void **state)
{
	struct address address;
	struct pep_error err = {0};
	const mongoc_write_concern_t *write;

	(void)state;
	assert_int_equal(init(&address, "mongodb://user@a:1,b:2/pep?w=1&journal=false&readPreference=nearest&retryWrites=false",
			      "s3cret", &err),
			 PEP_OK);
	write = mongoc_uri_get_write_concern(address.uri);
	assert_true(mongoc_write_concern_get_wmajority(write));
	assert_true(mongoc_write_concern_get_journal(write));
	assert_int_equal(mongoc_write_concern_get_wtimeout_int64(write), 4000);
	assert_string_equal(mongoc_read_concern_get_level(mongoc_uri_get_read_concern(address.uri)), "majority");
	assert_int_equal(mongoc_read_prefs_get_mode(mongoc_uri_get_read_prefs_t(address.uri)), MONGOC_READ_PRIMARY);
	assert_true(mongoc_uri_get_option_as_bool(address.uri, MONGOC_URI_RETRYWRITES, false));
	assert_int_equal(mongoc_uri_get_option_as_int32(address.uri, MONGOC_URI_MAXPOOLSIZE, 0), 7);
	assert_int_equal(mongoc_uri_get_option_as_int32(address.uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0), 3000);
	assert_true(mongoc_uri_get_option_as_int32(address.uri, MONGOC_URI_SOCKETTIMEOUTMS, 0) > 4000);
	assert_string_equal(mongoc_uri_get_password(address.uri), "s3cret");
	assert_string_equal(address.name, "a:1,b:2/pep");
	assert_string_equal(address.database, "pep");
	address_fini(&address);
}

static void an_operator_may_wait_longer_for_an_election(void **state)
{
	struct address address;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(init(&address, "mongodb://[::1]:5/pep?serverSelectionTimeoutMS=20000&authSource=admin", NULL, &err),
			 PEP_OK);
	assert_int_equal(mongoc_uri_get_option_as_int32(address.uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0), 20000);
	assert_string_equal(address.name, "[::1]:5/pep");
	address_fini(&address);
}

static void a_certificate_is_a_login_without_a_password(void **state)
{
	struct address address;
	struct pep_error err = {0};

	(void)state;
	assert_int_equal(init(&address, "mongodb://CN=pep@db/pep?authMechanism=MONGODB-X509&tls=true", NULL, &err), PEP_OK);
	address_fini(&address);
}

static void many_hosts_have_a_name(void **state)
{
	struct address address;
	struct pep_error err = {0};
	char uri[1024] = "mongodb://";

	(void)state;
	for (int i = 0; i < 40; i++)
		(void)snprintf(uri + strlen(uri), sizeof(uri) - strlen(uri), "%shost%d.example:1", i ? "," : "", i);
	(void)snprintf(uri + strlen(uri), sizeof(uri) - strlen(uri), "/pep");
	assert_int_equal(init(&address, uri, "", &err), PEP_OK);
	assert_string_equal(address.name + strlen(address.name) - 4, "/pep");
	address_fini(&address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_ones_are_refused),
		cmocka_unit_test(what_durability_needs_is_set),
		cmocka_unit_test(an_operator_may_wait_longer_for_an_election),
		cmocka_unit_test(a_certificate_is_a_login_without_a_password),
		cmocka_unit_test(many_hosts_have_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
