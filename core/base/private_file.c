/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/private_file.h"

#include <stddef.h>
#include <unistd.h>

const char *private_file_fault(const struct stat *about)
{
	if (about->st_uid != 0 && about->st_uid != geteuid())
		return "it belongs to another user, who can change it; chown it to the server's user";
	if (about->st_mode & S_IRWXO)
		return "every user of this machine has rights to it; chmod 600 it, and change the secret if others may have seen "
		       "it";
	if (about->st_mode & (S_IWGRP | S_IXGRP))
		return "its group can change it; chmod 600 it";
	if ((about->st_mode & S_IRGRP) && about->st_uid != 0)
		return "its group can read it; chmod 600 it, or let root own it";
	return NULL;
}
