/* SPDX-License-Identifier: Apache-2.0 */
#include "write.h"

#include "fault.h"
#include "record.h"

#include <errno.h>

static pep_status no_memory(struct pep_error *err)
{
	return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot store a record: out of memory");
}

static pep_status fail(struct link *link, const bson_error_t *error, struct pep_error *err)
{
	pep_status status = fault_of_write(error);

	if (status == PEP_CONFLICT)
		return pep_fail(err, PEP_CONFLICT, (int32_t)error->code,
				"cannot store a record in %s: its serial, enrollment id or dispatch id is taken",
				link->address.name);
	return link_fail(link, status, error, "store a record in", err);
}

pep_status write_insert(struct link *link, const struct pep_identity *id, struct pep_error *err)
{
	struct pep_identity first = *id;
	bson_t document = BSON_INITIALIZER;
	bson_error_t error = {0};
	struct link_use use = {0};
	pep_status status;
	bson_oid_t oid;

	first.revision = 1;
	bson_oid_init(&oid, NULL);
	if (BSON_APPEND_OID(&document, "_id", &oid) && record_append(&document, &first))
		status = link_take(link, &use, err);
	else
		status = no_memory(err);
	if (status == PEP_OK) {
		if (!mongoc_collection_insert_one(use.collection, &document, NULL, NULL, &error))
			status = fail(link, &error, err);
		link_give(link, &use);
	}
	bson_destroy(&document);
	return status;
}

/* Set, not replaced: what others have put into the document stays. */
static bool make_change(const struct pep_identity *id, bson_t *ret_change)
{
	struct pep_identity next = *id;
	bson_t set, absent = BSON_INITIALIZER;
	bool good;

	next.revision++;
	good = BSON_APPEND_DOCUMENT_BEGIN(ret_change, "$set", &set) && record_append(&set, &next) &&
	       bson_append_document_end(ret_change, &set) && record_append_absent(&absent, &next);
	if (good && !bson_empty(&absent)) /* refused by servers before 5.0 */
		good = BSON_APPEND_DOCUMENT(ret_change, "$unset", &absent);
	bson_destroy(&absent);
	return good;
}

static int64_t matched_count(const bson_t *reply)
{
	bson_iter_t iter;

	return bson_iter_init_find(&iter, reply, "matchedCount") ? bson_iter_as_int64(&iter) : 0;
}

static pep_status change_one(struct link *link, const bson_t *selector, const bson_t *change, struct pep_error *err)
{
	bson_error_t error = {0};
	struct link_use use = {0};
	bson_t reply;
	pep_status status = link_take(link, &use, err);

	if (status != PEP_OK)
		return status;
	if (!mongoc_collection_update_one(use.collection, selector, change, NULL, &reply, &error))
		status = fail(link, &error, err);
	else if (matched_count(&reply) == 0)
		status = pep_fail(err, PEP_CONFLICT, 0, "cannot store a record in %s: its revision has moved", link->address.name);
	bson_destroy(&reply);
	link_give(link, &use);
	return status;
}

pep_status write_update(struct link *link, const struct pep_identity *id, struct pep_error *err)
{
	bson_t selector = BSON_INITIALIZER, change = BSON_INITIALIZER;
	pep_status status;

	if (id->revision < 1 || id->revision == INT64_MAX)
		return pep_fail(err, PEP_CONFLICT, 0, "cannot store a record in %s: no record has its revision",
				link->address.name);
	if (BSON_APPEND_UTF8(&selector, "serialNumber", id->serial) && BSON_APPEND_INT64(&selector, "revision", id->revision) &&
	    make_change(id, &change))
		status = change_one(link, &selector, &change, err);
	else
		status = no_memory(err);
	bson_destroy(&selector);
	bson_destroy(&change);
	return status;
}
