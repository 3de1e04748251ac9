/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char ca_help[] =
	"Usage: pep-server ca init [--name NAME] [--days N] [--password-file FILE] DIR\n"
	"       pep-server ca inspect FILE\n"
	"\n"
	"init     makes a certificate authority for tests: DIR/ca.key and DIR/ca.crt. Nothing is overwritten.\n"
	"         --name           its name; default: pep test CA\n"
	"         --days           how long it is valid; default: 10958 (30 years)\n"
	"         --password-file  encrypts the key with the first line of FILE\n"
	"inspect  shows a certificate (PEM or DER), and whether the fcc injector can sign gateway certificates with it.\n"
	"Exit codes: 0 done, 1 other failure, 2 usage, 3 gateway certificates cannot be signed with it.\n";

bool command_asks_help(int count, char *const *arguments)
{
	for (int i = 0; i < count; i++)
		if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0)
			return true;
	return false;
}

int command_complain(int exit_code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fputs("pep-server: ", stderr);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
	va_end(arguments);
	return exit_code;
}

static int run_ca(int count, char **arguments)
{
	if (command_asks_help(count, arguments))
		return fputs(ca_help, stdout) < 0 ? COMMAND_FAILED : COMMAND_DONE;
	if (count > 0 && strcmp(arguments[0], "init") == 0)
		return command_ca_init(count - 1, arguments + 1);
	if (count > 0 && strcmp(arguments[0], "inspect") == 0)
		return command_ca_inspect(count - 1, arguments + 1);
	(void)fputs(ca_help, stderr);
	return COMMAND_USAGE;
}

bool command_run(int count, char **arguments, int *ret_exit_code)
{
	if (count < 2)
		return false;
	if (strcmp(arguments[1], "ca") == 0)
		*ret_exit_code = run_ca(count - 2, arguments + 2);
	else if (strcmp(arguments[1], "tls") == 0)
		*ret_exit_code = command_tls(count - 2, arguments + 2);
	else if (strcmp(arguments[1], "import-fcu") == 0)
		*ret_exit_code = command_import_fcu(count - 2, arguments + 2);
	else if (strcmp(arguments[1], "migrate") == 0)
		*ret_exit_code = command_migrate(count - 2, arguments + 2);
	else if (strcmp(arguments[1], "backup") == 0)
		*ret_exit_code = command_backup(count - 2, arguments + 2);
	else if (strcmp(arguments[1], "restore") == 0)
		*ret_exit_code = command_restore(count - 2, arguments + 2);
	else if (strcmp(arguments[1], "audit") == 0)
		*ret_exit_code = command_audit(count - 2, arguments + 2);
	else if (strcmp(arguments[1], "token") == 0)
		*ret_exit_code = command_token(count - 2, arguments + 2);
	else if (strcmp(arguments[1], "doctor") == 0)
		*ret_exit_code = command_doctor(count - 2, arguments + 2);
	else
		return false;
	if (fflush(stdout) || ferror(stdout))
		*ret_exit_code = command_complain(COMMAND_FAILED, "standard output cannot be written");
	return true;
}
