/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

static const struct option_row common_options[] = {
	{.letter = 'v', .name = "verbose", .help = "tell on stderr what is done"},
	{.name = "quiet", .help = "nothing on stderr but errors"},
	{.name = "json", .help = "one JSON object on stdout as the result, also of an error"},
	{.letter = 'h', .name = "help", .help = "show this help"},
	{0},
};

/* Of every command that asks the server. No token: every process can read a command line. */
static const struct option_row server_options[] = {
	{.name = "ca",
	 .argument = "FILE",
	 .is_file = true,
	 .help = "trust servers whose certificate this authority has signed (PEM)"},
	{.name = "pin", .argument = "PIN", .help = "trust the server with this key, sha256//BASE64, whoever has signed it"},
	{.name = "token-file", .argument = "FILE", .is_file = true, .help = "file with the token that the server knows us by"},
	{.name = "cert", .argument = "FILE", .is_file = true, .help = "client certificate, for servers that know us by it (PEM)"},
	{.name = "key", .argument = "FILE", .is_file = true, .help = "its private key (PEM)"},
	{0},
};

const struct option_row commands_global_options[] = {
	{.letter = 'h', .name = "help", .help = "show this help"},
	{.letter = 'V', .name = "version", .help = "show the version"},
	{.letter = 'v', .name = "verbose", .help = "tell on stderr what is done"},
	{.name = "quiet", .help = "nothing on stderr but errors"},
	{.name = "json", .help = "one JSON object on stdout as the result, also of an error"},
	{0},
};

static const struct option_row identity_options[] = {
	{.letter = 'a',
	 .name = "api-address",
	 .argument = "URL",
	 .fallback = "https://api.us-east-1.mbedcloud.com",
	 .field = "apiAddress",
	 .help = "address of the cloud API"},
	{.letter = 'g',
	 .name = "gateway-services-address",
	 .argument = "URL",
	 .fallback = "https://gateways.us-east-1.mbedcloud.com",
	 .field = "gatewayServicesAddress",
	 .help = "address of the gateway services"},
	{.letter = 's',
	 .name = "serial-number",
	 .argument = "SERIAL",
	 .field = "serialNumber",
	 .required = "serial_number",
	 .help = "serial number, the endpoint name of the gateway"},
	{.letter = 'w',
	 .name = "hardware-version",
	 .argument = "TEXT",
	 .fallback = "izuma-edge-gateway",
	 .field = "hardwareVersion",
	 .help = "hardware version"},
	{.letter = 'r',
	 .name = "radio-config",
	 .argument = "TEXT",
	 .fallback = "00",
	 .field = "radioConfig",
	 .help = "radio configuration"},
	{.letter = 'l',
	 .name = "led-config",
	 .argument = "TEXT",
	 .fallback = "01",
	 .field = "ledConfig",
	 .help = "LED configuration"},
	{.letter = 'c', .name = "category", .argument = "TEXT", .fallback = "production", .field = "category", .help = "category"},
	{.letter = 'i', .name = "ip", .argument = "ADDRESS", .field = "ip", .required = "ip", .help = "IP address of the gateway"},
	{.letter = 'p',
	 .name = "port",
	 .argument = "PORT",
	 .field = "port",
	 .required = "port_number",
	 .help = "port of the factory client on the gateway"},
	{.letter = 'k', .name = "generate-key", .help = "make a new journald sealing key and register its verification key"},
	{.letter = 'e', .name = "interval", .argument = "TIME", .fallback = "10s", .help = "sealing interval for -k"},
	{0},
};

static const struct option_row lookup_options[] = {
	{.letter = 's',
	 .name = "serial-number",
	 .argument = "SERIAL",
	 .field = "serialNumber",
	 .required = "serial_number",
	 .help = "serial number, the endpoint name of the gateway"},
	{0},
};

static const struct option_row list_options[] = {
	{.letter = 'l',
	 .name = "limit",
	 .argument = "NUMBER",
	 .fallback = "50",
	 .field = "limit",
	 .help = "entries at most, 1 to 1000"},
	{.letter = 'o',
	 .name = "order",
	 .argument = "ORDER",
	 .fallback = "DESC",
	 .field = "order",
	 .choices = "ASC DESC",
	 .help = "ASC, oldest first, or DESC, newest first"},
	{.letter = 't', .name = "last", .argument = "ID", .field = "last", .help = "continue behind the entry with this _id"},
	{.letter = 'e',
	 .name = "format",
	 .argument = "FORMAT",
	 .fallback = "json",
	 .choices = "json csv",
	 .help = "json, or csv for a CSV file beside the JSON file"},
	{.letter = 'f',
	 .name = "file",
	 .argument = "NAME",
	 .fallback = "enrollment_ids_list",
	 .is_file = true,
	 .help = "name of the file, without its ending"},
	{0},
};

static const struct option_row export_options[] = {
	{.letter = 'e',
	 .name = "exporter",
	 .argument = "NAME",
	 .fallback = "csv",
	 .help = "exporter of the server, csv, json or jsonl for example"},
	{.letter = 'p',
	 .name = "profile",
	 .argument = "NAME",
	 .field = "profile",
	 .help = "one of the exporter's formats; csv has legacy, portal and inventory"},
	{.letter = 'S',
	 .name = "state",
	 .argument = "STATE",
	 .field = "state",
	 .choices = "deployed claimed contacted issued failed in_doubt retired all",
	 .help = "only identities in this state, or all; the server's default is deployed"},
	{.letter = 'F',
	 .name = "from",
	 .argument = "TIME",
	 .field = "from",
	 .help = "only those deployed then or later: RFC 3339 date or time, or ms since 1970"},
	{.letter = 'T', .name = "to", .argument = "TIME", .field = "to", .help = "only those deployed before"},
	{.letter = 'c', .name = "category", .argument = "TEXT", .field = "category", .help = "only those of this category"},
	{.letter = 'n',
	 .name = "station",
	 .argument = "TEXT",
	 .field = "station",
	 .help = "only those that this station asked for"},
	{.letter = 's',
	 .name = "since",
	 .argument = "CURSOR",
	 .field = "since",
	 .help = "only what is new since the export that gave this cursor; may repeat, never misses"},
	{.letter = 'C',
	 .name = "cursor-file",
	 .argument = "FILE",
	 .is_file = true,
	 .help = "as --since with the cursor in this file, which then gets the new one"},
	{.letter = 'l',
	 .name = "limit",
	 .argument = "NUMBER",
	 .field = "limit",
	 .help = "this many at most, without it all; with a folder, this many a file, without it 100000"},
	{.letter = 't', .name = "last", .argument = "ID", .field = "last", .help = "continue behind the entry with this _id"},
	{.letter = 'o',
	 .name = "output",
	 .argument = "PATH",
	 .fallback = "-",
	 .is_file = true,
	 .help = "file to write; - is stdout; a folder gets numbered files and keeps its place in the export"},
	{0},
};

static const struct option_row no_options[] = {{0}};

const struct command commands_table[] = {
	{.name = "get-one-identity",
	 .summary = "Provision one gateway and save its identity in identity.json",
	 .options = identity_options,
	 .asks_server = true,
	 .run = identity_run},
	{.name = "get-enrollment-id",
	 .summary = "Show the enrollment identity of a gateway",
	 .options = lookup_options,
	 .asks_server = true,
	 .run = lookup_run_enrollment_id},
	{.name = "get-verification-key",
	 .summary = "Show the journald verification key of a gateway",
	 .options = lookup_options,
	 .asks_server = true,
	 .run = lookup_run_verification_key},
	{.name = "list-enrollment-ids",
	 .summary = "Save one page of the deployed identities in a file",
	 .options = list_options,
	 .asks_server = true,
	 .run = list_run},
	{.name = "export",
	 .summary = "Write all identities, or what is new, in a format of the server",
	 .options = export_options,
	 .asks_server = true,
	 .run = export_run},
	{.name = "help",
	 .summary = "Show the usage of pep-cli or of a command",
	 .argument = "[COMMAND]",
	 .options = no_options,
	 .run = help_run},
	{.name = "completion",
	 .summary = "Print a completion script for a shell",
	 .argument = "SHELL",
	 .argument_choices = "bash zsh fish",
	 .argument_required = true,
	 .options = no_options,
	 .run = completion_run},
	{.name = "version", .summary = "Show the version", .options = no_options, .run = version_run},
	{0},
};

const struct command *commands_find(const char *name)
{
	for (const struct command *command = commands_table; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

/* The row at *index, or NULL with what is left of the index behind the list. */
static const struct option_row *row_at(const struct option_row *rows, size_t *index)
{
	size_t count = 0;

	while (rows[count].name)
		if (count++ == *index)
			return &rows[*index];
	*index -= count;
	return NULL;
}

const struct option_row *commands_option(const struct command *command, size_t index)
{
	const struct option_row *row = row_at(command->options, &index);

	if (!row && command->asks_server)
		row = row_at(server_options, &index);
	return row ? row : row_at(common_options, &index);
}
