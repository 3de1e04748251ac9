/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/command.h"
#include "core/command/migration.h"
#include "core/command/walk.h"

#include <stdio.h>
#include <string.h>

/* One of the two that are read side by side. */
struct end {
	const char *option;
	struct walk walk;
	const struct pep_identity *id;
	struct canonical_digest digest;
	int64_t count;
	char hex[CANONICAL_HEX_SIZE];
};

static pep_status begin(struct end *end, const char *option, const char *doing, struct storage *storage, int64_t total,
			struct pep_error *err)
{
	end->option = option;
	canonical_digest_init(&end->digest);
	return walk_begin(&end->walk, storage, doing, total, err);
}

static pep_status next(struct end *end, struct pep_error *err)
{
	struct pep_error why = {0};
	pep_status status = walk_next(&end->walk, &end->id, &why);

	if (status == PEP_OK && end->id)
		status = canonical_digest_add(&end->digest, end->id, &why);
	return status == PEP_OK ? PEP_OK : pep_fail(err, status, why.native, "%s: %s", end->option, why.message);
}

static void finish(struct end *end)
{
	end->count = end->digest.record_count;
	canonical_digest_end(&end->digest, end->hex);
	walk_end(&end->walk);
}

/* Where they part for the first time: what follows is no news. */
static void tell_difference(const struct end *source, const struct end *target)
{
	if (!source->id || !target->id)
		(void)command_complain(0, "%s ends before the other; %s follows there",
				       source->id ? target->option : source->option,
				       source->id ? source->id->serial : target->id->serial);
	else if (strcmp(source->id->serial, target->id->serial) == 0)
		(void)command_complain(0, "%s differs", source->id->serial);
	else
		(void)command_complain(0, "where --from has %s, --to has %s", source->id->serial, target->id->serial);
}

static pep_status read_both(struct end *source, struct end *target, bool *ret_equal, struct pep_error *err)
{
	bool is_equal = true;
	pep_status status;

	do {
		status = next(source, err);
		if (status == PEP_OK)
			status = next(target, err);
		if (status != PEP_OK)
			return status;
		if (is_equal && (source->id || target->id) &&
		    (!source->id || !target->id || !canonical_equal(source->id, target->id))) {
			tell_difference(source, target);
			is_equal = false;
		}
	} while (source->id || target->id);
	*ret_equal = is_equal;
	return PEP_OK;
}

int migration_verify(const struct migration *migration)
{
	struct end source = {0}, target = {0};
	struct pep_error err = {0};
	bool is_equal = false;
	pep_status status = begin(&source, "--from", NULL, migration->source, migration->source_count, &err);

	if (status == PEP_OK) {
		status = begin(&target, "--to", "comparing", migration->target, migration->source_count, &err);
		if (status == PEP_OK)
			status = read_both(&source, &target, &is_equal, &err);
		finish(&target);
	}
	finish(&source);
	if (status != PEP_OK)
		return command_complain(COMMAND_FAILED, "the copy could not be verified: %s", err.message);
	(void)printf("--from  %lld records, SHA-256 %s\n--to    %lld records, SHA-256 %s\n", (long long)source.count, source.hex,
		     (long long)target.count, target.hex);
	if (strcmp(source.hex, migration->digest) != 0)
		return command_complain(COMMAND_DIFFERENT,
					"--from has changed while it was copied: a server uses it; stop every one and "
					"begin again with an empty --to");
	if (!is_equal || source.count != target.count || strcmp(source.hex, target.hex) != 0)
		return command_complain(COMMAND_DIFFERENT, "--to is not equal to --from: do not use it");
	return COMMAND_DONE;
}
