/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor: takes what provision takes, looks at everything that it will need, and changes nothing.
 */
#include "cli/print.h"
#include "cli/provision/checkup.h"
#include "core/base/buffer.h"
#include "core/base/cleanup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_LIMIT ((size_t)64 << 10)

static const struct {
	const char *word, *colour;
} levels[] = {[CHECKUP_OK] = {"ok", "\033[32m"}, [CHECKUP_WARN] = {"warn", "\033[33m"}, [CHECKUP_FAIL] = {"fail", "\033[31m"}};

void checkup_add(struct checkup *checkup, const char *name, enum checkup_level level, const char *fix, const char *format, ...)
{
	AUTO(free_ptr) char *detail = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&detail, format, arguments) < 0)
		detail = NULL;
	va_end(arguments);
	checkup->warned += level == CHECKUP_WARN;
	checkup->failed += level == CHECKUP_FAIL;
	(void)json_array_append_new(checkup->checks, json_pack("{ss, ss, so, ss*}", "name", name, "level", levels[level].word,
							       "detail", print_json_text(detail ? detail : ""), "fix", fix));
}

/* https://no-color.org, and who cannot show one. */
static bool wants_colour(void)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM"), *ci = getenv("CI");

	return isatty(STDOUT_FILENO) && !(none && none[0]) && !(ci && ci[0]) && term && strcmp(term, "dumb") != 0;
}

static const char *member(const json_t *check, const char *name)
{
	return json_string_value(json_object_get(check, name));
}

static void draw(struct buffer *out, const struct checkup *checkup)
{
	bool colour = wants_colour();
	const json_t *check;

	for (size_t i = 0; (check = json_array_get(checkup->checks, i)); i++) {
		const char *word = member(check, "level"), *fix = member(check, "fix"), *paint = "";

		for (size_t level = 0; colour && level < sizeof(levels) / sizeof(levels[0]); level++)
			if (strcmp(levels[level].word, word) == 0)
				paint = levels[level].colour;
		buffer_format(out, "%s%-4s%s  %-14s %s\n", paint, word, colour ? "\033[0m" : "", member(check, "name"),
			      member(check, "detail"));
		if (fix)
			buffer_format(out, "      %-14s -> %s\n", "", fix);
	}
	buffer_format(out, "%zu checks, %u warnings, %u failures\n", json_array_size(checkup->checks), checkup->warned,
		      checkup->failed);
}

static void checkup_fini(struct checkup *checkup)
{
	json_decref(checkup->checks);
}

int doctor_run(struct session *session, struct failure *err)
{
	AUTO(plan_fini) struct plan plan = {0};
	AUTO(checkup_fini) struct checkup checkup = {.checks = json_array()};
	AUTO(buffer_fini) struct buffer out;
	int code = session_check(session, err), exit_code;

	if (code != EXIT_OK)
		return code;
	code = plan_make(session, &plan, err);
	if (code == EXIT_USAGE)
		return code;
	if (code != EXIT_OK)
		checkup_add(&checkup, strcmp(err->code, "serial") == 0 ? "serial" : "configuration", CHECKUP_FAIL,
			    "see pep-cli(1), provision", "%s", err->message);
	*err = (struct failure){0};
	/* Services are the last that it fills in before the serial number. */
	if (plan.services.session) {
		checkup_server(&checkup, &plan);
		checkup_board(&checkup, &plan);
	}
	buffer_init(&out, TEXT_LIMIT);
	draw(&out, &checkup);
	exit_code = checkup.failed ? EXIT_OTHER : EXIT_OK;
	code = print_result(session, out.data, out.size,
			    json_pack("{si, ss, sO, si, si}", "exit_code", exit_code, "code", exit_code ? "unfit" : "ok", "checks",
				      checkup.checks, "warnings", (int)checkup.warned, "failures", (int)checkup.failed),
			    err);
	return code == EXIT_OK ? exit_code : code;
}
