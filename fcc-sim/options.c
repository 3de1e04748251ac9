/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/options.h"

#include "core/base/text.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 100000
#define STATIONS_MAX 4096
#define TIMEOUT_MAX_S 86400
#define PREFIX_MAX 50u
#define PORT_MAX 65535

static const char help[] =
	"Usage: pep-fcc-sim [options]\n"
	"A simulated gateway that waits for its identity, as the factory configurator client does.\n"
	"\n"
	"      --count N           this many gateways, each on a port of its own (1)\n"
	"      --ip ADDRESS        listen at this IPv4 address (127.0.0.1)\n"
	"      --port PORT         port of the first gateway; the next has the next (any free ones)\n"
	"      --serial-prefix P   serial numbers are P and six digits (SIM-)\n"
	"      --first N           number of the first gateway (1)\n"
	"      --store DIR         keep what was accepted: a file for each item, with several gateways a folder for each\n"
	"      --print             show what was accepted\n"
	"      --fault FAULT       [DEVICES=]FAULT; may be given several times. DEVICES: N, N-M, *K (every K-th)\n"
	"                          refuse[:STATUS[:MESSAGE]] slow:MS drop:BYTES[:MESSAGE] no-answer[:MESSAGE] wrong-cn double\n"
	"                          disabled\n"
	"      --provision URL     each gateway asks pep at URL for its identity; prints units per hour\n"
	"      --stations N        so many ask at once (16)\n"
	"      --timeout SECONDS   longest wait for pep's answer (120)\n"
	"      --json              one JSON object a line\n"
	"  -h, --help\n"
	"  -V, --version\n";

const char *options_help(void)
{
	return help;
}

enum option_key {
	KEY_COUNT = 256,
	KEY_IP,
	KEY_PORT,
	KEY_SERIAL_PREFIX,
	KEY_FIRST,
	KEY_STORE,
	KEY_PRINT,
	KEY_FAULT,
	KEY_PROVISION,
	KEY_STATIONS,
	KEY_TIMEOUT,
	KEY_JSON,
};

static const struct option rows[] = {
	{"count", required_argument, NULL, KEY_COUNT},
	{"ip", required_argument, NULL, KEY_IP},
	{"port", required_argument, NULL, KEY_PORT},
	{"serial-prefix", required_argument, NULL, KEY_SERIAL_PREFIX},
	{"first", required_argument, NULL, KEY_FIRST},
	{"store", required_argument, NULL, KEY_STORE},
	{"print", no_argument, NULL, KEY_PRINT},
	{"fault", required_argument, NULL, KEY_FAULT},
	{"provision", required_argument, NULL, KEY_PROVISION},
	{"stations", required_argument, NULL, KEY_STATIONS},
	{"timeout", required_argument, NULL, KEY_TIMEOUT},
	{"json", no_argument, NULL, KEY_JSON},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static bool take_size(const char *text, int64_t min, int64_t max, size_t *ret_size)
{
	int64_t number;

	if (!text_to_number(text, min, max, &number))
		return false;
	*ret_size = (size_t)number;
	return true;
}

static bool take_fault(const char *text, struct options *options)
{
	struct fault fault = {0};

	if (options->fault_count == OPTIONS_FAULTS_MAX || !fault_add(text, 1, &fault))
		return false;
	options->faults[options->fault_count++] = text;
	return true;
}

/* Serial numbers become names of folders and files. */
static bool take_prefix(const char *text, struct options *options)
{
	static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";

	options->serial_prefix = text;
	return strlen(text) <= PREFIX_MAX && strspn(text, allowed) == strlen(text) && text[0] != '.';
}

static bool take_number(int key, const char *value, struct options *options)
{
	size_t number;

	switch (key) {
	case KEY_COUNT:
		return take_size(value, 1, COUNT_MAX, &options->count);
	case KEY_FIRST:
		return take_size(value, 1, INT32_MAX, &options->first);
	case KEY_STATIONS:
		return take_size(value, 1, STATIONS_MAX, &options->station_count);
	case KEY_PORT:
		if (!take_size(value, 1, PORT_MAX, &number))
			return false;
		options->port = (uint16_t)number;
		return true;
	case KEY_TIMEOUT:
	default:
		if (!take_size(value, 1, TIMEOUT_MAX_S, &number))
			return false;
		options->timeout_s = (long)number;
		return true;
	}
}

/* An address of a host, which curl would otherwise take from the path. */
static bool is_server(const char *url)
{
	size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;

	return scheme && url[scheme] != '\0' && url[scheme] != '/';
}

static bool take_option(int key, const char *value, struct options *options)
{
	struct in_addr address;

	switch (key) {
	case KEY_IP:
		options->ip = value;
		return inet_pton(AF_INET, value, &address) == 1;
	case KEY_SERIAL_PREFIX:
		return take_prefix(value, options);
	case KEY_STORE:
		options->store = value;
		return value[0] != '\0';
	case KEY_PRINT:
		return options->print = true;
	case KEY_FAULT:
		return take_fault(value, options);
	case KEY_PROVISION:
		options->provision_url = value;
		options->task = OPTIONS_PROVISION;
		return is_server(value);
	case KEY_JSON:
		return options->json = true;
	default:
		return take_number(key, value, options);
	}
}

/* getopt has read `word`, unless a letter of several is unknown. */
static void complain_unknown(bool needs_value, const char *word, char *ret_error, size_t error_size)
{
	if (needs_value)
		(void)snprintf(ret_error, error_size, "%s: it needs a value", word);
	else if (optopt && optopt < KEY_COUNT)
		(void)snprintf(ret_error, error_size, "-%c: no such option", optopt);
	else
		(void)snprintf(ret_error, error_size, "%s: no such option, or it takes no value", word);
}

bool options_parse(int argc, char **argv, struct options *ret_options, char *ret_error, size_t error_size)
{
	int key, row = 0;

	*ret_options = (struct options){
		.ip = "127.0.0.1", .count = 1, .first = 1, .serial_prefix = "SIM-", .station_count = 16, .timeout_s = 120};
	opterr = 0;
	optind = 1;
	while ((key = getopt_long(argc, argv, ":hV", rows, &row)) != -1) {
		if (key == 'h' || key == 'V') {
			ret_options->task = key == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
			return true;
		}
		if (key == '?' || key == ':') {
			complain_unknown(key == ':', argv[optind - 1], ret_error, error_size);
			return false;
		}
		if (!take_option(key, optarg, ret_options)) {
			(void)snprintf(ret_error, error_size, "--%s: the value %s cannot be used", rows[row].name, optarg);
			return false;
		}
	}
	if (optind < argc) {
		(void)snprintf(ret_error, error_size, "%s: there are options only", argv[optind]);
		return false;
	}
	if (ret_options->port && ret_options->port + ret_options->count - 1 > PORT_MAX) {
		(void)snprintf(ret_error, error_size, "--port %u: there are not %zu ports from there on", ret_options->port,
			       ret_options->count);
		return false;
	}
	return true;
}

void options_serial(const struct options *options, size_t index, char ret_serial[OPTIONS_SERIAL_SIZE])
{
	(void)snprintf(ret_serial, OPTIONS_SERIAL_SIZE, "%.50s%06" PRIu32, options->serial_prefix,
		       (uint32_t)(options->first + index));
}

bool options_folder(const struct options *options, size_t index, char **ret_folder)
{
	char serial[OPTIONS_SERIAL_SIZE];

	*ret_folder = NULL;
	if (!options->store)
		return true;
	if (options->count == 1) {
		*ret_folder = strdup(options->store);
		return *ret_folder != NULL;
	}
	options_serial(options, index, serial);
	if (asprintf(ret_folder, "%s/%s", options->store, serial) >= 0)
		return true;
	*ret_folder = NULL;
	return false;
}

struct fault options_fault(const struct options *options, size_t index)
{
	struct fault fault = {0};

	for (size_t i = 0; i < options->fault_count; i++)
		(void)fault_add(options->faults[i], index + 1, &fault);
	return fault;
}
