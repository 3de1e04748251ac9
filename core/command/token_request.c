/* SPDX-License-Identifier: Apache-2.0
 *
 * token_request.c - the command line of `pep-server token ...`.
 */
#include "core/access/scope.h"
#include "core/command/command.h"
#include "core/command/token.h"
#include "core/config/network.h"
#include "core/config/value.h"

#include <string.h>

#define DAYS_MAX 36525
#define DAY_MS INT64_C(86400000)

static int read_network(const char *text, struct token_request *request)
{
	const char *why;

	if (request->network_count == TOKEN_NETWORKS_MAX)
		return command_complain(COMMAND_USAGE, "--network: at most %u of them", TOKEN_NETWORKS_MAX);
	if (!network_read(text, &request->networks[request->network_count], &why))
		return command_complain(COMMAND_USAGE, "--network \"%.64s\" %s", text, why);
	request->network_count++;
	return COMMAND_DONE;
}

/* As tools write fingerprints, too: capitals, and colons between. */
static int read_certificate(const char *text, struct token_request *request)
{
	size_t size = 0;

	for (; *text && size < DIGEST_ROOM - 1; text++)
		if (*text != ':')
			request->certificate[size++] = (char)(*text >= 'A' && *text <= 'F' ? *text - 'A' + 'a' : *text);
	request->certificate[size] = '\0';
	if (*text || !entry_is_digest(request->certificate))
		return command_complain(COMMAND_USAGE,
					"--certificate takes the SHA-256 fingerprint of a certificate: 64 hex digits");
	return COMMAND_DONE;
}

static int read_scopes(const char *text, struct token_request *request)
{
	request->scopes = scope_read_list(text);
	if (!request->scopes)
		return command_complain(COMMAND_USAGE, "--scope takes some of provision,read,export,operate,audit");
	return COMMAND_DONE;
}

static int read_number(const char *option, const char *text, struct token_request *request)
{
	if (strcmp(option, "--days") == 0) {
		if (value_int(text, &request->days) && request->days >= 1 && request->days <= DAYS_MAX)
			return COMMAND_DONE;
		return command_complain(COMMAND_USAGE, "--days takes a whole number from 1 to %d", DAYS_MAX);
	}
	if (value_span(text, &request->overlap_ms) && request->overlap_ms >= 0 && request->overlap_ms <= DAYS_MAX * DAY_MS)
		return COMMAND_DONE;
	return command_complain(COMMAND_USAGE, "--overlap takes a time span: 30m, 24h, 0s");
}

static int read_option(const char *option, const char *value, struct token_request *request)
{
	if (strcmp(option, "--config") == 0 || strcmp(option, "-c") == 0) {
		request->config_path = value;
		return COMMAND_DONE;
	}
	if (strcmp(option, "--set") == 0) {
		request->settings[request->setting_count++] = value;
		return COMMAND_DONE;
	}
	if (strcmp(option, "--scope") == 0)
		return read_scopes(value, request);
	if (strcmp(option, "--network") == 0)
		return read_network(value, request);
	if (strcmp(option, "--certificate") == 0)
		return read_certificate(value, request);
	if (strcmp(option, "--days") == 0 || strcmp(option, "--overlap") == 0)
		return read_number(option, value, request);
	return command_complain(COMMAND_USAGE, "there is no option %s; try pep-server token --help", option);
}

/* The options that only some verbs know would be left out without a word. */
static int check_verb(const struct token_request *request)
{
	bool is_add = strcmp(request->verb, "add") == 0, is_rotate = strcmp(request->verb, "rotate") == 0;
	bool is_list = strcmp(request->verb, "list") == 0;

	if (!is_add && (request->scopes || request->network_count || request->certificate[0] || request->kind != ENTRY_STATION))
		return command_complain(COMMAND_USAGE, "--scope, --network, --certificate and --person are for token add");
	if (!is_add && !is_rotate && request->days)
		return command_complain(COMMAND_USAGE, "--days is for token add and token rotate");
	if (!is_rotate && request->overlap_ms >= 0)
		return command_complain(COMMAND_USAGE, "--overlap is for token rotate; token %.32s takes effect at the next reload",
					request->verb);
	if (!is_add && !is_rotate && !is_list && strcmp(request->verb, "revoke") != 0)
		return command_complain(COMMAND_USAGE, "token %.32s: there are add, list, revoke and rotate", request->verb);
	if (is_list == (request->name != NULL))
		return command_complain(COMMAND_USAGE, is_list ? "token list takes no name" : "token %s takes a name",
					request->verb);
	return COMMAND_DONE;
}

int token_request_read(int count, char **arguments, struct token_request *request)
{
	int code = COMMAND_DONE;

	for (int i = 1; i < count && code == COMMAND_DONE; i++) {
		if (strcmp(arguments[i], "--person") == 0)
			request->kind = ENTRY_PERSON;
		else if (arguments[i][0] != '-' && !request->name)
			request->name = arguments[i];
		else if (arguments[i][0] != '-' || i + 1 == count)
			code = command_complain(COMMAND_USAGE, "token: unexpected argument \"%.64s\"; try pep-server token --help",
						arguments[i]);
		else {
			code = read_option(arguments[i], arguments[i + 1], request);
			i++;
		}
	}
	return code == COMMAND_DONE ? check_verb(request) : code;
}
