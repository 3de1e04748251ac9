/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-server doctor: what is well, what should be looked at and what is wrong, each with what to do.
 */
#include "core/checkup.h"

#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/command/command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: pep-server doctor [--config FILE] [--set KEY=VALUE]... [--json]\n"
	"\n"
	"Looks at everything that the server needs, also while it runs, and says what is well, what should be looked at and what "
	"is wrong,\n"
	"with what to do. Run it as the user that the server runs as.\n"
	"  --json  one JSON object: {\"failed\",\"warnings\",\"checks\":[{\"name\",\"level\",\"text\"}]}\n"
	"\n"
	"Exit codes: 0 nothing is wrong (there may be warnings), 1 something is, 2 usage, 3 the configuration cannot be read.\n";

struct doctor {
	bool is_json, has_colour;
	unsigned good, warnings, failed;
	json_t *checks;
};

static void note(void *context, const struct checkup_finding *finding)
{
	static const char *const words[] = {"good", "warning", "failed"}, *const marks[] = {"ok  ", "WARN", "FAIL"};
	static const char *const ticks[] = {"\033[32m\xe2\x9c\x93\033[0m", "\033[33m!\033[0m", "\033[31m\xe2\x9c\x97\033[0m"};
	struct doctor *doctor = context;

	*(finding->level == CHECKUP_GOOD      ? &doctor->good
	  : finding->level == CHECKUP_WARNING ? &doctor->warnings
					      : &doctor->failed) += 1;
	if (doctor->is_json)
		(void)json_array_append_new(doctor->checks, json_pack("{ssssss}", "name", finding->name, "level",
								      words[finding->level], "text", finding->text));
	else
		(void)printf("%s %-13s %s\n", (doctor->has_colour ? ticks : marks)[finding->level], finding->name, finding->text);
}

static int conclude(const struct doctor *doctor)
{
	if (doctor->is_json) {
		AUTO(free_ptr) char *text = NULL;
		json_t *all = json_pack("{sisisO}", "failed", (int)doctor->failed, "warnings", (int)doctor->warnings, "checks",
					doctor->checks);

		text = all ? json_dumps(all, JSON_COMPACT) : NULL;
		json_decref(all);
		if (!text)
			return command_complain(COMMAND_FAILED, "out of memory");
		(void)puts(text);
	} else {
		(void)printf("%u good, %u to look at, %u wrong\n", doctor->good, doctor->warnings, doctor->failed);
	}
	return doctor->failed ? COMMAND_FAILED : COMMAND_DONE;
}

static bool read_request(int count, char **arguments, struct config_source *source, const char **settings, struct doctor *doctor)
{
	for (int i = 0; i < count; i++) {
		bool has_next = i + 1 < count;

		if ((strcmp(arguments[i], "--config") == 0 || strcmp(arguments[i], "-c") == 0) && has_next)
			source->path = arguments[++i];
		else if (strcmp(arguments[i], "--set") == 0 && has_next)
			settings[source->setting_count++] = arguments[++i];
		else if (strcmp(arguments[i], "--json") == 0)
			doctor->is_json = true;
		else
			return command_complain(0,
						"doctor: \"%s\" is unknown, or its value is missing; try pep-server doctor --help",
						arguments[i]);
	}
	source->settings = settings;
	return true;
}

static int examine(const struct config_source *source, struct doctor *doctor)
{
	struct config *config = NULL;
	struct pep_error err = {0};

	if (config_load_from(source, &config, &err) != PEP_OK && !doctor->is_json)
		return command_complain(COMMAND_REFUSED, "%s", err.message);
	if (!config) {
		note(doctor, &(struct checkup_finding){.level = CHECKUP_FAILED, .name = "configuration", .text = err.message});
		return conclude(doctor) == COMMAND_FAILED ? COMMAND_REFUSED : COMMAND_FAILED;
	}
	note(doctor, &(struct checkup_finding){.name = "configuration", .text = source->path});
	checkup_start(config, note, doctor);
	checkup_health(config, note, doctor);
	config_free(config);
	return conclude(doctor);
}

static int run(int count, char **arguments)
{
	AUTO(free_ptr) const char **settings = calloc((size_t)count + 1, sizeof(*settings));
	struct config_source source = {.path = PEP_CONFIG_FILE};
	struct doctor doctor = {.has_colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
	int code;

	if (!settings)
		return command_complain(COMMAND_FAILED, "out of memory");
	if (!read_request(count, arguments, &source, settings, &doctor))
		return COMMAND_USAGE;
	log_setup(LOG_ERR, LOG_FORMAT_LOGFMT); /* what plugins say while they are opened */
	doctor.checks = json_array();
	code = examine(&source, &doctor);
	json_decref(doctor.checks);
	return code;
}

int command_doctor(int count, char **arguments)
{
	if (command_asks_help(count, arguments))
		return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_DONE;
	return run(count, arguments);
}
