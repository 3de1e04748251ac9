/* SPDX-License-Identifier: Apache-2.0
 *
 * file.h - a small file as a whole: a configuration, a secret.
 */
#ifndef CORE_CONFIG_FILE_H
#define CORE_CONFIG_FILE_H

#include <pep/plugin.h>

/* The bytes of a regular file of at most `limit` bytes, with a NUL behind them; the caller wipes what is secret and calls free().
 * PEP_NOT_FOUND: it cannot be read; PEP_LIMIT: too large. The message names the file. [any thread] */
pep_status file_read(const char *path, size_t limit, char **ret_text, size_t *ret_size, struct pep_error *err);
/* The same of a secret: PEP_INVALID if others have rights to the file (core/base/private_file.h). [any thread] */
pep_status file_read_private(const char *path, size_t limit, char **ret_text, size_t *ret_size, struct pep_error *err);

#endif
