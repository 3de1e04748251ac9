/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-server ca init: a certificate authority for tests and for a first look. A real one is made where its key is kept.
 */
#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/command/command.h"
#include "core/command/pair.h"
#include "core/config/file.h"
#include "core/config/value.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LONGEST_DAYS 36525

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

static int fill(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const struct request *request)
{
	int code = pair_fill(certificate, key, request->name, request->days);

	if (code == 0)
		code = gnutls_x509_crt_set_basic_constraints(certificate, 1, 0);
	if (code == 0)
		code = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
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
		code = pair_make_key(key, password, &key_pem);
	if (code == 0)
		code = fill(certificate, key, request);
	if (code == 0)
		code = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_pem);
	if (code != 0)
		(void)command_complain(COMMAND_FAILED, "no certificate authority can be made: %s", gnutls_strerror(code));
	else
		exit_code = pair_write(request->dir, "ca", &key_pem, &certificate_pem);
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
