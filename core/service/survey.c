/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/survey.h"

#include <stdio.h>

struct walk {
	struct exporter_run *run;
	const struct selection *selection;
	struct survey survey;
	int64_t taken;
	bool checks, is_done;
};

static pep_status look_at(struct walk *walk, const struct pep_identity *id, struct pep_error *err)
{
	pep_status status = PEP_OK;

	if (walk->selection->limit && walk->taken == walk->selection->limit) {
		walk->survey.has_more = true;
		walk->is_done = true;
		return PEP_OK;
	}
	if (walk->checks)
		status = exporter_check(walk->run, id, err);
	if (status == PEP_UNSUPPORTED) {
		walk->checks = false;
		walk->is_done = walk->selection->limit == 0;
		status = PEP_OK;
	}
	walk->taken++;
	/* The only one that can be the last of a page. */
	if (walk->taken == walk->selection->limit) {
		walk->survey.has_last = id->dispatch_id;
		(void)snprintf(walk->survey.last, sizeof(walk->survey.last), "%s", id->dispatch_id ? id->dispatch_id : "");
	}
	return status;
}

pep_status survey_records(struct storage *storage, struct exporter_run *run, const struct selection *selection,
			  struct survey *ret_survey, struct pep_error *err)
{
	struct walk walk = {.run = run, .selection = selection, .checks = true};
	const struct pep_identity *id = NULL;
	struct storage_scan *scan;
	pep_status status = storage_scan_open(storage, &selection->query, &scan, err);

	if (status != PEP_OK)
		return status;
	do {
		status = storage_scan_next(scan, &id, err);
		if (status == PEP_OK && id && selection_takes(selection, id))
			status = look_at(&walk, id, err);
	} while (status == PEP_OK && id && !walk.is_done);
	storage_scan_close(scan);
	walk.survey.count = walk.is_done && !walk.survey.has_more ? -1 : walk.taken;
	if (status == PEP_OK)
		*ret_survey = walk.survey;
	return status;
}
