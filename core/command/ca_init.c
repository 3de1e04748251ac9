/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-server ca init: a certificate authority for tests and for a first look. A real one is made where its key is kept.
 */
#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/command/command.h"
#include "core/config/file.h"
#include "core/config/value.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DAY_S 86400
#define LONGEST_DAYS 36525
#define PATH_SIZE 4096

struct request {
	const char *dir, *name, *password_file;
	int64_t days;
};

static bool read_request(int count, char **arguments, struct request *request)
{
	for (int i = 0; i < count; i++) {
		bool has_next = i + 1 < count;

		if (strcmp(arguments[i], "--name") == 0 && has_next)
			request->name = arguments[++i];
		else if (strcmp(arguments[i], "--password-file") == 0 && has_next)
			request->password_file = arguments[++i];
		else if (strcmp(arguments[i], "--days") == 0 && has_next) {
			if (!value_int(arguments[++i], &request->days))
				return false;
		} else if (arguments[i][0] != '-' && !request->dir)
			request->dir = arguments[i];
		else
			return false;
	}
	return request->dir && *request->name && strlen(request->name) <= 64 &&
	       text_is_printable(request->name, strlen(request->name)) && request->days >= 1 && request->days <= LONGEST_DAYS;
}

/* Random, 20 bytes, positive (RFC 5280, 4.1.2.2). */
static int set_serial(gnutls_x509_crt_t certificate)
{
	uint8_t number[20];
	int code = gnutls_rnd(GNUTLS_RND_NONCE, number, sizeof(number));

	number[0] = (uint8_t)((number[0] & 0x3f) | 0x40);
	return code == 0 ? gnutls_x509_crt_set_serial(certificate, number, sizeof(number)) : code;
}

static int fill(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const struct request *request)
{
	time_t now_s = time(NULL);
	uint8_t id[64];
	size_t id_size = sizeof(id);
	int code = gnutls_x509_crt_set_version(certificate, 3);

	if (code == 0)
		code = set_serial(certificate);
	if (code == 0)
		code = gnutls_x509_crt_set_activation_time(certificate, now_s - DAY_S);
	if (code == 0)
		code = gnutls_x509_crt_set_expiration_time(certificate, now_s + request->days * DAY_S);
	if (code == 0)
		code = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, request->name,
						     (unsigned)strlen(request->name));
	if (code == 0)
		code = gnutls_x509_crt_set_key(certificate, key);
	if (code == 0)
		code = gnutls_x509_crt_set_basic_constraints(certificate, 1, 0);
	if (code == 0)
		code = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	if (code == 0)
		code = gnutls_x509_privkey_get_key_id(key, 0, id, &id_size);
	if (code == 0)
		code = gnutls_x509_crt_set_subject_key_id(certificate, id, id_size);
	return code == 0 ? gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0) : code;
}

/* The first line of the password file, NUL-terminated, the caller's to wipe. NULL: that it cannot be read or is empty was said. */
static char *read_password(const char *path, size_t *ret_size)
{
	struct pep_error err = {0};
	char *text = NULL;

	if (file_read(path, 1024, &text, ret_size, &err) != PEP_OK) {
		(void)command_complain(COMMAND_FAILED, "%s", err.message);
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (*text)
		return text;
	(void)command_complain(COMMAND_FAILED, "%s: its first line is empty, and an empty password protects nothing", path);
	explicit_bzero(text, *ret_size); /* it may be in the second line */
	free(text);
	return NULL;
}

static int make_key(gnutls_x509_privkey_t key, const char *password, gnutls_datum_t *ret_pem)
{
	int code = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

	if (code != 0)
		return code;
	return gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, password,
						 password ? GNUTLS_PKCS_PBES2_AES_256 : GNUTLS_PKCS_PLAIN, ret_pem);
}

/* A file that is not there yet: under another name until it is whole. */
struct new_file {
	char path[PATH_SIZE], temporary[PATH_SIZE]; /* temporary "": there is none */
};

static void drop_file(const struct new_file *file)
{
	if (file->temporary[0])
		(void)unlink(file->temporary);
}

static int prepare_file(const char *dir, const char *name, mode_t mode, const gnutls_datum_t *bytes, struct new_file *file)
{
	AUTO(close_fd) int fd = -1;

	if (snprintf(file->path, PATH_SIZE, "%s/%s", dir, name) >= PATH_SIZE ||
	    snprintf(file->temporary, PATH_SIZE, "%s/.%s.XXXXXX", dir, name) >= PATH_SIZE) {
		file->temporary[0] = '\0';
		return command_complain(COMMAND_FAILED, "%.200s...: the path is too long", dir);
	}
	fd = mkostemp(file->temporary, O_CLOEXEC);
	if (fd < 0) {
		file->temporary[0] = '\0';
		return command_complain(COMMAND_FAILED, "cannot make a file in %s: %s", dir, strerror(errno));
	}
	if (write(fd, bytes->data, bytes->size) == (ssize_t)bytes->size && fchmod(fd, mode) == 0 && fsync(fd) == 0)
		return COMMAND_DONE;
	return command_complain(COMMAND_FAILED, "cannot write a file in %s; is the disk full?", dir);
}

/* One that is there already is somebody's. */
static int publish_file(struct new_file *file)
{
	if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_NOREPLACE) != 0)
		return command_complain(COMMAND_FAILED, "cannot make %s: %s; nothing is overwritten", file->path, strerror(errno));
	file->temporary[0] = '\0';
	return COMMAND_DONE;
}

/* Both or none. */
static int write_files(const char *dir, const gnutls_datum_t *key_pem, const gnutls_datum_t *certificate_pem)
{
	AUTO(drop_file) struct new_file key = {0};
	AUTO(drop_file) struct new_file certificate = {0};
	AUTO(close_fd) int folder_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int exit_code = prepare_file(dir, "ca.key", 0600, key_pem, &key);

	if (exit_code == COMMAND_DONE)
		exit_code = prepare_file(dir, "ca.crt", 0644, certificate_pem, &certificate);
	if (exit_code == COMMAND_DONE)
		exit_code = publish_file(&key);
	if (exit_code != COMMAND_DONE)
		return exit_code;
	exit_code = publish_file(&certificate);
	if (exit_code != COMMAND_DONE) {
		(void)unlink(key.path);
		return exit_code;
	}
	(void)fsync(folder_fd);
	(void)printf("%s\n%s\n", key.path, certificate.path);
	return COMMAND_DONE;
}

static int make(const struct request *request, const char *password)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t key_pem = {0}, certificate_pem = {0};
	int exit_code = COMMAND_FAILED;
	int code = gnutls_x509_privkey_init(&key);

	if (code == 0)
		code = gnutls_x509_crt_init(&certificate);
	if (code == 0)
		code = make_key(key, password, &key_pem);
	if (code == 0)
		code = fill(certificate, key, request);
	if (code == 0)
		code = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_pem);
	if (code != 0)
		(void)command_complain(COMMAND_FAILED, "no certificate authority can be made: %s", gnutls_strerror(code));
	else
		exit_code = write_files(request->dir, &key_pem, &certificate_pem);
	if (key_pem.data)
		gnutls_memset(key_pem.data, 0, key_pem.size);
	gnutls_free(key_pem.data);
	gnutls_free(certificate_pem.data);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key); /* which wipes it */
	return exit_code;
}

int command_ca_init(int count, char **arguments)
{
	struct request request = {.name = "pep test CA", .days = 10958};
	AUTO(free_ptr) char *password = NULL;
	size_t password_size = 0;
	int exit_code;

	if (!read_request(count, arguments, &request))
		return command_complain(COMMAND_USAGE,
					"ca init takes a folder, a name of 1 to 64 printable bytes and 1 to 36525 days; "
					"try pep-server ca --help");
	if (mkdir(request.dir, 0700) < 0 && errno != EEXIST)
		return command_complain(COMMAND_FAILED, "cannot make the folder %s: %s", request.dir, strerror(errno));
	if (request.password_file && !(password = read_password(request.password_file, &password_size)))
		return COMMAND_FAILED;
	exit_code = make(&request, password);
	if (password)
		explicit_bzero(password, password_size);
	return exit_code;
}
