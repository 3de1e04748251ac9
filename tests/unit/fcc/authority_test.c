/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificate authority: what it refuses, what it makes, out of files and out of a token.
 */
#include "factory.h"
#include "plugins/injector/fcc/authority.h"
#include "plugins/injector/fcc/keypair.h"
#include "plugins/injector/fcc/mould.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY ((int64_t)86400)
static const struct factory_authority good = {.name = "ca", .curve_bits = 256};

/* An authority as the options name it. */
static pep_status open_with(const union pep_value *values, struct authority **ret_authority, struct settings *settings,
			    struct pep_error *err)
{
	assert_int_equal(settings_read(values, settings, err), PEP_OK);
	return authority_open(settings, ret_authority, err);
}

static void check_refused(const char *key, const char *certificate, const char *password, const char *words)
{
	union pep_value values[OPT_COUNT];
	struct authority *authority = NULL;
	struct settings settings;
	struct pep_error err = {0};
	pep_status status;

	factory_options(values);
	values[OPT_CA_KEY].text = factory_path(key);
	values[OPT_CA_CERTIFICATE].text = factory_path(certificate);
	values[OPT_CA_KEY_PASSWORD].text = password;
	status = open_with(values, &authority, &settings, &err);
	if (status != PEP_INVALID || !strstr(err.message, words) || strchr(err.message, '\n') || authority)
		fail_msg("%s, %s: status %d, %s", key, certificate, status, err.message);
	if (*password)
		assert_null(strstr(err.message, password));
	settings_free(&settings);
}

static void bad_authorities(void **state)
{
	const struct factory_authority made[] = {
		{.name = "expired", .curve_bits = 256, .from_s = -2 * DAY, .to_s = -DAY},
		{.name = "future", .curve_bits = 256, .from_s = DAY, .to_s = 2 * DAY},
		{.name = "leaf", .curve_bits = 256, .from_s = -DAY, .to_s = DAY, .is_no_authority = true},
		{.name = "p384", .curve_bits = 384, .from_s = -DAY, .to_s = DAY},
		{.name = "locked", .curve_bits = 256, .from_s = -DAY, .to_s = DAY, .password = "s3cret-word"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		factory_make(&made[i]);
	check_refused("expired.key", "expired.crt", "", "it has expired");
	check_refused("future.key", "future.crt", "", "it is not valid yet");
	check_refused("leaf.key", "leaf.crt", "", "not that of a certificate authority");
	check_refused("p384.key", "p384.crt", "", "not one of P-256");
	check_refused("p384.key", "ca.crt", "", "is not the key of");
	check_refused("server.key", "ca.crt", "", "is not the key of");
	check_refused("locked.key", "locked.crt", "", "set ca_key_password");
	check_refused("locked.key", "locked.crt", "wrong-word", "set ca_key_password");
	check_refused("none.key", "ca.crt", "", "No such file");
	check_refused("ca.key", "none.crt", "", "No such file");
	check_refused("ca.crt", "ca.crt", "", "give a private key in PEM");
	check_refused("ca.key", "ca.key", "", "holds no certificate");
}

static void encrypted_key(void **state)
{
	const struct factory_authority locked = {
		.name = "locked2", .curve_bits = 256, .from_s = -DAY, .to_s = DAY, .password = "s3cret-word"};
	union pep_value values[OPT_COUNT];
	struct authority *authority = NULL;
	struct settings settings;
	struct pep_error err = {0};

	(void)state;
	factory_make(&locked);
	factory_options(values);
	values[OPT_CA_KEY].text = factory_path("locked2.key");
	values[OPT_CA_CERTIFICATE].text = factory_path("locked2.crt");
	values[OPT_CA_KEY_PASSWORD].text = "s3cret-word";
	assert_int_equal(open_with(values, &authority, &settings, &err), PEP_OK);
	authority_close(authority);
	settings_free(&settings);
}

/* --- what it makes --- */

static gnutls_x509_crt_t issue(const struct authority *authority, const char *serial, int64_t now_s)
{
	gnutls_datum_t private_key = {0}, der = {0};
	gnutls_x509_crt_t certificate;
	gnutls_pubkey_t key;
	struct pep_error err = {0};

	assert_int_equal(keypair_make(&key, &private_key, &err), PEP_OK);
	if (authority_issue(authority, serial, key, now_s, &der, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
	assert_int_equal(gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_pubkey_deinit(key);
	certificate_wipe(&private_key);
	certificate_wipe(&der);
	assert_null(private_key.data);
	return certificate;
}

static void check_signed(gnutls_x509_crt_t certificate, const char *authority_name)
{
	gnutls_x509_crt_t authority = factory_certificate(authority_name);
	unsigned verdict = 1;

	assert_int_equal(gnutls_x509_crt_verify(certificate, &authority, 1, 0, &verdict), 0);
	assert_int_equal(verdict, 0);
	gnutls_x509_crt_deinit(authority);
}

/* What a gateway looks at (docs/plugins/fcc.md), and RFC 5280. */
static void certificates_for_gateways(void **state)
{
	union pep_value values[OPT_COUNT];
	struct authority *authority = NULL;
	struct settings settings;
	struct pep_error err = {0};
	gnutls_x509_crt_t certificate, other;
	uint8_t serial[32], other_serial[32];
	size_t size = sizeof(serial), other_size = sizeof(other_serial);
	char text[256];
	unsigned usage, critical;
	int64_t now_s = time(NULL);

	(void)state;
	factory_options(values);
	values[OPT_SUBJECT_COUNTRY].text = "FI";
	values[OPT_SUBJECT_ORGANIZATION].text = "Factory, Ltd";
	assert_int_equal(open_with(values, &authority, &settings, &err), PEP_OK);
	certificate = issue(authority, "GW-1", now_s);
	other = issue(authority, "GW-1", now_s);
	assert_null(certificate_fault(certificate));
	assert_int_equal(gnutls_x509_crt_get_version(certificate), 3);
	check_signed(certificate, "ca");
	assert_int_equal(gnutls_x509_crt_get_serial(certificate, serial, &size), 0);
	assert_int_equal(gnutls_x509_crt_get_serial(other, other_serial, &other_size), 0);
	assert_int_equal(size, 20);
	assert_true(serial[0] >= 1 && serial[0] <= 0x7f);
	assert_memory_not_equal(serial, other_serial, 20);
	size = sizeof(text);
	assert_int_equal(gnutls_x509_crt_get_dn(certificate, text, &size), 0);
	assert_string_equal(text, "C=FI,O=Factory\\, Ltd,CN=GW-1");
	size = sizeof(text);
	assert_int_equal(gnutls_x509_crt_get_key_purpose_oid(certificate, 0, text, &size, &critical), 0);
	assert_string_equal(text, GNUTLS_KP_TLS_WWW_CLIENT);
	assert_int_equal(gnutls_x509_crt_get_key_usage(certificate, &usage, &critical), 0);
	assert_int_equal(usage, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_AGREEMENT);
	assert_true(gnutls_x509_crt_get_ca_status(certificate, &critical) <= 0);
	assert_true(gnutls_x509_crt_get_activation_time(certificate) <= now_s - 60);
	/* a gateway warns below ten years */
	assert_true(gnutls_x509_crt_get_expiration_time(certificate) >= now_s + (int64_t)315360000);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_crt_deinit(other);
	authority_close(authority);
	settings_free(&settings);
}

static void account_is_the_unit_without_bootstrap(void **state)
{
	union pep_value values[OPT_COUNT];
	struct authority *authority = NULL;
	struct settings settings;
	struct pep_error err = {0};
	gnutls_x509_crt_t certificate;
	char text[256];
	size_t size = sizeof(text);

	(void)state;
	factory_options(values);
	values[OPT_SUBJECT_UNIT].text = "line";
	values[OPT_USE_BOOTSTRAP].flag = values[OPT_FIRST_TO_CLAIM].flag = false;
	values[OPT_ACCOUNT_ID].text = "0123";
	assert_int_equal(open_with(values, &authority, &settings, &err), PEP_OK);
	certificate = issue(authority, "GW-1", time(NULL));
	assert_int_equal(gnutls_x509_crt_get_dn(certificate, text, &size), 0);
	assert_string_equal(text, "OU=0123,CN=GW-1");
	gnutls_x509_crt_deinit(certificate);
	authority_close(authority);
	settings_free(&settings);
}

/* An authority below another one: a file with both, and gateways that get one of them. */
static void chains(void **state)
{
	const struct factory_authority middle = {.name = "middle", .curve_bits = 256, .from_s = -DAY, .to_s = DAY, .root = &good};
	union pep_value values[OPT_COUNT];
	struct authority *authority = NULL;
	struct settings settings;
	struct pep_error err = {0};
	struct blob chain[AUTHORITY_CHAIN_LIMIT];
	char command[1024];

	(void)state;
	factory_make(&middle);
	(void)snprintf(command, sizeof(command), "%s", factory_path("both.crt"));
	for (int i = 0; i < 2; i++) {
		FILE *from = fopen(factory_path(i ? "ca.crt" : "middle.crt"), "r");
		FILE *to = fopen(command, i ? "a" : "w");
		char text[4096];
		size_t size;

		assert_non_null(from);
		assert_non_null(to);
		size = fread(text, 1, sizeof(text), from);
		assert_int_equal(fwrite(text, 1, size, to), size);
		assert_int_equal(fclose(from) + fclose(to), 0);
	}
	factory_options(values);
	values[OPT_CA_KEY].text = factory_path("middle.key");
	values[OPT_CA_CERTIFICATE].text = command;
	values[OPT_CHAIN_DEPTH].number = 3;
	assert_int_equal(open_with(values, &authority, &settings, &err), PEP_OK);
	assert_int_equal(authority_chain(authority, (struct blob){(const uint8_t *)"x", 1}, chain), 3);
	assert_int_equal(chain[0].size, 1);
	assert_true(chain[1].size > 200 && chain[2].size > 200);
	assert_true(authority_expires_s(authority) <= time(NULL) + DAY); /* that of the one that ends first */
	authority_close(authority);
	settings_free(&settings);

	authority = NULL;
	values[OPT_CHAIN_DEPTH].number = 4;
	assert_int_equal(open_with(values, &authority, &settings, &err), PEP_INVALID);
	assert_non_null(strstr(err.message, "chain_depth 4 needs 3"));
	settings_free(&settings);

	values[OPT_CHAIN_DEPTH].number = 2;
	values[OPT_CA_CERTIFICATE].text = factory_path("middle.crt");
	assert_int_equal(open_with(values, &authority, &settings, &err), PEP_OK);
	authority_close(authority);
	settings_free(&settings);
}

/* What a gateway gets must all be valid: the one that ends first counts. */
static void root_ends_before_its_child(void **state)
{
	const struct factory_authority root = {.name = "brief", .curve_bits = 256, .from_s = -DAY, .to_s = DAY};
	const struct factory_authority child = {
		.name = "longer", .curve_bits = 256, .from_s = -DAY, .to_s = 9 * DAY, .root = &root};
	gnutls_datum_t pem[2] = {0};
	union pep_value values[OPT_COUNT];
	struct authority *authority = NULL;
	struct settings settings;
	struct pep_error err = {0};
	FILE *file;

	(void)state;
	factory_make(&root);
	factory_make(&child);
	file = fopen(factory_path("pair.crt"), "w");
	assert_non_null(file);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(gnutls_load_file(factory_path(i ? "brief.crt" : "longer.crt"), &pem[i]), 0);
		assert_int_equal(fwrite(pem[i].data, 1, pem[i].size, file), pem[i].size);
		gnutls_free(pem[i].data);
	}
	assert_int_equal(fclose(file), 0);
	factory_options(values);
	values[OPT_CA_KEY].text = factory_path("longer.key");
	values[OPT_CA_CERTIFICATE].text = factory_path("pair.crt");
	for (int64_t depth = 2; depth <= 3; depth++) {
		values[OPT_CHAIN_DEPTH].number = depth;
		assert_int_equal(open_with(values, &authority, &settings, &err), PEP_OK);
		assert_int_equal(authority_expires_s(authority) > time(NULL) + DAY, depth == 2);
		authority_close(authority);
		settings_free(&settings);
	}
}

static void expired_while_running(void **state)
{
	union pep_value values[OPT_COUNT];
	struct authority *authority = NULL;
	struct settings settings;
	struct pep_error err = {0};

	(void)state;
	factory_options(values);
	assert_int_equal(open_with(values, &authority, &settings, &err), PEP_OK);
	assert_int_equal(authority_check(authority, authority_expires_s(authority) - 1, &err), PEP_OK);
	assert_int_equal(authority_check(authority, authority_expires_s(authority), &err), PEP_INTERNAL);
	assert_non_null(strstr(err.message, "has expired"));
	authority_close(authority);
	settings_free(&settings);
}

/* The bytes that GnuTLS writes for the same key; many keys, so that some have zeros in front. */
static void private_keys_are_written_as_the_library_does(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		gnutls_datum_t der = {0}, again = {0};
		gnutls_x509_privkey_t key;
		gnutls_pubkey_t public_key;

		assert_int_equal(keypair_make(&public_key, &der, NULL), PEP_OK);
		assert_int_equal(gnutls_x509_privkey_init(&key), 0);
		assert_int_equal(gnutls_x509_privkey_import(key, &der, GNUTLS_X509_FMT_DER), 0);
		assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_DER, &again), 0);
		assert_int_equal(der.size, again.size);
		assert_memory_equal(der.data, again.data, der.size);
		gnutls_x509_privkey_deinit(key);
		gnutls_pubkey_deinit(public_key);
		certificate_wipe(&der);
		certificate_wipe(&again);
	}
}

/* Every kind of name and time that differs in the encoding, read back by the library. */
static void every_shape_of_certificate(void **state)
{
	static const char *const names[] = {"G", "GW-1", "A_B", "a@b*c",
					    "0123456789012345678901234567890123456789012345678901234567890123"};
	static const int64_t validity[] = {1, 365, 8000, 9131, 36500};
	static const char *const organizations[] = {"", "Factory",
						    "F\xc3\xa4"
						    "ctory, a name that is so long that its length takes two"};

	(void)state;
	for (size_t i = 0; i < 5 * 5 * 3; i++) {
		union pep_value values[OPT_COUNT];
		struct authority *authority = NULL;
		struct settings settings;
		struct pep_error err = {0};
		gnutls_x509_crt_t certificate;
		int64_t now_s = time(NULL);
		uint8_t name[256];
		size_t size = sizeof(name);

		factory_options(values);
		values[OPT_SUBJECT_ORGANIZATION].text = organizations[i / 25];
		values[OPT_VALIDITY_DAYS].number = validity[i / 5 % 5];
		assert_int_equal(open_with(values, &authority, &settings, &err), PEP_OK);
		certificate = issue(authority, names[i % 5], now_s);
		check_signed(certificate, "ca");
		assert_int_equal(gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 1, name, &size), 0);
		assert_int_equal(size, strlen(names[i % 5]) + 2);
		assert_memory_equal(name + 2, names[i % 5], size - 2);
		assert_int_equal(gnutls_x509_crt_get_activation_time(certificate), now_s - 3600);
		assert_int_equal(gnutls_x509_crt_get_expiration_time(certificate), now_s + validity[i / 5 % 5] * DAY);
		gnutls_x509_crt_deinit(certificate);
		authority_close(authority);
		settings_free(&settings);
	}
}

/* What it was not taken from, or what has no extensions, is no mould. */
static void a_mould_must_fit(void **state)
{
	gnutls_x509_crt_t ca = factory_certificate("ca");
	const struct mould_fields fields = {.serial = {1}, .from_s = 1, .to_s = 2, .name = "GW-1"};
	gnutls_datum_t der = {0};

	(void)state;
	assert_int_equal(gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_DER, &der), 0);
	for (unsigned size = 0; size <= der.size; size++) {
		uint8_t *exact = malloc(size ? size : 1);

		assert_non_null(exact);
		memcpy(exact, der.data, size);
		assert_null(mould_new((struct blob){exact, size}, &fields));
		free(exact);
	}
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(ca);
}

struct issuer {
	pthread_t thread;
	const struct authority *authority;
	gnutls_x509_crt_t certificates[8];
};

static void *issue_some(void *data)
{
	struct issuer *issuer = data;

	for (size_t i = 0; i < 8; i++)
		issuer->certificates[i] = issue(issuer->authority, "GW-THREAD", time(NULL));
	return NULL;
}

/* One key serves all injections. */
static void issue_in_threads(const struct authority *authority)
{
	struct issuer issuers[8];

	for (size_t i = 0; i < 8; i++) {
		issuers[i].authority = authority;
		assert_int_equal(pthread_create(&issuers[i].thread, NULL, issue_some, &issuers[i]), 0);
	}
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(issuers[i].thread, NULL), 0);
		for (size_t j = 0; j < 8; j++) {
			check_signed(issuers[i].certificates[j], "ca");
			gnutls_x509_crt_deinit(issuers[i].certificates[j]);
		}
	}
}

/* --- a token --- */

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

/* Run a program; returns its exit code. */
static int run(char *const arguments[])
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		if (!freopen("/dev/null", "w", stderr))
			_exit(126);
		(void)execvp(arguments[0], arguments);
		_exit(127);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A folder for tokens, and one with the key of the good authority in it. */
static bool make_token(char tokens[512], char configuration[600])
{
	char key[512];
	char *const init[] = {"softhsm2-util", "--init-token", "--free", "--label",  "line",
			      "--so-pin",      "12345678",     "--pin",  "13571113", NULL};
	char *const import[] = {"softhsm2-util", "--import", key,     "--token",  "line", "--label", "ca",
				"--id",          "0102",     "--pin", "13571113", NULL};
	FILE *file;

	(void)snprintf(tokens, 512, "%s", factory_path("tokens"));
	(void)snprintf(configuration, 600, "%s", factory_path("softhsm2.conf"));
	(void)snprintf(key, sizeof(key), "%s", factory_path("ca8.key"));
	if (mkdir(tokens, 0700) < 0 || !(file = fopen(configuration, "w")))
		return false;
	(void)fprintf(file, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", tokens);
	(void)fclose(file);
	(void)setenv("SOFTHSM2_CONF", configuration, 1);
	return run(init) == 0 && run(import) == 0;
}

/* softhsm2-util reads PKCS#8 only. */
static void write_pkcs8(void)
{
	gnutls_datum_t pem;
	gnutls_x509_privkey_t key;
	FILE *file = fopen(factory_path("ca8.key"), "w");

	assert_non_null(file);
	assert_int_equal(gnutls_load_file(factory_path("ca.key"), &pem), 0);
	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_import(key, &pem, GNUTLS_X509_FMT_PEM), 0);
	gnutls_free(pem.data);
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem), 0);
	assert_int_equal(fwrite(pem.data, 1, pem.size, file), pem.size);
	assert_int_equal(fclose(file), 0);
	gnutls_free(pem.data);
	gnutls_x509_privkey_deinit(key);
}

static void key_in_a_token(void **state)
{
	static const char uri[] = "pkcs11:token=line;object=ca;type=private";
	union pep_value values[OPT_COUNT];
	struct authority *authority = NULL;
	struct settings settings;
	struct pep_error err = {0};
	gnutls_x509_crt_t certificate;
	struct authority *second = NULL;
	char tokens[512], configuration[600];

	(void)state;
	if (access(SOFTHSM, R_OK) != 0) {
		print_message("no SoftHSM here\n");
		skip();
	}
	write_pkcs8();
	assert_true(make_token(tokens, configuration));
	factory_options(values);
	values[OPT_CA_KEY].text = uri;
	values[OPT_PKCS11_MODULE].text = SOFTHSM;
	values[OPT_CA_KEY_PASSWORD].text = "00000000";
	assert_int_equal(open_with(values, &authority, &settings, &err), PEP_INVALID);
	assert_null(strstr(err.message, "00000000"));
	settings_free(&settings);
	values[OPT_CA_KEY_PASSWORD].text = "13571113";
	if (open_with(values, &authority, &settings, &err) != PEP_OK)
		fail_msg("%s", err.message);
	/* A second instance with the same module and token, as two injectors of one server would have. */
	assert_int_equal(authority_open(&settings, &second, &err), PEP_OK);
	authority_close(second);
	assert_int_equal(authority_check(authority, time(NULL), &err), PEP_OK);
	issue_in_threads(authority);
	certificate = issue(authority, "GW-TOKEN", time(NULL));
	check_signed(certificate, "ca");
	gnutls_x509_crt_deinit(certificate);
	authority_close(authority);
	settings_free(&settings);
}

static int begin(void **state)
{
	(void)state;
	(void)factory_init();
	return 0;
}

static int end(void **state)
{
	(void)state;
	factory_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_authorities),
		cmocka_unit_test(encrypted_key),
		cmocka_unit_test(certificates_for_gateways),
		cmocka_unit_test(account_is_the_unit_without_bootstrap),
		cmocka_unit_test(private_keys_are_written_as_the_library_does),
		cmocka_unit_test(every_shape_of_certificate),
		cmocka_unit_test(a_mould_must_fit),
		cmocka_unit_test(chains),
		cmocka_unit_test(root_ends_before_its_child),
		cmocka_unit_test(expired_while_running),
		cmocka_unit_test(key_in_a_token),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
