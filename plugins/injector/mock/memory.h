/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.h - what the mock gateways hold, in a file of their own: the truth that a test compares with the server's store.
 *
 * One line for each message that takes effect, in the order of effect: "SERIAL ATTEMPT ENROLLMENT_ID" when a certificate is
 * installed, "SERIAL ATTEMPT -" when the first message erases what was there. A serial may hold spaces, the other two do not.
 * Lines are appended with one write each, so several instances and servers may share a file.
 */
#ifndef MOCK_MEMORY_H
#define MOCK_MEMORY_H

#include <pep/identity.h>

struct memory;

/* Opens or makes the file. [one thread] */
pep_status memory_open(const char *path, struct memory **ret_memory, struct pep_error *err);
/* NULL is fine. [after every other call returned] */
void memory_close(struct memory *memory);
/* Can the file be brought to disk? [any thread] */
pep_status memory_test(struct memory *memory, struct pep_error *err);

/* A connection to the gateway of `id`, which serves one at a time; it ends with memory_leave(), or with the process. False: another server's
 * is there. One process has one at a time to each gateway. [any thread] */
bool memory_enter(struct memory *memory, const struct pep_identity *id);
void memory_leave(struct memory *memory, const struct pep_identity *id);

/* Note that the gateway of `id` was erased (enrollment_id NULL) or took a certificate, and bring it to disk; calls at the same
 * time share one fdatasync(). PEP_UNAVAILABLE: nothing was written. PEP_UNKNOWN: it may be in the file. [any thread] */
pep_status memory_note(struct memory *memory, const struct pep_identity *id, const char *enrollment_id, struct pep_error *err);

#endif
