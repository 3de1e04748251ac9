/* SPDX-License-Identifier: Apache-2.0
 *
 * audit_folder.h - which files of a folder are the audit's.
 */
#ifndef CORE_SERVICE_AUDIT_FOLDER_H
#define CORE_SERVICE_AUDIT_FOLDER_H

#include <pep/plugin.h>

#define AUDIT_NAME_SIZE 32u

/* "audit-000001.jsonl". */
void audit_folder_name(unsigned number, char ret_name[AUDIT_NAME_SIZE]);

/* The numbers of the files audit-N.jsonl in a folder, least first; `folder` is an open descriptor. *ret_numbers is malloc'ed. */
pep_status audit_folder_list(int folder, unsigned **ret_numbers, size_t *ret_count, struct pep_error *err);

#endif
