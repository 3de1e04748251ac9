/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_LOOK_SIZE = 65536 };

static pep_status look(const char *what, const char *path, mode_t type, int rights, struct stat *ret_about, struct pep_error *err)
{
	if (stat(path, ret_about) != 0)
		return pep_fail(err, PEP_INVALID, errno, "fcu: %s %s: %s; see the injector's options", what, path, strerror(errno));
	if ((ret_about->st_mode & S_IFMT) != type)
		return pep_fail(err, PEP_INVALID, 0, "fcu: %s %s is not a %s", what, path,
				type == S_IFDIR ? "folder" : "regular file");
	if (faccessat(AT_FDCWD, path, rights, AT_EACCESS) != 0)
		return pep_fail(err, PEP_INVALID, errno, "fcu: %s %s: %s; give the server's user the right to it", what, path,
				strerror(errno));
	/* What everybody may write, everybody may put a program or a key of his own into. */
	if (ret_about->st_mode & S_IWOTH)
		return pep_fail(err, PEP_INVALID, 0, "fcu: %s %s can be changed by everybody; chmod o-w it", what, path);
	return PEP_OK;
}

pep_status check_program(const char *what, const char *path, struct pep_error *err)
{
	struct stat about;

	return look(what, path, S_IFREG, X_OK, &about, err);
}

pep_status check_file(const char *what, const char *path, struct pep_error *err)
{
	struct stat about;
	pep_status status = look(what, path, S_IFREG, R_OK, &about, err);

	if (status == PEP_OK && about.st_size == 0)
		return pep_fail(err, PEP_INVALID, 0, "fcu: %s %s is empty", what, path);
	return status;
}

/* Nothing of a key is left in memory. */
static void look_into(const char *path, bool *ret_has_key, bool *ret_has_certificate)
{
	static const char key[] = "PRIVATE KEY-----";
	static const char certificate[] = "-----BEGIN CERTIFICATE-----";
	char text[PEM_LOOK_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

	if (fd >= 0)
		(void)close(fd);
	*ret_has_key = size > 0 && memmem(text, (size_t)size, key, sizeof(key) - 1);
	*ret_has_certificate = size > 0 && memmem(text, (size_t)size, certificate, sizeof(certificate) - 1);
	explicit_bzero(text, sizeof(text));
}

pep_status check_pem(const char *what, const char *path, bool is_key, struct pep_error *err)
{
	pep_status status = check_file(what, path, err);
	bool has_key = false;
	bool has_certificate = false;

	if (status != PEP_OK)
		return status;
	look_into(path, &has_key, &has_certificate);
	if (is_key && has_certificate && !has_key)
		return pep_fail(err, PEP_INVALID, 0, "fcu: %s %s is a certificate; put the CA's private key there", what, path);
	if (!is_key && has_key)
		return pep_fail(err, PEP_INVALID, 0, "fcu: %s %s holds a private key; put the CA's certificate alone there", what,
				path);
	return PEP_OK;
}

pep_status check_folder(const char *what, const char *path, struct pep_error *err)
{
	struct stat about;

	return look(what, path, S_IFDIR, X_OK, &about, err);
}

bool check_is_open(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && (about.st_mode & S_IROTH);
}
