/* SPDX-License-Identifier: Apache-2.0
 *
 * survey.h - a look at the records of an export before its first byte leaves: can all be written, and where does a page end?
 */
#ifndef CORE_SERVICE_SURVEY_H
#define CORE_SERVICE_SURVEY_H

#include "core/plugin/instance.h"
#include "core/service/selection.h"

struct survey {
	bool has_more; /* there are more than selection->limit */
	int64_t count; /* records that are taken; -1: not looked at all of them */
	bool has_last; /* if has_more: the last record that is taken has a dispatch id */
	char last[25]; /* that id; "": none */
};

/* PEP_INVALID: the exporter cannot write a record. Walks nothing if there is neither a limit nor a check. [any thread] */
pep_status survey_records(struct storage *storage, struct exporter_run *run, const struct selection *selection,
			  struct survey *ret_survey, struct pep_error *err);

#endif
