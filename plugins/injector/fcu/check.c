/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
