/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/grants.h"

#include "core/base/cleanup.h"
#include "core/base/json.h"
#include "core/base/text.h"

#include <string.h>

#define ROUNDS 100

static void drop_json(json_t **json)
{
	json_decref(*json);
}

/* All of them, by serial. */
static pep_status read_all(struct storage *storage, json_t **ret_grants, int64_t *ret_revision, struct pep_error *err)
{
	AUTO(free_ptr) char *text = malloc(PEP_NOTE_SIZE + 1);
	AUTO(drop_json) json_t *json = NULL;
	pep_status status;

	if (!text)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = storage_note_read(storage, GRANTS_NOTE, text, ret_revision, err);
	if (status == PEP_OK && *text)
		status = json_parse_text(text, strlen(text), &json, err);
	if (status != PEP_OK)
		return status;
	if (!json)
		json = json_object();
	if (!json_is_object(json))
		return pep_fail(err, PEP_INVALID, 0, "the note of the grants cannot be read");
	*ret_grants = TAKE(json);
	return PEP_OK;
}

/* Does the record still have what the grant replaces? */
static pep_status is_unused(struct storage *storage, const char *serial, const json_t *grant, bool *ret_unused,
			    struct pep_error *err)
{
	AUTO(arena_fini) struct arena arena = {0};
	const struct pep_identity *record = NULL;
	pep_status status = storage_get(storage, &arena, serial, &record, err);

	if (status == PEP_OK)
		*ret_unused =
			record && text_equal(record->enrollment_id, json_string_value(json_object_get(grant, "enrollment_id")));
	return status;
}

/* Each costs a read. */
static pep_status drop_used(struct storage *storage, json_t *grants, struct pep_error *err)
{
	const char *serial;
	json_t *grant;
	void *next;
	pep_status status = PEP_OK;

	json_object_foreach_safe(grants, next, serial, grant)
	{
		bool unused = true;

		if (status == PEP_OK)
			status = is_unused(storage, serial, grant, &unused, err);
		if (!unused)
			(void)json_object_del(grants, serial);
	}
	return status;
}

/* Those that are used up go when there is no room. */
static pep_status print_all(struct storage *storage, json_t *grants, char **ret_text, struct pep_error *err)
{
	AUTO(free_ptr) char *text = json_dumps(grants, JSON_COMPACT);

	if (text && strlen(text) > PEP_NOTE_SIZE) {
		pep_status status = drop_used(storage, grants, err);

		if (status != PEP_OK)
			return status;
		free(text);
		text = json_dumps(grants, JSON_COMPACT);
	}
	if (!text)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	if (strlen(text) > PEP_NOTE_SIZE)
		return pep_fail(
			err, PEP_LIMIT, 0,
			"there are %zu grants that are not used up, and no more can be kept; have those gateways provisioned, or "
			"retire them",
			json_object_size(grants) - 1);
	*ret_text = TAKE(text);
	return PEP_OK;
}

static json_t *grant_json(const struct grant *grant)
{
	return json_pack("{ss,ss,ss,ss,sI}", "enrollment_id", grant->enrollment_id, "reason", grant->reason, "actor", grant->actor,
			 "request_id", grant->request_id, "granted_ms", (json_int_t)grant->granted_ms);
}

/* `grant` NULL: the serial's is dropped. PEP_UNKNOWN: once more. */
static pep_status change_once(struct storage *storage, const char *serial, const struct grant *grant, struct pep_error *err)
{
	AUTO(drop_json) json_t *grants = NULL;
	AUTO(free_ptr) char *text = NULL;
	int64_t revision = 0;
	pep_status status = read_all(storage, &grants, &revision, err);

	if (status != PEP_OK || (!grant && !json_object_get(grants, serial)))
		return status;
	(void)json_object_del(grants, serial);
	if (grant && json_object_set_new(grants, serial, grant_json(grant)) != 0)
		status = pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	if (status == PEP_OK)
		status = print_all(storage, grants, &text, err);
	if (status != PEP_OK)
		return status;
	status = storage_note_write(storage, GRANTS_NOTE, revision, text, err);
	return status == PEP_CONFLICT ? PEP_UNKNOWN : status;
}

/* A change that is made twice is made once: an answer that was lost is no harm. */
static pep_status change(struct storage *storage, const char *serial, const struct grant *grant, struct pep_error *err)
{
	pep_status status = PEP_UNKNOWN;

	if (!storage_has_notes(storage))
		return pep_fail(err, PEP_UNSUPPORTED, 0, "storage \"%s\" keeps no notes, and so no grants", storage_name(storage));
	for (int round = 0; round < ROUNDS && status == PEP_UNKNOWN; round++)
		status = change_once(storage, serial, grant, err);
	return status;
}

pep_status grants_put(struct storage *storage, const struct grant *grant, struct pep_error *err)
{
	return change(storage, grant->serial, grant, err);
}

pep_status grants_drop(struct storage *storage, const char *serial, struct pep_error *err)
{
	return storage_has_notes(storage) ? change(storage, serial, NULL, err) : PEP_OK;
}

pep_status grants_find(struct storage *storage, const char *serial, const char *enrollment_id, json_t **ret_grant,
		       struct pep_error *err)
{
	AUTO(drop_json) json_t *grants = NULL;
	int64_t revision = 0;
	json_t *grant;
	pep_status status = storage_has_notes(storage) ? read_all(storage, &grants, &revision, err) : PEP_OK;

	if (status != PEP_OK)
		return status;
	grant = json_object_get(grants, serial);
	if (!enrollment_id || !text_equal(json_string_value(json_object_get(grant, "enrollment_id")), enrollment_id))
		grant = NULL;
	*ret_grant = json_incref(grant);
	return PEP_OK;
}
