/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-server token: who is let in. The server learns of it when it is told to reload.
 */
#include "core/command/token.h"

#include "core/access/access.h"
#include "core/access/scope.h"
#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/command/command.h"
#include "core/config/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: pep-server token add [--person] [--scope LIST] [--network NETWORK]... [--days N] [--certificate SHA256] NAME\n"
	"       pep-server token list\n"
	"       pep-server token rotate [--overlap SPAN] [--days N] NAME\n"
	"       pep-server token revoke NAME|ID\n"
	"\n"
	"Who is let in: the file that access.tokens in the configuration names. The server reads it again on SIGHUP.\n"
	"add      lets a station (or with --person a person) in, and prints its token, once: only a hash of it is kept.\n"
	"         --scope        some of provision,read,export,operate,audit; default: provision,read; of a person: read\n"
	"         --network      where it may be used, such as 10.20.0.0/16; may be repeated; default: anywhere\n"
	"         --days         until it expires; default: never\n"
	"         --certificate  no token, but who has the client certificate with this fingerprint\n"
	"list     shows all of them, without their tokens.\n"
	"rotate   prints another token; the one before goes on for --overlap, 24h if it is not given.\n"
	"revoke   takes out all of a name, or one by its id.\n"
	"All take --config FILE and --set KEY=VALUE as the server does.\n"
	"Exit codes: 0 done, 1 other failure, 2 usage, 3 configuration, file or name refused, 12 the file cannot be used.\n";

static int code_of(pep_status status)
{
	return status == PEP_INVALID                                  ? COMMAND_REFUSED
	       : status == PEP_UNAVAILABLE || status == PEP_NOT_FOUND ? COMMAND_STORE
								      : COMMAND_FAILED;
}

static void print_networks(const struct access_entry *entry)
{
	char text[64];

	for (size_t i = 0; i < entry->network_count; i++) {
		network_write(&entry->networks[i], text);
		(void)printf("%s%s", i ? "," : "", text);
	}
	if (!entry->network_count)
		(void)printf("-");
}

/* Columns that tools can read: none of the values has a space in it. */
static int print_list(const struct roster *roster, int64_t now_ms)
{
	char time[ENTRY_TIME_ROOM], scopes[SCOPE_LIST_ROOM];

	(void)printf("%-12s  %-7s  %-5s  %-20s  %-20s  %-20s  %-20s  %s\n", "id", "kind", "proof", "name", "created", "expires",
		     "scopes", "networks");
	for (size_t i = 0; i < roster->count; i++) {
		const struct access_entry *entry = &roster->entries[i];
		bool is_over = entry->expires_ms && entry->expires_ms <= now_ms;

		scope_write_list(entry->scopes, scopes);
		(void)printf("%-12s  %-7s  %-5s  %-20s  ", entry->id, entry->kind == ENTRY_STATION ? "station" : "person",
			     entry->is_certificate ? "cert" : "token", entry->name);
		(void)printf("%-20s  ", entry_write_time(entry->created_ms, time) ? time : "-");
		(void)printf("%-20s  ", is_over                                                          ? "expired"
					: entry->expires_ms && entry_write_time(entry->expires_ms, time) ? time
													 : "-");
		(void)printf("%-20s  ", scopes);
		print_networks(entry);
		(void)putchar('\n');
	}
	return COMMAND_DONE;
}

static int change(const struct token_request *request, struct roster_file *file, int64_t now_ms, char token[TOKEN_ROOM])
{
	struct pep_error err = {0};
	pep_status status;
	int code;

	if (strcmp(request->verb, "add") == 0)
		code = token_add(request, file->roster, now_ms, token);
	else if (strcmp(request->verb, "rotate") == 0)
		code = token_rotate(request, file->roster, now_ms, token);
	else
		code = token_revoke(request, file->roster);
	if (code != COMMAND_DONE)
		return code;
	status = roster_file_write(file, &err);
	if (status != PEP_OK)
		return command_complain(code_of(status), "%s", err.message);
	if (token[0] && (printf("%s\n", token) < 0 || fflush(stdout) != 0))
		return command_complain(COMMAND_FAILED,
					"standard output cannot be written, so nobody has the token; revoke it, and add another");
	(void)fprintf(stderr, "%sthe server learns of this when it reloads: systemctl reload pep, or kill -HUP its process\n",
		      token[0] ? "this token is shown only now; " : "");
	return COMMAND_DONE;
}

static int run_on_file(const struct token_request *request, const char *path, const char *data_dir)
{
	bool is_add = strcmp(request->verb, "add") == 0;
	struct roster_file file = {.fd = -1};
	struct pep_error err = {0};
	char token[TOKEN_ROOM] = "";
	int64_t now_ms = clock_wall_ms();
	pep_status status = roster_file_open(path, is_add ? data_dir : NULL, &file, &err);
	int code;

	if (status != PEP_OK)
		code = command_complain(code_of(status), "%s", err.message);
	else if (strcmp(request->verb, "list") == 0)
		code = print_list(file.roster, now_ms);
	else
		code = change(request, &file, now_ms, token);
	explicit_bzero(token, sizeof(token));
	roster_file_close(&file);
	return code;
}

/* A token may be made before the server has run: its data folder is made as it would make it. */
static bool make_folder(const char *path, const char *data_dir, struct pep_error *err)
{
	size_t size = strlen(data_dir);

	if (strncmp(path, data_dir, size) != 0 || path[size] != '/')
		return true;
	if (mkdir(data_dir, 0750) == 0) {
		if (geteuid() == 0)
			(void)fprintf(stderr, "pep-server: made %s, which is root's now: chown it to the user of the server\n",
				      data_dir);
		return true;
	}
	if (errno == EEXIST)
		return true;
	(void)pep_fail(err, PEP_UNAVAILABLE, errno, "data folder %s cannot be made: %s; make it, or set server.data_dir", data_dir,
		       strerror(errno));
	return false;
}

static int run_with_config(const struct token_request *request)
{
	const struct config_source source = {.path = request->config_path,
					     .settings = request->settings,
					     .setting_count = request->setting_count,
					     .injector_is_optional = true};
	struct config *config = NULL;
	struct pep_error err = {0};
	char *path;
	int code;

	if (config_load_from(&source, &config, &err) != PEP_OK)
		return command_complain(COMMAND_REFUSED, "%s", err.message);
	path = access_path(config);
	if (path && strcmp(request->verb, "add") == 0 && !make_folder(path, config->data_dir, &err))
		code = command_complain(COMMAND_STORE, "%s", err.message);
	else if (path)
		code = run_on_file(request, path, config->data_dir);
	else
		code = command_complain(COMMAND_REFUSED,
					"%s names no file of tokens; set access.tokens in it, or --set access.tokens=FILE",
					request->config_path);
	free(path);
	config_free(config);
	return code;
}

int command_token(int count, char **arguments)
{
	AUTO(free_ptr) const char **settings = calloc((size_t)count + 1, sizeof(*settings));
	struct token_request request = {.config_path = PEP_CONFIG_FILE, .settings = settings, .overlap_ms = -1};
	int code;

	if (!settings)
		return command_complain(COMMAND_FAILED, "out of memory");
	if (command_asks_help(count, arguments))
		return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_DONE;
	if (!count) {
		(void)fputs(help, stderr);
		return COMMAND_USAGE;
	}
	request.verb = arguments[0];
	code = token_request_read(count, arguments, &request);
	return code == COMMAND_DONE ? run_with_config(&request) : code;
}
