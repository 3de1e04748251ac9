/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-cli: asks a pep-server for identities. Reads the command line, runs the command, says how it ended.
 */
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/trust.h"
#include "core/base/cleanup.h"

#include <curl/curl.h>
#include <string.h>

static int fail_usage(struct session *session, int argc, char **argv, struct failure *failure)
{
	AUTO(free_ptr) char *usage = session->command ? NULL : help_usage(NULL);

	/* The wrong option may stand before it. */
	for (int i = 1; i < argc; i++)
		session->json |= strcmp(argv[i], "--json") == 0;
	print_failure(session, failure);
	if (usage)
		print_talk(usage);
	else if (session->command)
		print_note(session, "See: pep-cli help %s", session->command->name);
	return failure->exit_code;
}

static int run_help(struct session *session, struct failure *failure)
{
	AUTO(free_ptr) char *usage = help_usage(session->command);

	if (!usage)
		return failure_set(failure, EXIT_OTHER, "no_memory", "out of memory");
	return print_text(session, "usage", usage, failure);
}

static int run_command(struct session *session, struct failure *failure)
{
	AUTO(trust_fini) struct trust trust = {0};
	int code = session->command->asks_server ? trust_load(session, &trust, failure) : EXIT_OK;

	if (code != EXIT_OK)
		return code;
	session->trust = &trust;
	code = session->command->run(session, failure);
	session->trust = NULL;
	return code;
}

static int run(struct session *session, struct failure *failure)
{
	if (session->help)
		return run_help(session, failure);
	if (session->version)
		return version_run(session, failure);
	return run_command(session, failure);
}

int main(int argc, char **argv)
{
	struct session session;
	struct failure failure = {0};
	int code = options_parse(argc, argv, &session, &failure);

	if (code != EXIT_OK)
		return fail_usage(&session, argc, argv, &failure);
	interrupt_install();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		code = failure_set(&failure, EXIT_OTHER, "no_memory", "libcurl cannot be started");
	else
		code = run(&session, &failure);
	/* A command that has said it all by itself leaves the failure alone. */
	if (code != EXIT_OK && failure.exit_code != EXIT_OK)
		print_failure(&session, &failure);
	curl_global_cleanup();
	return code;
}
