/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_orders.c - the notes of orders and grants. A store lists no notes, so the one that lists the orders leads to the others.
 */
#include "core/base/cleanup.h"
#include "core/command/command.h"
#include "core/command/migration.h"
#include "core/service/grants.h"
#include "core/service/order_book.h"

#include <stdlib.h>
#include <string.h>

struct texts {
	char source[PEP_NOTE_SIZE + 1], target[PEP_NOTE_SIZE + 1];
};

struct pass {
	const struct migration *migration;
	enum migration_step step;
	struct texts *texts;
	bool is_there; /* the last note that was visited, in the source */
	int64_t count; /* of notes of the source */
};

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static int differs(const struct pass *pass, const char *name)
{
	if (pass->step == MIGRATION_LOOK)
		return command_complain(
			COMMAND_UNSAFE,
			"the note %s of orders and grants is in --to and is not that of --from: give an empty --to; "
			"nothing was written",
			name);
	return command_complain(COMMAND_DIFFERENT,
				"the note %s of orders and grants is not the same in --from and --to: stop every server, and begin "
				"again with an empty --to",
				name);
}

static int failed(const char *name, const struct pep_error *err)
{
	return command_complain(COMMAND_FAILED,
				"the note %s of orders and grants could not be copied: %s; run the same command again, it goes on",
				name, err->message);
}

static int visit(struct pass *pass, const char *name)
{
	struct storage *target = pass->migration->target;
	struct texts *texts = pass->texts;
	struct pep_error err = {0};
	int64_t from = 0, to = 0;

	if (storage_note_read(pass->migration->source, name, texts->source, &from, &err) != PEP_OK)
		return failed(name, &err);
	if (storage_has_notes(target) && storage_note_read(target, name, texts->target, &to, &err) != PEP_OK)
		return failed(name, &err);
	pass->is_there = from > 0;
	pass->count += from > 0;
	if (from > 0 && !storage_has_notes(target))
		return command_complain(
			COMMAND_UNSAFE,
			"--from has orders or grants, and storage \"%s\" of --to keeps none: use another; nothing was "
			"written",
			storage_name(target));
	if (to > 0)
		return from > 0 && strcmp(texts->source, texts->target) == 0 ? COMMAND_DONE : differs(pass, name);
	if (from == 0 || pass->step == MIGRATION_LOOK)
		return COMMAND_DONE;
	if (pass->step == MIGRATION_COMPARE)
		return differs(pass, name);
	return storage_note_write(target, name, 0, texts->source, &err) == PEP_OK ? COMMAND_DONE : failed(name, &err);
}

/* What it says, how many are in it, and its list as far as that goes. */
static int visit_order(struct pass *pass, const char *id)
{
	char part[32], name[65];
	int code;

	book_name(id, "", name);
	code = visit(pass, name);
	book_name(id, ".count", name);
	if (code == COMMAND_DONE)
		code = visit(pass, name);
	pass->is_there = true;
	for (unsigned i = 0; code == COMMAND_DONE && pass->is_there; i++) {
		(void)snprintf(part, sizeof(part), ".list.%u", i);
		book_name(id, part, name);
		code = visit(pass, name);
	}
	return code;
}

/* The list comes last, as when an order is imported: what it names is there. */
static int visit_orders(struct pass *pass)
{
	AUTO(drop_json) json_t *list = NULL;
	struct pep_error err = {0};
	int64_t revision;
	int code = COMMAND_DONE;

	if (storage_note_read(pass->migration->source, BOOK_INDEX, pass->texts->source, &revision, &err) != PEP_OK)
		return failed(BOOK_INDEX, &err);
	list = book_index(pass->texts->source, &err);
	if (!list)
		return failed(BOOK_INDEX, &err);
	for (size_t i = 0; code == COMMAND_DONE && i < json_array_size(list); i++) {
		const char *id = json_string_value(json_object_get(json_array_get(list, i), "id"));

		if (!id || strlen(id) != ORDER_ID_ROOM - 1)
			return command_complain(COMMAND_FAILED, "the note %s cannot be read: it has an order without an id",
						BOOK_INDEX);
		code = visit_order(pass, id);
	}
	return code == COMMAND_DONE ? visit(pass, BOOK_INDEX) : code;
}

int migration_orders(const struct migration *migration, enum migration_step step, int64_t *ret_count)
{
	AUTO(free_ptr) struct texts *texts = malloc(sizeof(*texts));
	struct pass pass = {.migration = migration, .step = step, .texts = texts};
	int code;

	if (!texts)
		return command_complain(COMMAND_FAILED, "the orders could not be copied: out of memory");
	if (!storage_has_notes(migration->source)) {
		*ret_count = 0;
		return COMMAND_DONE;
	}
	code = visit_orders(&pass);
	if (code == COMMAND_DONE)
		code = visit(&pass, GRANTS_NOTE);
	if (code == COMMAND_DONE)
		*ret_count = pass.count;
	return code;
}
