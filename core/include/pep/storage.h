/* SPDX-License-Identifier: Apache-2.0
 *
 * pep/storage.h - a place that keeps records. It compares and swaps single records, and walks them in order; nothing else.
 */
#ifndef PEP_STORAGE_H
#define PEP_STORAGE_H

#include <pep/identity.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which records a scan returns. Each member that is set narrows it. Borrowed for the call. */
struct pep_scan_query {
	uint32_t struct_size;
	uint32_t limit;              /* at most so many; 0: all */
	uint32_t state;              /* PEP_CLAIMED ...; 0: any */
	uint32_t descending;         /* not 0: newest first */
	const char *serial;          /* exactly this one: a get() is a scan of one */
	const char *after;           /* a dispatch_id: continue a walk behind it, in the direction of the walk */
	int64_t deployed_from_ms;    /* deployed_ms >= this; 0: any */
	int64_t deployed_to_ms;      /* deployed_ms < this; 0: any */
	int64_t lease_before_ms;     /* 0 < lease_until_ms < this; 0: any */
	const char *idempotency_key; /* exactly this one */
	/* Not 0: for eyes outside of the server. revision, lease_until_ms, contacted, before, verification_key, nonce, owner,
	 * idempotency_key, request_digest, request_id and history may be left 0 or NULL, and are best not read at all. */
	uint32_t brief;
};

enum {
	PEP_STORAGE_SHARED = 1,       /* many servers may use one store */
	PEP_STORAGE_DURABLE = 2,      /* what was answered with PEP_OK survives a loss of power */
	PEP_STORAGE_INLINE_READS = 4, /* a read of one takes microseconds and never waits: may run on an HTTP thread */
};

/* What backup() or restore() has done. The caller zeroes it and sets struct_size. */
struct pep_storage_copy {
	uint32_t struct_size;
	uint32_t reserved;
	int64_t record_count; /* in the copy */
	char kept[1008];      /* restore(): where the store that was there is now, in words for people; "": there was none */
};

#define PEP_NOTE_SIZE 65536u /* bytes of a note's text, at most */

struct pep_storage_ops {
	uint32_t struct_size;
	uint32_t threads; /* PEP_THREADS_*: what [per threads] below means */
	uint64_t flags;   /* PEP_STORAGE_*: behaviour that no function pointer can show */

	/* --- required --- */

	/* Connect, migrate the schema, make sure that the unique indexes are there. values[i] answers options[i]. *ret_store is
	 * written on success only; then it is the server's until close(). Several instances may be open: no statics.
	 * [one thread, at start] */
	pep_status (*open)(const struct pep_host *host, const union pep_value *values, void **ret_store, struct pep_error *err);
	/* Cannot fail. [after every other call returned] */
	void (*close)(void *store);
	/* Is the store there and writable? Cheap; for the readiness page. [per threads] */
	pep_status (*ping)(void *store, struct pep_error *err);

	/* Both are atomic and durable when they return PEP_OK.
	 * PEP_CONFLICT: not applied; the serial is there, or the revision has moved, or another record has this enrollment_id or
	 * dispatch_id. PEP_UNAVAILABLE: certainly not applied, nor will be. PEP_UNKNOWN: may be applied, now or later, where the
	 * revision still matches; the core reads back. Any other failure is taken for PEP_UNKNOWN. [per threads] */

	/* A new record. Of concurrent inserts of a serial exactly one wins. Stores revision 1, whatever id->revision says. */
	pep_status (*insert)(void *store, const struct pep_identity *id, struct pep_error *err);
	/* Replace the record where serial and revision match id; stores id->revision + 1. No such serial: PEP_CONFLICT. */
	pep_status (*update)(void *store, const struct pep_identity *id, struct pep_error *err);

	/* A walk. With `serial` it sees every write that any server had confirmed before (primary, linearizable).
	 * Order: by dispatch_id, bytewise; records without one come after those with one, by serial, bytewise; `descending`
	 * reverses the whole. *ret_id is the scan's until its next call; NULL is the end.
	 * One thread at a time per scan, many scans at once; scan_close exactly once for each scan_open that succeeded. A scan that
	 * is kept open does not hold up writers. [per threads] */
	pep_status (*scan_open)(void *store, const struct pep_scan_query *query, void **ret_scan, struct pep_error *err);
	pep_status (*scan_next)(void *scan, const struct pep_identity **ret_id, struct pep_error *err);
	void (*scan_close)(void *scan);

	/* --- optional, NULL when absent; new functions are appended here --- */

	/* The store's clock, milliseconds since 1970 UTC. Absent: the server's own is used. [per threads] */
	pep_status (*now)(void *store, int64_t *ret_ms, struct pep_error *err);
	/* How many records a scan would return; `limit` counts, too. [per threads] */
	pep_status (*count)(void *store, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err);

	/* --- since 1.1: notes; both or none --- */

	/* A note is a small text that the server keeps beside the records: how far a subscriber has been told, for one. It lives by its
	 * name, 1 to 64 bytes of [a-z0-9._-], and its revision: 1 when it is first written, one more with each write. There are few
	 * of them, each is written up to some times a second, and none is ever removed.
	 *
	 * Into `text`, PEP_NOTE_SIZE + 1 bytes of the caller's, with a NUL. *ret_revision 0, and an empty text: there is none. Sees
	 * every write that any server had confirmed before (primary, linearizable). [per threads] */
	pep_status (*note_read)(void *store, const char *name, char *text, int64_t *ret_revision, struct pep_error *err);
	/* Replace the text where the note's revision is `revision`; 0: make it, where there is none. Of concurrent writers of one
	 * revision exactly one wins. `text`: UTF-8, 0 to PEP_NOTE_SIZE bytes and a NUL; what is longer is refused: PEP_LIMIT.
	 * Atomic and durable as insert(), with the same answers: PEP_CONFLICT: not applied, the revision has moved.
	 * PEP_UNAVAILABLE: certainly not applied, nor will be. PEP_UNKNOWN: may be applied, now or later, where the revision still
	 * matches. [per threads] */
	pep_status (*note_write)(void *store, const char *name, int64_t revision, const char *text, struct pep_error *err);

	/* --- since 1.1: backups; both for a store that this process has not opened; `values` as for open(). [one thread] --- */

	/* Write the whole store, as it is at one moment, to the file `path`, which is there, empty and its owner's alone: also while a
	 * server uses the store. What was written has been read again and found sound when this returns PEP_OK; the caller syncs,
	 * and removes it otherwise. PEP_NOT_FOUND: there is no store. PEP_CANCELLED: host->stopping(). */
	pep_status (*backup)(const struct pep_host *host, const union pep_value *values, const char *path,
			     struct pep_storage_copy *ret_copy, struct pep_error *err);
	/* Put what backup() wrote to `path` in the place of the store, durably. The store that is there is never destroyed: it is kept
	 * under another name. PEP_CONFLICT: a server uses it. PEP_INVALID: `path` is no such file, or damaged; with either, nothing
	 * has changed. */
	pep_status (*restore)(const struct pep_host *host, const union pep_value *values, const char *path,
			      struct pep_storage_copy *ret_copy, struct pep_error *err);
};

#ifdef __cplusplus
}
#endif

#endif
