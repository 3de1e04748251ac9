/* SPDX-License-Identifier: Apache-2.0
 *
 * pep/exporter.h - writes records in somebody's format: begin, one record after the other, end.
 *
 * The sink pushes back by not asking: record() comes again only when the reader took what it was given. So an exporter is
 * straight-line code, holds no list, and works for any number of records in constant memory.
 */
#ifndef PEP_EXPORTER_H
#define PEP_EXPORTER_H

#include <pep/identity.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEP_SINK_ROOM 65536u /* every begin, record and end starts with at least this many bytes of room */

/* Where the output goes. Lives as long as the call that it was given to. */
struct pep_sink {
	uint32_t struct_size;
	void *ctx; /* the core's own */
	/* All or nothing. PEP_LIMIT: over the room of this call; PEP_CANCELLED: the reader is gone. Pass what is not PEP_OK up. */
	pep_status (*write)(struct pep_sink *sink, const void *data, size_t size);
};

/* `record` or `deliver` is required. Any other may be NULL. Without `begin` and `begin_profile`, `run` is what open() returned; without
 * `open`, that is NULL. */
struct pep_exporter_ops {
	uint32_t struct_size;
	uint32_t threads;       /* PEP_THREADS_*: for everything but open and close; one run is used by one thread at a time */
	const char *media_type; /* "text/csv; charset=utf-8" */
	const char *suffix;     /* of a file, without the dot: "csv" */

	/* One identity, without what the server keeps to itself: verification key, nonce, owner, idempotency key, digest, request id,
	 * history, revision, lease, contacted, before. Not PEP_OK breaks the whole transfer off, so that half a file never looks whole. */
	pep_status (*record)(void *run, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err);

	/* As in pep/storage.h. [one thread, at start] */
	pep_status (*open)(const struct pep_host *host, const union pep_value *values, void **ret_exporter, struct pep_error *err);
	void (*close)(void *exporter);

	/* A run is one file: begin, record for each identity, end. drop comes exactly once for every begin that succeeded, also when
	 * end never came. */
	pep_status (*begin)(void *exporter, struct pep_sink *sink, void **ret_run, struct pep_error *err);
	pep_status (*end)(void *run, struct pep_sink *sink, struct pep_error *err);
	void (*drop)(void *run);

	/* --- since 1.1; new members are appended here --- */

	/* The formats among which a request may choose (?profile=NAME): names of [a-z0-9_-]{1,32}, ended by NULL. NULL: there is one. */
	const char *const *profiles;
	/* Called instead of begin. `profile` is one of `profiles`; NULL: the request leaves it to the exporter. */
	pep_status (*begin_profile)(void *exporter, const char *profile, struct pep_sink *sink, void **ret_run,
				    struct pep_error *err);
	/* Could record() write this one? Called after begin for every record of the export, before the first record() and before
	 * a byte leaves the server, so that one bad record refuses the whole file. PEP_UNSUPPORTED, to the first: this run does not
	 * need to look. PEP_INVALID: no, and `err` names the serial and says what is wrong with it. */
	pep_status (*check)(void *run, const struct pep_identity *id, struct pep_error *err);
	/* Called after begin, record and end, again and again while *ret_more is true: what did not fit into the room of those, each
	 * time with new room. For what cannot say how much it will write, such as another program's output. The file ends when there
	 * is no more after end. */
	pep_status (*rest)(void *run, struct pep_sink *sink, bool *ret_more, struct pep_error *err);
	/* What this instance writes, where that depends on its options; texts as in the members above, until close(). [one thread,
	 * after open] */
	void (*describe)(void *exporter, const char **ret_media_type, const char **ret_suffix);

	/* Tell somebody of one deployed identity. An exporter with this function can be a subscriber ("push" in the configuration):
	 * the server calls it for each identity that is deployed, in the order of dispatch, one after the other, from a thread where
	 * nobody waits for it. At least once: what was told just before the server died, or when it could not note it, is told again
	 * with the same dispatch_id.
	 *
	 * PEP_OK: taken, durably. PEP_UNAVAILABLE, PEP_TIMEOUT, PEP_CANCELLED, PEP_NO_MEMORY, PEP_UNKNOWN: not now, whichever identity
	 * it is; the server tries again, each time later, for as long as it takes. Anything else: refused, this one; the server tries
	 * that again, too, but only so many times, then sets it aside and goes on with the next. *ret_wait_ms, 0 before, read
	 * whatever is returned: the other side asks not to be called again sooner.
	 * It must return within 30 s. [one thread at a time] */
	pep_status (*deliver)(void *exporter, const struct pep_identity *id, int64_t *ret_wait_ms, struct pep_error *err);
};

#ifdef __cplusplus
}
#endif

#endif
