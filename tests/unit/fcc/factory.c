/* SPDX-License-Identifier: Apache-2.0 */
#include "factory.h"

#include "core/config/value.h"

#include <fcntl.h>
#include <ftw.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define YEAR_S ((int64_t)365 * 86400)

/* Tests of a folder need one place for it. */
#define FOLDER PEP_TEST_BINARY_DIR "/fcc-XXXXXX"
static char folder[sizeof(FOLDER)];

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "factory: %s failed\n", what);
	abort();
}

const char *factory_path(const char *name)
{
	static char paths[8][sizeof(FOLDER) + 64];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *suffix, const gnutls_datum_t *bytes)
{
	char file_name[64];
	int fd;

	(void)snprintf(file_name, sizeof(file_name), "%s.%s", name, suffix);
	fd = open(factory_path(file_name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	demand(fd >= 0 && write(fd, bytes->data, bytes->size) == (ssize_t)bytes->size, "writing a file");
	(void)close(fd);
}

static gnutls_datum_t read_file(const char *name, const char *suffix)
{
	gnutls_datum_t bytes;
	char file_name[64];

	(void)snprintf(file_name, sizeof(file_name), "%s.%s", name, suffix);
	demand(gnutls_load_file(factory_path(file_name), &bytes) == 0, "reading a file");
	return bytes;
}

gnutls_x509_crt_t factory_certificate(const char *name)
{
	gnutls_datum_t bytes = read_file(name, "crt");
	gnutls_x509_crt_t certificate;

	demand(gnutls_x509_crt_init(&certificate) == 0, "making a certificate");
	demand(gnutls_x509_crt_import(certificate, &bytes, GNUTLS_X509_FMT_PEM) == 0, "reading a certificate");
	gnutls_free(bytes.data);
	return certificate;
}

static gnutls_x509_privkey_t read_key(const struct factory_authority *authority)
{
	gnutls_datum_t bytes = read_file(authority->name, "key");
	gnutls_x509_privkey_t key;

	demand(gnutls_x509_privkey_init(&key) == 0, "making a key");
	demand(gnutls_x509_privkey_import2(key, &bytes, GNUTLS_X509_FMT_PEM, authority->password, 0) == 0, "reading a key");
	gnutls_free(bytes.data);
	return key;
}

static gnutls_x509_privkey_t make_key(const struct factory_authority *authority)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t pem;

	demand(gnutls_x509_privkey_init(&key) == 0, "making a key");
	demand(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, authority->curve_bits, 0) == 0, "making a key");
	if (authority->password)
		demand(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, authority->password, GNUTLS_PKCS_PBES2_AES_256,
							 &pem) == 0,
		       "writing a key");
	else
		demand(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem) == 0, "writing a key");
	write_file(authority->name, "key", &pem);
	gnutls_free(pem.data);
	return key;
}

static void fill(gnutls_x509_crt_t certificate, const struct factory_authority *authority, gnutls_x509_privkey_t key)
{
	int64_t now_s = time(NULL);
	uint8_t id[20] = {0};
	size_t size = sizeof(id);
	bool good = gnutls_x509_crt_set_version(certificate, 3) == 0 && gnutls_x509_crt_set_serial(certificate, "\x01", 1) == 0 &&
		    gnutls_x509_crt_set_activation_time(certificate, now_s + authority->from_s) == 0 &&
		    gnutls_x509_crt_set_expiration_time(certificate, now_s + authority->to_s) == 0 &&
		    gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, authority->name,
						  (unsigned)strlen(authority->name)) == 0 &&
		    gnutls_x509_crt_set_key(certificate, key) == 0 &&
		    gnutls_x509_crt_set_basic_constraints(certificate, !authority->is_no_authority, -1) == 0 &&
		    gnutls_x509_privkey_get_key_id(key, 0, id, &size) == 0 &&
		    gnutls_x509_crt_set_subject_key_id(certificate, id, size) == 0;

	demand(good, "filling a certificate");
}

void factory_make(const struct factory_authority *authority)
{
	gnutls_x509_privkey_t key = make_key(authority);
	gnutls_x509_privkey_t root_key = authority->root ? read_key(authority->root) : NULL;
	gnutls_x509_crt_t root = authority->root ? factory_certificate(authority->root->name) : NULL;
	gnutls_x509_crt_t certificate;
	gnutls_datum_t pem;

	demand(gnutls_x509_crt_init(&certificate) == 0, "making a certificate");
	fill(certificate, authority, key);
	demand(gnutls_x509_crt_sign2(certificate, root ? root : certificate, root ? root_key : key,
				     authority->digest ? authority->digest : GNUTLS_DIG_SHA256, 0) == 0,
	       "signing a certificate");
	demand(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem) == 0, "writing a certificate");
	write_file(authority->name, "crt", &pem);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
	if (root) {
		gnutls_x509_crt_deinit(root);
		gnutls_x509_privkey_deinit(root_key);
	}
}

const char *factory_init(void)
{
	memcpy(folder, FOLDER, sizeof(folder));
	demand(mkdtemp(folder) != NULL, "making a folder");
	factory_make(&(struct factory_authority){.name = "ca", .curve_bits = 256, .from_s = -86400, .to_s = 30 * YEAR_S});
	factory_make(&(struct factory_authority){.name = "server", .curve_bits = 256, .from_s = -86400, .to_s = 30 * YEAR_S});
	factory_make(&(struct factory_authority){.name = "update", .curve_bits = 256, .from_s = -86400, .to_s = 30 * YEAR_S});
	return folder;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	return remove(path);
}

void factory_fini(void)
{
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* As the server reads a default. */
static void take_default(const struct pep_option *option, union pep_value *value)
{
	const char *text = option->fallback ? option->fallback : "";
	bool good = true;

	if (option->type == PEP_INT)
		good = value_int(text, &value->number);
	else if (option->type == PEP_MILLISECONDS)
		good = value_span(text, &value->number);
	else if (option->type == PEP_BOOL)
		good = value_bool(text, &value->flag);
	else
		value->text = text;
	demand(good, option->key);
}

void factory_options(union pep_value values[OPT_COUNT])
{
	static char ca_key[sizeof(FOLDER) + 64], ca_certificate[sizeof(ca_key)], server_ca[sizeof(ca_key)], update[sizeof(ca_key)];

	for (size_t i = 0; i < OPT_COUNT; i++)
		take_default(&settings_options[i], &values[i]);
	(void)snprintf(ca_key, sizeof(ca_key), "%s", factory_path("ca.key"));
	(void)snprintf(ca_certificate, sizeof(ca_certificate), "%s", factory_path("ca.crt"));
	(void)snprintf(server_ca, sizeof(server_ca), "%s", factory_path("server.crt"));
	(void)snprintf(update, sizeof(update), "%s", factory_path("update.crt"));
	values[OPT_CA_KEY].text = ca_key;
	values[OPT_CA_CERTIFICATE].text = ca_certificate;
	values[OPT_BOOTSTRAP_CA].text = server_ca;
	values[OPT_UPDATE_CERTIFICATE].text = update;
	values[OPT_BOOTSTRAP_URI].text = "coaps://bootstrap.example.com:5684";
	values[OPT_MANUFACTURER].text = "Test Manufacturer";
	values[OPT_MODEL_NUMBER].text = "Test-Gateway";
}
