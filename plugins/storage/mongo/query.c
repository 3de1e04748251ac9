/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include "index.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

struct pep_scan_query query_own(const struct pep_scan_query *query)
{
	struct pep_scan_query own = {0};

	memcpy(&own, query, query->struct_size < sizeof(own) ? query->struct_size : sizeof(own));
	own.struct_size = sizeof(own);
	return own;
}

/* {NAME: {$gte: from, $lt: to}}, each end if it is not 0. `above`: instead of from, everything over 0. */
static bool append_range(bson_t *filter, const char *name, int64_t from, int64_t to, bool above)
{
	bool good;
	bson_t range;

	if (!from && !to)
		return true;
	good = BSON_APPEND_DOCUMENT_BEGIN(filter, name, &range);
	if (good && above)
		good = BSON_APPEND_INT64(&range, "$gt", 0);
	if (good && from)
		good = BSON_APPEND_INT64(&range, "$gte", from);
	if (good && to)
		good = BSON_APPEND_INT64(&range, "$lt", to);
	return good && bson_append_document_end(filter, &range);
}

static bool append_behind(const struct pep_scan_query *query, const char *behind, bson_t *filter)
{
	char *order = behind || !query->after ? NULL : record_order_of(query->after);
	const char *start = behind ? behind : order;
	bool good = start || !query->after;
	bson_t range;

	if (good && start)
		good = BSON_APPEND_DOCUMENT_BEGIN(filter, RECORD_LIST_ORDER, &range) &&
		       BSON_APPEND_UTF8(&range, query->descending ? "$lt" : "$gt", start) &&
		       bson_append_document_end(filter, &range);
	free(order);
	return good;
}

bool query_filter(const struct pep_scan_query *query, const char *behind, bson_t *ret_filter)
{
	bool good = true;

	if (query->serial)
		good = BSON_APPEND_UTF8(ret_filter, "serialNumber", query->serial);
	if (good && query->idempotency_key)
		good = BSON_APPEND_UTF8(ret_filter, "idempotencyKey", query->idempotency_key);
	if (good && query->state)
		good = BSON_APPEND_INT64(ret_filter, "state", query->state);
	return good && append_range(ret_filter, "deployedMs", query->deployed_from_ms, query->deployed_to_ms, false) &&
	       append_range(ret_filter, "leaseUntilMs", 0, query->lease_before_ms, true) &&
	       append_behind(query, behind, ret_filter);
}

bool query_hint(const struct pep_scan_query *query, int64_t timeout_ms, bson_t *options)
{
	const char *index = query->serial            ? INDEX_SERIAL
			    : query->idempotency_key ? INDEX_KEY
			    : query->lease_before_ms ? INDEX_LEASE
			    : query->state           ? INDEX_STATE
						     : INDEX_ORDER;

	return BSON_APPEND_UTF8(options, "hint", index) && BSON_APPEND_INT64(options, "maxTimeMS", timeout_ms);
}

static bool append_fields(bson_t *options)
{
	static const char *const hidden[] = {"history",       "verificationKey", "nonce",         "owner",
					     "requestDigest", "requestID",       "idempotencyKey"};
	bool good;
	bson_t fields;

	good = BSON_APPEND_DOCUMENT_BEGIN(options, "projection", &fields);
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && good; i++)
		good = BSON_APPEND_INT32(&fields, hidden[i], 0);
	return good && bson_append_document_end(options, &fields);
}

bool query_page(const struct pep_scan_query *query, int64_t timeout_ms, int64_t limit, bool linearizable, bson_t *options)
{
	/* All in one reply, as far as it fits into one; else the server would send the first 101 alone. */
	bool good = query_hint(query, timeout_ms, options) && BSON_APPEND_INT64(options, "limit", limit) &&
		    BSON_APPEND_INT64(options, "batchSize", limit);
	bson_t part;

	if (good && !query->serial)
		good = BSON_APPEND_DOCUMENT_BEGIN(options, "sort", &part) &&
		       BSON_APPEND_INT32(&part, RECORD_LIST_ORDER, query->descending ? -1 : 1) &&
		       bson_append_document_end(options, &part);
	if (good && linearizable)
		good = BSON_APPEND_DOCUMENT_BEGIN(options, "readConcern", &part) &&
		       BSON_APPEND_UTF8(&part, "level", MONGOC_READ_CONCERN_LEVEL_LINEARIZABLE) &&
		       bson_append_document_end(options, &part);
	return good && (!query->brief || append_fields(options));
}
