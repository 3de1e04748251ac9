/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"
#include "scaffold.h"
#include "source.h"
#include "subject.h"
#include "suites.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct arguments {
	const char *path, *data, *records, *new_kind;
	char **rest;
	int rest_count;
	struct suites_wish wish;
	const char **settings; /* room for as many as there are arguments */
	size_t setting_count;
	int exit_code; /* not negative: there is nothing left to do */
};

static const char help[] =
	"Usage: pep-plugin-check [OPTION]... PLUGIN.so            test a plugin as its own authors test theirs\n"
	"       pep-plugin-check PLUGIN.so --data sample:N        write a file with an exporter, without a server\n"
	"       pep-plugin-check PLUGIN.so --records FILE.jsonl   the same, with records of yours\n"
	"       pep-plugin-check --new exporter NAME DIR          a plugin to begin with\n"
	"\n"
	"      --set KEY=VALUE     an option of the plugin; may be repeated\n"
	"      --profile NAME      the format of an exporter that has several; a test takes all of them if none is named\n"
	"      --expect FILE       what an exporter makes of --data suite, byte for byte\n"
	"      --gateway ADDR:PORT what an injector may inject into again and again; without it nothing is injected\n"
	"      --serial PREFIX     how the serial numbers of such gateways begin; default: GW\n"
	"      --static            look at the file and its description; open nothing\n"
	"      --only PATTERN      the cases with such names: --only 'hostile*'\n"
	"      --data DATA         sample:N for N made-up gateways, suite for the five records of the tests\n"
	"      --records FILE      JSON lines, as the exporter jsonl writes them\n"
	"      --new KIND          make files: exporter\n"
	"      --version           print the version\n"
	"  -h, --help              print this\n"
	"\n"
	"Exit codes: 0 passed or done, 1 something failed, 2 usage.\n";

static int complain(int exit_code, const char *message)
{
	(void)fprintf(stderr, "pep-plugin-check: %s\n", message);
	return exit_code;
}

/* Output that did not get out (a full disk, a closed pipe) is a failure. */
static int put(const char *text)
{
	(void)fputs(text, stdout);
	return fflush(stdout) || ferror(stdout) ? complain(EXIT_FAILED, "standard output cannot be written") : EXIT_SUCCESS;
}

enum {
	OPT_SET = 256,
	OPT_PROFILE,
	OPT_EXPECT,
	OPT_GATEWAY,
	OPT_SERIAL,
	OPT_STATIC,
	OPT_ONLY,
	OPT_DATA,
	OPT_RECORDS,
	OPT_NEW,
	OPT_VERSION
};
static const struct option options[] = {
	{"set", required_argument, NULL, OPT_SET},
	{"profile", required_argument, NULL, OPT_PROFILE},
	{"expect", required_argument, NULL, OPT_EXPECT},
	{"gateway", required_argument, NULL, OPT_GATEWAY},
	{"serial", required_argument, NULL, OPT_SERIAL},
	{"static", no_argument, NULL, OPT_STATIC},
	{"only", required_argument, NULL, OPT_ONLY},
	{"data", required_argument, NULL, OPT_DATA},
	{"records", required_argument, NULL, OPT_RECORDS},
	{"new", required_argument, NULL, OPT_NEW},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void take_option(struct arguments *arguments, int option)
{
	switch (option) {
	case OPT_SET:
		arguments->settings[arguments->setting_count++] = optarg;
		break;
	case OPT_PROFILE:
		arguments->wish.profile = optarg;
		break;
	case OPT_EXPECT:
		arguments->wish.expected_file = optarg;
		break;
	case OPT_GATEWAY:
		arguments->wish.gateway = optarg;
		break;
	case OPT_SERIAL:
		arguments->wish.serial = optarg;
		break;
	case OPT_STATIC:
		arguments->wish.is_static = true;
		break;
	case OPT_ONLY:
		arguments->wish.only = optarg;
		break;
	case OPT_DATA:
		arguments->data = optarg;
		break;
	case OPT_RECORDS:
		arguments->records = optarg;
		break;
	case OPT_NEW:
		arguments->new_kind = optarg;
		break;
	case OPT_VERSION:
		arguments->exit_code = put("pep-plugin-check " PEP_VERSION "\n");
		break;
	case 'h':
		arguments->exit_code = put(help);
		break;
	default: /* getopt_long() has said what is wrong */
		arguments->exit_code = complain(EXIT_USAGE, "try pep-plugin-check --help");
	}
}

static void read_arguments(int count, char **values, struct arguments *arguments)
{
	int wanted;

	while (arguments->exit_code < 0) {
		int option = getopt_long(count, values, "h", options, NULL);

		if (option < 0)
			break;
		take_option(arguments, option);
	}
	if (arguments->exit_code >= 0)
		return;
	arguments->rest = values + optind;
	arguments->rest_count = count - optind;
	wanted = arguments->new_kind ? 2 : 1;
	if (arguments->rest_count != wanted)
		arguments->exit_code = complain(EXIT_USAGE, wanted == 2 ? "--new exporter takes a name and a folder"
									: "name one plugin file; try pep-plugin-check --help");
	else if (arguments->data && arguments->records)
		arguments->exit_code = complain(EXIT_USAGE, "--data and --records exclude each other");
}

static pep_status feed(const struct arguments *arguments, struct subject *subject, struct pep_error *err)
{
	struct source *source;
	pep_status status = source_open(arguments->data, arguments->records, &source, err);

	if (status != PEP_OK)
		return status;
	status = feed_run(subject, arguments->wish.profile, source, stdout, err);
	source_close(source);
	return status;
}

static int run(const struct arguments *arguments)
{
	struct subject subject = {0};
	struct suite_result result = {0};
	struct pep_error err = {0};
	pep_status status;

	if (arguments->new_kind) {
		status = scaffold_make(arguments->new_kind, arguments->rest[0], arguments->rest[1], stdout, &err);
		return status == PEP_OK ? put("") : complain(EXIT_FAILED, err.message);
	}
	status = subject_init(arguments->rest[0], arguments->settings, arguments->setting_count, &subject, &err);
	if (status == PEP_OK && (arguments->data || arguments->records))
		status = feed(arguments, &subject, &err);
	else if (status == PEP_OK)
		suites_run(arguments->rest[0], &subject, &arguments->wish, &result);
	subject_fini(&subject);
	if (status != PEP_OK)
		return complain(EXIT_FAILED, err.message);
	return result.failed ? EXIT_FAILED : put("");
}

int main(int count, char **values)
{
	struct arguments arguments = {.exit_code = -1};

	arguments.settings = calloc((size_t)count + 1, sizeof(*arguments.settings));
	if (!arguments.settings)
		return complain(EXIT_FAILED, "out of memory");
	(void)signal(SIGPIPE, SIG_IGN); /* as in the server: a plugin may write to a pipe that nobody reads */
	read_arguments(count, values, &arguments);
	if (arguments.exit_code < 0)
		arguments.exit_code = run(&arguments);
	free(arguments.settings);
	return arguments.exit_code;
}
