/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h - is everything there that the tool needs, and can nobody else put something in its place?
 */
#ifndef FCU_CHECK_H
#define FCU_CHECK_H

#include <pep/plugin.h>

/* A program that this user may execute. PEP_INVALID names `what` it is, the path, and what to do. [any thread] */
pep_status check_program(const char *what, const char *path, struct pep_error *err);
/* A regular file that is not empty and that this user can read. */
pep_status check_file(const char *what, const char *path, struct pep_error *err);
/* check_file(), and it does not hold the other of certificate and private key in its place, which is easily done. */
pep_status check_pem(const char *what, const char *path, bool is_key, struct pep_error *err);
/* A folder that this user can look into. */
pep_status check_folder(const char *what, const char *path, struct pep_error *err);
/* Can other users than its owner and group read it? */
bool check_is_open(const char *path);

#endif
