/* SPDX-License-Identifier: Apache-2.0
 *
 * backup.h - a copy of the store in one file, while a server writes to it; and such a file in the place of the store.
 *
 * The promises are those of backup() and restore() in pep/storage.h; `store_path` is the store's file.
 */
#ifndef PLUGINS_STORAGE_SQLITE_BACKUP_H
#define PLUGINS_STORAGE_SQLITE_BACKUP_H

#include <pep/storage.h>

pep_status backup_write(const struct pep_host *host, const char *store_path, const char *path, struct pep_storage_copy *ret_copy,
			struct pep_error *err);
pep_status backup_restore(const struct pep_host *host, const char *store_path, const char *path, struct pep_storage_copy *ret_copy,
			  struct pep_error *err);

/* PEP_INVALID: a restore of this store was killed half-way; what is at `store_path` must not be used. */
pep_status backup_check_restored(const char *store_path, struct pep_error *err);

/* PEP_INVALID means the file `path`; where the store is what cannot be used, PEP_UNAVAILABLE takes its place. Returns the status. */
pep_status backup_no_store(pep_status status, struct pep_error *err);

#endif
