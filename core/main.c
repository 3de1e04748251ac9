/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/access.h"
#include "core/checkup.h"
#include "core/command/command.h"
#include "core/config/config.h"
#include "core/plugin/check.h"
#include "core/plugin/describe.h"
#include "core/server.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_OTHER = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3 };
enum question { SERVE, CHECK_CONFIG, PRINT_CONFIG, LIST_PLUGINS, HELP_PLUGIN };

struct arguments {
	enum question question;
	const char *config_path, *plugin, *port_file;
	const char **settings; /* room for as many as there are arguments */
	size_t setting_count;
	int exit_code; /* not negative: there is nothing left to do */
};

static const char help[] =
	"Usage: pep-server [OPTION]...\n"
	"       pep-server ca init|inspect ...               make a test certificate authority, look at one\n"
	"       pep-server tls init|show ...                 a certificate for this server, and the pin of one\n"
	"       pep-server import-fcu DIR                    the folder of the vendor's tool as a configuration\n"
	"       pep-server migrate --from FILE --to FILE     copy records, orders and grants from one store to another\n"
	"       pep-server token add|list|rotate|revoke ...  who is let in\n"
	"       pep-server doctor [--json]                   what is well with this server, what is not, and what to do\n"
	"       pep-server backup|restore BACKUP             a copy of the store in a file, and back\n"
	"       pep-server audit verify|show ...             is the audit as it was written; its records\n"
	"Give IoT gateways their identity on the production line.\n"
	"\n"
	"  -c, --config FILE      the configuration; default: " PEP_CONFIG_FILE "\n"
	"      --set KEY=VALUE    one value that wins over the file: --set server.port=0; may be repeated\n"
	"      --port-file FILE   write the port to FILE when ready, for server.port 0\n"
	"      --check-config     would it start? Reads everything, opens storage and injector, serves nobody\n"
	"      --print-config     the configuration that is in force, with where each value came from; secrets are hidden\n"
	"      --list-plugins     the plugins that can be named\n"
	"      --help-plugin NAME the options of a plugin\n"
	"      --version          print the version\n"
	"  -h, --help             print this\n"
	"\n"
	"PEP_SERVER_PORT in the environment wins over the file's port, --set over both.\n"
	"Exit codes: 0 done, 1 other failure, 2 usage, 3 configuration or a plugin that is refused, 4 cannot listen,\n"
	"12 the data folder, the storage or the port file cannot be used.\n";

static int complain(int exit_code, const char *message)
{
	(void)fprintf(stderr, "pep-server: %s\n", message);
	return exit_code;
}

static int usage(const char *message)
{
	return complain(EXIT_USAGE, message);
}

/* Output that did not get out (a full disk, a closed pipe) is a failure. */
static int flushed(int exit_code)
{
	if (fflush(stdout) || ferror(stdout))
		return complain(EXIT_OTHER, "standard output cannot be written");
	return exit_code;
}

static int put(const char *text)
{
	(void)fputs(text, stdout);
	return flushed(EXIT_SUCCESS);
}

enum { OPT_SET = 256, OPT_PORT_FILE, OPT_CHECK, OPT_PRINT, OPT_LIST, OPT_HELP_PLUGIN, OPT_VERSION };
static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"set", required_argument, NULL, OPT_SET},
	{"port-file", required_argument, NULL, OPT_PORT_FILE},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"print-config", no_argument, NULL, OPT_PRINT},
	{"list-plugins", no_argument, NULL, OPT_LIST},
	{"help-plugin", required_argument, NULL, OPT_HELP_PLUGIN},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void ask(struct arguments *arguments, enum question question)
{
	if (arguments->question != SERVE && arguments->question != question)
		arguments->exit_code = usage("--check-config, --print-config, --list-plugins and --help-plugin exclude each other");
	arguments->question = question;
}

static void take_option(struct arguments *arguments, int option)
{
	switch (option) {
	case 'c':
		arguments->config_path = optarg;
		break;
	case OPT_SET:
		arguments->settings[arguments->setting_count++] = optarg;
		break;
	case OPT_PORT_FILE:
		arguments->port_file = optarg;
		break;
	case OPT_CHECK:
		ask(arguments, CHECK_CONFIG);
		break;
	case OPT_PRINT:
		ask(arguments, PRINT_CONFIG);
		break;
	case OPT_LIST:
		ask(arguments, LIST_PLUGINS);
		break;
	case OPT_HELP_PLUGIN:
		arguments->plugin = optarg;
		ask(arguments, HELP_PLUGIN);
		break;
	case OPT_VERSION:
		arguments->exit_code = put("pep-server " PEP_VERSION "\n");
		break;
	case 'h':
		arguments->exit_code = put(help);
		break;
	default: /* getopt_long() has said what is wrong */
		arguments->exit_code = usage("try pep-server --help");
	}
}

static void read_arguments(int count, char **values, struct arguments *arguments)
{
	while (arguments->exit_code < 0) {
		int option = getopt_long(count, values, "c:h", options, NULL);

		if (option < 0)
			break;
		take_option(arguments, option);
	}
	if (arguments->exit_code < 0 && optind < count) {
		(void)fprintf(stderr, "pep-server: unexpected argument \"%s\"; ", values[optind]);
		(void)fputs("try pep-server --help\n", stderr);
		arguments->exit_code = EXIT_USAGE;
	}
}

/* To ask about plugins, nobody needs a configuration that is complete, or any at all. */
static pep_status load(const struct arguments *arguments, struct config **ret_config, struct pep_error *err)
{
	bool is_about_plugins = arguments->question == LIST_PLUGINS || arguments->question == HELP_PLUGIN;
	const struct config_source source = {
		.path = arguments->config_path                                   ? arguments->config_path
			: is_about_plugins && access(PEP_CONFIG_FILE, R_OK) != 0 ? NULL
										 : PEP_CONFIG_FILE,
		.settings = arguments->settings,
		.setting_count = arguments->setting_count,
		.injector_is_optional = is_about_plugins,
	};
	pep_status status = config_load_from(&source, ret_config, err);

	if (status == PEP_NOT_FOUND && !arguments->config_path) {
		const struct pep_error why = *err;

		return pep_fail(err, status, why.native, "%s; name another with --config FILE", why.message);
	}
	return status;
}

static void note_fault(void *context, const struct checkup_finding *finding)
{
	int *exit_code = context;

	if (finding->level == CHECKUP_GOOD)
		return;
	(void)complain(finding->exit_code, finding->text);
	if (!*exit_code)
		*exit_code = finding->exit_code;
}

static int check_config(const struct config *config)
{
	int exit_code = EXIT_SUCCESS;

	checkup_start(config, note_fault, &exit_code);
	if (exit_code == EXIT_SUCCESS)
		(void)printf("the configuration is good: storage %s, injector %s, %zu exporters\n", config->storage.plugin,
			     config->injector.plugin, config->exporter_count);
	return flushed(exit_code);
}

static pep_status prepare(const struct config *config, struct pep_error *err)
{
	pep_status status = access_check(config, err);

	if (status == PEP_OK)
		status = server_check_tls(config, err);
	if (status == PEP_OK)
		status = check_plugins(config, err);
	return status;
}

static pep_status answer(const struct arguments *arguments, const struct config *config, struct pep_error *err)
{
	switch (arguments->question) {
	case LIST_PLUGINS:
		return describe_list(stdout, stderr, config->plugin_dir, err);
	case HELP_PLUGIN:
		return describe_plugin(stdout, config->plugin_dir, arguments->plugin, err);
	case PRINT_CONFIG:
		return describe_config(stdout, config, err);
	case CHECK_CONFIG:
		return PEP_OK;
	case SERVE:
	default:
		return prepare(config, err);
	}
}

static int run(const struct arguments *arguments)
{
	struct config *config = NULL;
	struct pep_error err = {0};
	pep_status status = load(arguments, &config, &err);
	int exit_code;

	if (status == PEP_OK)
		status = answer(arguments, config, &err);
	if (status != PEP_OK) {
		(void)fflush(stdout);
		exit_code = complain(EXIT_CONFIG, err.message);
	} else if (arguments->question == CHECK_CONFIG) {
		exit_code = check_config(config);
	} else if (arguments->question != SERVE) {
		exit_code = flushed(EXIT_SUCCESS);
	} else {
		exit_code = server_run(config, arguments->port_file);
	}
	config_free(config);
	return exit_code;
}

/* Keys and secrets pass through our memory: nothing of it goes to a disk, and no other process of this user may look into it. */
static void forbid_dumps(void)
{
	const struct rlimit none = {0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

int main(int count, char **values)
{
	struct arguments arguments = {.exit_code = -1};

	forbid_dumps();
	if (command_run(count, values, &arguments.exit_code))
		return arguments.exit_code;
	arguments.settings = calloc((size_t)count + 1, sizeof(*arguments.settings));
	if (!arguments.settings)
		return complain(EXIT_OTHER, "out of memory");
	read_arguments(count, values, &arguments);
	if (arguments.exit_code < 0)
		arguments.exit_code = run(&arguments);
	free(arguments.settings);
	return arguments.exit_code;
}
