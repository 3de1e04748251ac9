/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_recall.c - the picture of the day after a start, from what the audit has of it.
 */
#include "core/service/audit_walk.h"
#include "core/service/journal.h"

struct recall {
	struct journal *journal;
	int64_t now_ms;
};

static const char *text(const json_t *event, const char *key)
{
	return json_string_value(json_object_get(event, key));
}

static void add_event(void *context, const json_t *event, int64_t at_ms)
{
	const struct recall *recall = context;
	const struct journal_attempt attempt = {
		.at_ms = at_ms,
		.serial = text(event, "serial"),
		.station = text(event, "station"),
		.outcome = text(event, "outcome"),
		.code = text(event, "code"),
		.detail = text(event, "detail"),
		.ms = json_integer_value(json_object_get(event, "ms")),
		.attempt = json_integer_value(json_object_get(event, "attempt")),
	};

	/* A clock that was ahead must not make another day of it. */
	if (at_ms <= recall->now_ms)
		journal_add(recall->journal, &attempt);
}

pep_status journal_recall(struct journal *journal, const char *folder, int64_t now_ms, struct pep_error *err)
{
	struct recall recall = {.journal = journal, .now_ms = now_ms};
	const struct audit_walk walk = {.pattern = "\"event\":\"provision\"",
					.since_ms = journal_since_ms(journal, now_ms),
					.each = add_event,
					.context = &recall};

	return audit_walk(folder, &walk, NULL, err);
}
