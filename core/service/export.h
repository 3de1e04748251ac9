/* SPDX-License-Identifier: Apache-2.0
 *
 * export.h - records of the store, written by an exporter, as content that is made while it is sent.
 *
 * Memory does not grow with the number of records. One storage scan stays open for the whole walk: storage promises that this holds
 * up no writer, and a walk by pages could not continue behind a record without a dispatch_id.
 */
#ifndef CORE_SERVICE_EXPORT_H
#define CORE_SERVICE_EXPORT_H

#include "core/http/stream.h"
#include "core/plugin/instance.h"
#include "core/service/audit.h"
#include "core/service/meters.h"
#include "core/service/selection.h"

/* Borrowed until the stream is closed: storage, exporter, audit and meters. For the call: all else. */
struct export_order {
	struct storage *storage;
	struct exporter *exporter;
	struct audit *audit;
	struct meters_export *meters; /* NULL: nobody counts */
	const char *profile;          /* NULL: the exporter's own choice */
	struct selection selection;
	const char *actor;      /* for the audit: who asks */
	const char *peer;       /* for the audit: from which address */
	const char *request_id; /* for log and audit */
};

/* What is known when the first byte may be sent. */
struct export_start {
	struct stream *stream;  /* the caller's, to be closed by its own close() */
	bool has_more;          /* the limit cut it off, and `next` continues behind it */
	char next[25];          /* the dispatch id behind which it continues */
	struct audit_head head; /* of the audit, which tells that it begins */
	int64_t count;          /* records that it has, those aside that appear while it is sent; -1: not counted */
};

/* Audit that it begins, look at every record if the exporter checks or there is a limit, open the scan and the exporter's run, and make
 * the first part of the content, so that an error that shows early can still be answered with a status of its own: PEP_INVALID: a
 * record cannot be written in this format, `err` says which and why. What goes wrong later is logged and breaks the stream off. How
 * it ended is audited when the stream is closed: records, bytes, SHA-256 of what was sent. [any thread] */
pep_status export_open(const struct export_order *order, struct export_start *ret_start, struct pep_error *err);

#endif
