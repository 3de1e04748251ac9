/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/audit.h"

#include "core/base/cleanup.h"
#include "core/command/command.h"
#include "core/config/config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char help[] =
	"Usage: pep-server audit verify [--head HEAD] [--after HASH] [--json] [FOLDER|FILE]\n"
	"       pep-server audit show [--since TIME] [--serial SERIAL] [FOLDER|FILE]\n"
	"\n"
	"Without FOLDER or FILE: the data folder of the configuration. The server may run.\n"
	"verify   is the audit as it was written? Names the first record that was altered, lost, moved or written twice.\n"
	"         --head   a head that was published (\"SEQ HASH\" of Pep-Audit-Head, or HASH): the chain must lead to it\n"
	"         --after  the hash of the last record of files that were moved away\n"
	"         --json   the result as a JSON object\n"
	"show     prints records as they are, one JSON object a line\n"
	"         --since  from this time on: 2027-03-01, 2027-03-01T06:30:00Z, or milliseconds since 1970\n"
	"         --serial of this gateway only\n"
	"Both take --config FILE and --set KEY=VALUE as the server does.\n"
	"Exit codes: 0 done, 1 other failure, 2 usage, 3 configuration, 6 the audit is not as it was written, 12 it cannot be "
	"read.\n";

struct words {
	struct audit_request request;
	struct config_source source;
	const char **settings; /* room for as many as there are arguments */
	const char *path;
};

static bool take_value(int *at, int count, char **arguments, const char *name, const char **ret_value)
{
	if (strcmp(arguments[*at], name) != 0 || *at + 1 >= count)
		return false;
	*ret_value = arguments[++*at];
	return true;
}

static bool read_words(int count, char **arguments, bool is_verify, struct words *words)
{
	struct audit_request *request = &words->request;
	struct config_source *source = &words->source;

	for (int i = 0; i < count; i++) {
		if (take_value(&i, count, arguments, "--config", &source->path) ||
		    take_value(&i, count, arguments, "-c", &source->path))
			continue;
		if (take_value(&i, count, arguments, "--set", &words->settings[source->setting_count])) {
			source->setting_count++;
			continue;
		}
		if (is_verify && (take_value(&i, count, arguments, "--head", &request->head) ||
				  take_value(&i, count, arguments, "--after", &request->after)))
			continue;
		if (!is_verify && (take_value(&i, count, arguments, "--since", &request->since) ||
				   take_value(&i, count, arguments, "--serial", &request->serial)))
			continue;
		if (is_verify && strcmp(arguments[i], "--json") == 0)
			request->as_json = true;
		else if (arguments[i][0] == '-' || words->path)
			return false;
		else
			words->path = arguments[i];
	}
	return true;
}

static int run_on(struct words *words, const char *path, int (*run)(const struct audit_request *request))
{
	struct pep_error err = {0};
	struct stat about;
	int code;

	words->request.is_file = stat(path, &about) == 0 && !S_ISDIR(about.st_mode);
	if (audit_reader_open(path, &words->request.reader, &err) != PEP_OK)
		return command_complain(COMMAND_STORE, "%s", err.message);
	code = run(&words->request);
	audit_reader_close(words->request.reader);
	return code;
}

int command_audit(int count, char **arguments)
{
	bool is_verify = count > 0 && strcmp(arguments[0], "verify") == 0;
	AUTO(free_ptr) const char **settings = calloc((size_t)count + 1, sizeof(*settings));
	struct words words = {.source = {.path = PEP_CONFIG_FILE, .settings = settings, .injector_is_optional = true},
			      .settings = settings};
	struct config *config = NULL;
	struct pep_error err = {0};
	int code;

	if (!settings)
		return command_complain(COMMAND_FAILED, "out of memory");
	if (command_asks_help(count, arguments))
		return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_DONE;
	if (count == 0 || (!is_verify && strcmp(arguments[0], "show") != 0) ||
	    !read_words(count - 1, arguments + 1, is_verify, &words)) {
		(void)fputs(help, stderr);
		return COMMAND_USAGE;
	}
	if (!words.path && config_load_from(&words.source, &config, &err) != PEP_OK)
		return command_complain(COMMAND_REFUSED, "%s", err.message);
	code = run_on(&words, words.path ? words.path : config->data_dir, is_verify ? audit_verify : audit_show);
	config_free(config);
	return code;
}
