/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/cleanup.h"
#include "core/command/command.h"
#include "core/command/migration.h"
#include "core/command/walk.h"

#include <stdio.h>
#include <time.h>

/* --- survey of the source --- */

struct survey {
	int64_t now_ms, lease_until_ms; /* the latest */
	int64_t open_count;
	char serial[65]; /* one of them */
};

static void survey_one(struct survey *survey, const struct pep_identity *id)
{
	if (id->state != PEP_CLAIMED && id->state != PEP_CONTACTED && id->state != PEP_ISSUED)
		return;
	if (id->lease_until_ms <= survey->now_ms)
		return;
	survey->open_count++;
	if (id->lease_until_ms > survey->lease_until_ms) {
		survey->lease_until_ms = id->lease_until_ms;
		(void)snprintf(survey->serial, sizeof(survey->serial), "%s", id->serial);
	}
}

static int refuse_open(const struct survey *survey)
{
	time_t until = (time_t)(survey->lease_until_ms / 1000 + 1);
	char text[32] = "";
	struct tm parts;

	if (gmtime_r(&until, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return command_complain(
		COMMAND_UNSAFE,
		"--from: %lld serials are being worked on (%s until %s at the latest): stop every server that uses "
		"this store; if all are stopped, wait until then, or start and stop the last one once; nothing was written",
		(long long)survey->open_count, survey->serial, text);
}

int migration_survey(struct migration *migration)
{
	const struct pep_identity *id = NULL;
	struct survey survey = {0};
	struct pep_error err = {0};
	struct walk walk;
	pep_status status = walk_begin(&walk, migration->source, "reading --from", 0, &err);

	if (status == PEP_OK)
		status = storage_now(migration->source, &survey.now_ms, &err);
	while (status == PEP_OK && (status = walk_next(&walk, &id, &err)) == PEP_OK && id) {
		survey_one(&survey, id);
		migration->source_count++;
	}
	walk_end(&walk);
	if (status != PEP_OK)
		return command_complain(COMMAND_FAILED, "--from: %s", err.message);
	if (migration->source_count == 0)
		return command_complain(COMMAND_UNSAFE, "--from holds no records: does its configuration name the right store?");
	return survey.open_count > 0 ? refuse_open(&survey) : COMMAND_DONE;
}

/* --- what is in the target already --- */

enum finding { FOUND_EQUAL, FOUND_SAME_STORE, FOUND_FOREIGN, FOUND_DIFFERENT };

static pep_status look_up(struct storage *source, const struct pep_identity *id, enum finding *ret_finding, struct pep_error *err)
{
	AUTO(arena_fini) struct arena arena = {0};
	const struct pep_identity *original = NULL;
	pep_status status = storage_get(source, &arena, id->serial, &original, err);

	if (status != PEP_OK)
		return status;
	if (!original)
		*ret_finding = FOUND_FOREIGN;
	else if (!canonical_equal(id, original))
		*ret_finding = FOUND_DIFFERENT;
	else /* a copy begins with revision 1, whatever the original had */
		*ret_finding = id->revision > 1 && id->revision == original->revision ? FOUND_SAME_STORE : FOUND_EQUAL;
	return PEP_OK;
}

static int refuse_target(int64_t foreign_count, int64_t different_count)
{
	if (foreign_count > 0)
		(void)command_complain(0, "--to: %lld records have serials that --from does not have", (long long)foreign_count);
	if (different_count > 0)
		(void)command_complain(0, "--to: %lld records differ from those of the same serials in --from",
				       (long long)different_count);
	return command_complain(
		COMMAND_UNSAFE,
		"--to holds other records than --from: it has to be empty, or what an earlier run of this command left; "
		"choose another one; nothing was written");
}

int migration_look(struct migration *migration)
{
	int64_t foreign_count = 0, different_count = 0;
	const struct pep_identity *id = NULL;
	enum finding finding = FOUND_EQUAL;
	struct pep_error err = {0};
	struct walk walk;
	pep_status status = walk_begin(&walk, migration->target, "looking at --to", 0, &err);

	while (status == PEP_OK && finding != FOUND_SAME_STORE && (status = walk_next(&walk, &id, &err)) == PEP_OK && id) {
		status = look_up(migration->source, id, &finding, &err);
		if (status != PEP_OK || finding == FOUND_SAME_STORE)
			break;
		migration->present_count += finding == FOUND_EQUAL;
		if (finding != FOUND_EQUAL && foreign_count + different_count < MIGRATION_SHOWN_COUNT)
			(void)command_complain(0, "%s is in --to%s", id->serial,
					       finding == FOUND_FOREIGN ? " only" : " and differs");
		foreign_count += finding == FOUND_FOREIGN;
		different_count += finding == FOUND_DIFFERENT;
	}
	walk_end(&walk);
	if (status != PEP_OK)
		return command_complain(COMMAND_FAILED, "looking at --to: %s", err.message);
	if (finding == FOUND_SAME_STORE)
		return command_complain(COMMAND_UNSAFE, "--from and --to are one and the same store; nothing was written");
	return foreign_count + different_count > 0 ? refuse_target(foreign_count, different_count) : COMMAND_DONE;
}
