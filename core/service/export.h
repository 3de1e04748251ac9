/* SPDX-License-Identifier: Apache-2.0
 *
 * export.h - a scan of the store, written by an exporter, as content that is made while it is sent.
 *
 * Memory does not grow with the number of records. One storage scan stays open for the whole walk: storage promises that this holds
 * up no writer, and a walk by pages could not continue behind a record without a dispatch_id.
 */
#ifndef CORE_SERVICE_EXPORT_H
#define CORE_SERVICE_EXPORT_H

#include "core/http/stream.h"
#include "core/plugin/instance.h"

/* Open the scan and the exporter's run, and make the first part of the content, so that an error that shows early can still be
 * answered with a status of its own. What goes wrong later is logged and breaks the stream off.
 * storage and exporter are borrowed until the stream is closed, `query` and `request_id` (for the log) for the call.
 * *ret_stream is the caller's, to be closed by its own close(). [any thread] */
pep_status export_open(struct storage *storage, struct exporter *exporter, const struct pep_scan_query *query,
		       const char *request_id, struct stream **ret_stream, struct pep_error *err);

#endif
