/* SPDX-License-Identifier: Apache-2.0 */
#include "prepare.h"

#include "fault.h"
#include "index.h"
#include "takeover.h"

#include <inttypes.h>

/* *ret_version: 0 if nobody has prepared it yet. */
static pep_status read_version(struct link *link, mongoc_collection_t *schema, int64_t *ret_version, struct pep_error *err)
{
	bson_t *filter = BCON_NEW("_id", BCON_UTF8(LINK_COLLECTION));
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(schema, filter, NULL, NULL);
	bson_error_t error = {0};
	const bson_t *document;
	int64_t version = 0;
	bson_iter_t iter;
	bool failed;

	if (mongoc_cursor_next(cursor, &document) && bson_iter_init_find(&iter, document, "version"))
		version = bson_iter_as_int64(&iter);
	failed = mongoc_cursor_error(cursor, &error);
	mongoc_cursor_destroy(cursor);
	bson_destroy(filter);
	if (failed)
		return link_fail(link, fault_of_start(&error), &error, "open", err);
	if (version > PREPARE_VERSION)
		return pep_fail(err, PEP_INVALID, 0,
				"cannot open %s: a newer version of pep made it (version %" PRId64
				", this one knows %d); use that version",
				link->address.name, version, PREPARE_VERSION);
	*ret_version = version;
	return PEP_OK;
}

/* Another server may have done it meanwhile. */
static pep_status write_version(struct link *link, mongoc_collection_t *schema, struct pep_error *err)
{
	bson_t *document = BCON_NEW("_id", BCON_UTF8(LINK_COLLECTION), "version", BCON_INT32(PREPARE_VERSION));
	bson_error_t error = {0};
	bool good = mongoc_collection_insert_one(schema, document, NULL, NULL, &error) || fault_of_write(&error) == PEP_CONFLICT;

	bson_destroy(document);
	return good ? PEP_OK : link_fail(link, fault_of_start(&error), &error, "open", err);
}

static pep_status take_over(struct link *link, const struct link_use *use, struct pep_error *err)
{
	int64_t count = 0;
	char line[256];
	pep_status status = takeover_run(link, use, &count, err);

	if (status != PEP_OK || count == 0)
		return status;
	(void)snprintf(line, sizeof(line), "took over %" PRId64 " records of the tool before from %.160s", count,
		       link->address.name);
	link->host->log(link->host, 6, line);
	return PEP_OK;
}

/* The first time, documents come before indexes, which would refuse them as they are. Later on, the index finds what the old tool has
 * added since, quickly; it can be one at most. */
static pep_status prepare(struct link *link, const struct link_use *use, mongoc_collection_t *schema, struct pep_error *err)
{
	int64_t version = 0;
	bool needed = false;
	pep_status status = read_version(link, schema, &version, err);

	if (status == PEP_OK)
		status = index_make(link, use, false, err);
	if (status == PEP_OK && version == 0)
		status = take_over(link, use, err);
	if (status == PEP_OK)
		status = index_make(link, use, true, err);
	if (status == PEP_OK)
		status = takeover_is_needed(link, use, &needed, err);
	if (status == PEP_OK && needed)
		status = take_over(link, use, err);
	if (status == PEP_OK)
		status = index_check(link, use, err);
	if (status == PEP_OK && version == 0)
		status = write_version(link, schema, err);
	return status;
}

pep_status prepare_run(struct link *link, struct pep_error *err)
{
	mongoc_collection_t *schema;
	struct link_use use;
	pep_status status = link_take(link, &use, err);

	if (status != PEP_OK)
		return status;
	schema = mongoc_client_get_collection(use.client, link->address.database, PREPARE_COLLECTION);
	status = prepare(link, &use, schema, err);
	mongoc_collection_destroy(schema);
	link_give(link, &use);
	return status;
}
