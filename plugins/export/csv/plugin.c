/* SPDX-License-Identifier: Apache-2.0
 *
 * The csv exporter: one table of several, chosen by the configuration or by the request.
 */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

static const struct csv_profile *const profiles[] = {&csv_legacy, &csv_portal, &csv_inventory};
static const char *const profile_names[] = {"legacy", "portal", "inventory", NULL};

enum { OPT_PROFILE, OPT_SPREADSHEET_SAFE };
static const struct pep_option options[] = {
	[OPT_PROFILE] = {.key = "profile",
			 .fallback = "legacy",
			 .help = "which table, if the request names none: legacy, portal or inventory",
			 .type = PEP_STRING},
	[OPT_SPREADSHEET_SAFE] = {.key = "spreadsheet_safe",
				  .fallback = "false",
				  .help = "inventory: an apostrophe before what a spreadsheet would take for a formula or shorten",
				  .type = PEP_BOOL},
	{0},
};

struct exporter {
	const struct csv_profile *profile;
	bool is_guarded;
};

/* One file. A line is put together here, so that a record is one write. */
struct run {
	const struct csv_profile *profile;
	bool is_guarded;
	char line[PEP_SINK_ROOM];
};

static const struct csv_profile *find_profile(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i]->name, name) == 0)
			return profiles[i];
	return NULL;
}

static pep_status csv_open(const struct pep_host *host, const union pep_value *values, void **ret_exporter, struct pep_error *err)
{
	const struct csv_profile *profile = find_profile(values[OPT_PROFILE].text);
	struct exporter *exporter;

	(void)host;
	if (!profile)
		return pep_fail(err, PEP_INVALID, 0, "csv: profile must be legacy, portal or inventory, not \"%.32s\"",
				values[OPT_PROFILE].text);
	exporter = malloc(sizeof(*exporter));
	if (!exporter)
		return pep_fail(err, PEP_NO_MEMORY, 0, "csv: no memory");
	*exporter = (struct exporter){.profile = profile, .is_guarded = values[OPT_SPREADSHEET_SAFE].flag};
	*ret_exporter = exporter;
	return PEP_OK;
}

static void csv_close(void *exporter)
{
	free(exporter);
}

static pep_status csv_begin(void *exporter_, const char *name, struct pep_sink *sink, void **ret_run, struct pep_error *err)
{
	const struct exporter *exporter = exporter_;
	const struct csv_profile *profile = name ? find_profile(name) : exporter->profile;
	struct run *run;
	pep_status status;

	if (!profile)
		return pep_fail(err, PEP_INVALID, 0, "csv: there is no profile \"%.32s\"", name);
	run = malloc(sizeof(*run));
	if (!run)
		return pep_fail(err, PEP_NO_MEMORY, 0, "csv: no memory for a line");
	run->profile = profile;
	run->is_guarded = exporter->is_guarded;
	status = sink->write(sink, profile->header, strlen(profile->header));
	if (status != PEP_OK) {
		free(run);
		return status;
	}
	*ret_run = run;
	return PEP_OK;
}

static pep_status csv_check(void *run_, const struct pep_identity *id, struct pep_error *err)
{
	const struct run *run = run_;

	return run->profile->check ? run->profile->check(id, err) : PEP_UNSUPPORTED;
}

static pep_status csv_record(void *run_, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	struct run *run = run_;
	struct csv_line line = {.next = run->line, .end = run->line + sizeof(run->line)};

	/* It may have changed since it was looked at. */
	if (run->profile->check) {
		pep_status status = run->profile->check(id, err);

		if (status != PEP_OK)
			return status;
	}
	run->profile->write(&line, id, run->is_guarded);
	if (line.full)
		return pep_fail(err, PEP_LIMIT, 0, "csv: the line of serial %.64s is over %u bytes; look at its record", id->serial,
				PEP_SINK_ROOM);
	return sink->write(sink, run->line, (size_t)(line.next - run->line));
}

static void csv_drop(void *run)
{
	free(run);
}

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.media_type = "text/csv; charset=utf-8",
	.suffix = "csv",
	.record = csv_record,
	.open = csv_open,
	.close = csv_close,
	.drop = csv_drop,
	.profiles = profile_names,
	.begin_profile = csv_begin,
	.check = csv_check,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = "csv",
	.version = "1.1.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
