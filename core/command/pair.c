/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/pair.h"

#include "core/base/cleanup.h"
#include "core/command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DAY_S 86400
#define PATH_SIZE 4096

int pair_make_key(gnutls_x509_privkey_t key, const char *password, gnutls_datum_t *ret_pem)
{
	int code = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

	if (code != 0)
		return code;
	return gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, password,
						 password ? GNUTLS_PKCS_PBES2_AES_256 : GNUTLS_PKCS_PLAIN, ret_pem);
}

/* Random, 20 bytes, positive (RFC 5280, 4.1.2.2). */
static int set_serial(gnutls_x509_crt_t certificate)
{
	uint8_t number[20];
	int code = gnutls_rnd(GNUTLS_RND_NONCE, number, sizeof(number));

	number[0] = (uint8_t)((number[0] & 0x3f) | 0x40);
	return code == 0 ? gnutls_x509_crt_set_serial(certificate, number, sizeof(number)) : code;
}

int pair_fill(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const char *name, int64_t days)
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
		code = gnutls_x509_crt_set_expiration_time(certificate, now_s + days * DAY_S);
	if (code == 0)
		code = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	if (code == 0)
		code = gnutls_x509_crt_set_key(certificate, key);
	if (code == 0)
		code = gnutls_x509_privkey_get_key_id(key, 0, id, &id_size);
	return code == 0 ? gnutls_x509_crt_set_subject_key_id(certificate, id, id_size) : code;
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

static int prepare_file(const char *dir, const char *name, const char *ending, mode_t mode, const gnutls_datum_t *bytes,
			struct new_file *file)
{
	AUTO(close_fd) int fd = -1;

	if (snprintf(file->path, PATH_SIZE, "%s/%s%s", dir, name, ending) >= PATH_SIZE ||
	    snprintf(file->temporary, PATH_SIZE, "%s/.%s%s.XXXXXX", dir, name, ending) >= PATH_SIZE) {
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

int pair_write(const char *dir, const char *name, const gnutls_datum_t *key_pem, const gnutls_datum_t *certificate_pem)
{
	AUTO(drop_file) struct new_file key = {0};
	AUTO(drop_file) struct new_file certificate = {0};
	AUTO(close_fd) int folder_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int exit_code = prepare_file(dir, name, ".key", 0600, key_pem, &key);

	if (exit_code == COMMAND_DONE)
		exit_code = prepare_file(dir, name, ".crt", 0644, certificate_pem, &certificate);
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
