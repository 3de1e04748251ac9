/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/cursor.h"

#include "core/service/dispatch.h"

#include <stdio.h>
#include <string.h>

pep_status cursor_newest(struct storage *storage, char ret_id[25], struct pep_error *err)
{
	const struct pep_scan_query query = {
		.struct_size = sizeof(query), .limit = 1, .state = PEP_DEPLOYED, .descending = 1, .brief = 1};
	const struct pep_identity *id = NULL;
	struct storage_scan *scan;
	pep_status status = storage_scan_open(storage, &query, &scan, err);

	if (status != PEP_OK)
		return status;
	status = storage_scan_next(scan, &id, err);
	if (status == PEP_OK)
		(void)snprintf(ret_id, 25, "%s", id && id->dispatch_id ? id->dispatch_id : "");
	storage_scan_close(scan);
	return status;
}

/* The earliest end of a lease; INT64_MAX if nobody holds one. */
static pep_status earliest_lease(struct storage *storage, int64_t *ret_ms, struct pep_error *err)
{
	const struct pep_scan_query query = {.struct_size = sizeof(query), .lease_before_ms = INT64_MAX};
	const struct pep_identity *id = NULL;
	int64_t earliest_ms = INT64_MAX;
	struct storage_scan *scan;
	pep_status status = storage_scan_open(storage, &query, &scan, err);

	if (status != PEP_OK)
		return status;
	do {
		status = storage_scan_next(scan, &id, err);
		if (status == PEP_OK && id && id->lease_until_ms < earliest_ms)
			earliest_ms = id->lease_until_ms;
	} while (status == PEP_OK && id);
	storage_scan_close(scan);
	if (status == PEP_OK)
		*ret_ms = earliest_ms;
	return status;
}

pep_status cursor_now(struct storage *storage, int64_t lease_ms, char ret_cursor[25], struct pep_error *err)
{
	int64_t now_ms, lease_until_ms;
	char newest[25];
	/* In this order: what begins after the clock was read is younger than it, what ends before the newest was read is in it. */
	pep_status status = storage_now(storage, &now_ms, err);

	if (status == PEP_OK)
		status = earliest_lease(storage, &lease_until_ms, err);
	if (status == PEP_OK)
		status = cursor_newest(storage, newest, err);
	if (status != PEP_OK)
		return status;
	if (lease_until_ms - lease_ms < now_ms)
		now_ms = lease_until_ms - lease_ms;
	dispatch_floor(now_ms - CURSOR_MARGIN_MS, ret_cursor);
	if (strcmp(newest, ret_cursor) < 0)
		(void)snprintf(ret_cursor, 25, "%s", *newest ? newest : "000000000000000000000000");
	return PEP_OK;
}
