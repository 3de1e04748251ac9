/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/cleanup.h"
#include "core/command/command.h"
#include "core/command/migration.h"
#include "core/command/store_side.h"
#include "core/service/note.h"

#include <stdlib.h>
#include <string.h>

/* What the target has already is of an earlier run, or newer: either way nobody is forgotten. */
static pep_status copy_text(struct note *source, struct note *target, struct pep_error *err)
{
	AUTO(free_ptr) char *text = malloc(PEP_NOTE_SIZE + 1);
	AUTO(free_ptr) char *there = malloc(PEP_NOTE_SIZE + 1);
	pep_status status;

	if (!text || !there)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = note_read(source, text, err);
	if (status == PEP_OK && source->revision > 0)
		status = note_read(target, there, err);
	if (status != PEP_OK || source->revision == 0 || target->revision > 0)
		return status;
	return note_write(target, text, err);
}

static pep_status copy_one(const struct store_side *from, const struct store_side *to, const char *name, struct pep_error *err)
{
	struct note source = {0}, target = {0};
	pep_status status = note_open(from->storage, from->config->data_dir, name, &source, err);

	if (status == PEP_OK)
		status = note_open(to->storage, to->config->data_dir, name, &target, err);
	if (status == PEP_OK)
		status = copy_text(&source, &target, err);
	note_close(&source);
	note_close(&target);
	return status;
}

static int copy_those_of(const struct config *config, const struct store_side *from, const struct store_side *to)
{
	struct pep_error err = {0};

	for (size_t i = 0; i < config->push_count; i++) {
		const char *name = config->pushes[i].instance.name;

		if (copy_one(from, to, name, &err) != PEP_OK)
			return command_complain(
				COMMAND_FAILED,
				"how far push \"%s\" has been told could not be copied: %s; run the same command again, it goes on",
				name, err.message);
	}
	return COMMAND_DONE;
}

int migration_notes(const struct store_side *from, const struct store_side *to)
{
	int code = copy_those_of(from->config, from, to);

	return code == COMMAND_DONE ? copy_those_of(to->config, from, to) : code;
}
