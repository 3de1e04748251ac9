/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/command.h"
#include "core/command/migration.h"
#include "core/command/store_side.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: pep-server migrate --from FILE --to FILE\n"
	"\n"
	"Copies every record, whatever its state, and the orders and grants, from one store to another, and compares both "
	"afterwards.\n"
	"--from and --to are configurations as of pep-server --config; their storage sections count, and server.data_dir. Stop "
	"the\n"
	"servers first. --to has to be empty, or what an earlier run of the same command left: that one goes on where it was. "
	"Nothing\n"
	"is ever overwritten.\n"
	"\n"
	"Exit codes: 0 copied and equal, 1 failed or stopped on the way: run it again, 2 usage, 3 configuration or a plugin that "
	"is refused,\n"
	"5 not safe, and nothing was written, 6 the stores differ in the end, 12 a store cannot be used, or a server uses it.\n";

static bool read_arguments(int count, char **arguments, const char **ret_from, const char **ret_to)
{
	for (int i = 0; i < count; i += 2) {
		const char **path = strcmp(arguments[i], "--from") == 0 ? ret_from
				    : strcmp(arguments[i], "--to") == 0 ? ret_to
									: NULL;

		if (!path || *path || i + 1 == count)
			return false;
		*path = arguments[i + 1];
	}
	return *ret_from && *ret_to;
}

/* Facts that only the source's data folder knows have to come along with the records. */
static int check_waiting(const struct store_side *from, const struct store_side *to)
{
	bool is_one_folder = from->spool && !to->spool && strcmp(from->config->data_dir, to->config->data_dir) == 0;

	if (from->waiting == 0 || is_one_folder)
		return COMMAND_DONE;
	return command_complain(
		COMMAND_UNSAFE,
		"--from: %u outcomes wait in %s for their server: start it once, and stop it when /readyz answers 200; "
		"nothing was written",
		from->waiting, from->config->data_dir);
}

static int open_sides(struct store_side *from, const char *from_path, struct store_side *to, const char *to_path)
{
	int code = store_side_load(from, "--from", from_path, NULL, 0);

	if (code == COMMAND_DONE)
		code = store_side_load(to, "--to", to_path, NULL, 0);
	if (code == COMMAND_DONE && store_side_same(from, to))
		code = command_complain(COMMAND_UNSAFE, "--from and --to are one and the same store; nothing was written");
	if (code == COMMAND_DONE)
		code = store_side_lock(from, NULL);
	if (code == COMMAND_DONE)
		code = store_side_make_folder(to);
	if (code == COMMAND_DONE)
		code = store_side_lock(to, from);
	if (code == COMMAND_DONE)
		code = check_waiting(from, to);
	if (code == COMMAND_DONE)
		code = store_side_open(from);
	return code == COMMAND_DONE ? store_side_open(to) : code;
}

static int migrate(const struct store_side *from, const struct store_side *to)
{
	struct migration migration = {.source = from->storage, .target = to->storage};
	int64_t note_count = 0;
	int code = migration_survey(&migration);

	if (code == COMMAND_DONE)
		code = migration_look(&migration);
	if (code == COMMAND_DONE)
		code = migration_orders(&migration, MIGRATION_LOOK, &note_count);
	if (code == COMMAND_DONE && migration.present_count > 0)
		(void)command_complain(0, "--to has %lld of %lld records already: going on", (long long)migration.present_count,
				       (long long)migration.source_count);
	if (code == COMMAND_DONE)
		code = migration_copy(&migration);
	if (code == COMMAND_DONE)
		code = migration_notes(from, to);
	if (code == COMMAND_DONE)
		code = migration_orders(&migration, MIGRATION_COPY, &note_count);
	if (code == COMMAND_DONE)
		code = migration_verify(&migration);
	if (code == COMMAND_DONE)
		code = migration_orders(&migration, MIGRATION_COMPARE, &note_count);
	if (code == COMMAND_DONE && note_count > 0)
		(void)printf("copied orders and grants: %lld notes, compared\n", (long long)note_count);
	if (code == COMMAND_DONE)
		(void)printf("copied %lld records, %lld were there; %s and %s are equal\n", (long long)migration.copied_count,
			     (long long)migration.present_count, storage_name(from->storage), storage_name(to->storage));
	return code;
}

int command_migrate(int count, char **arguments)
{
	struct store_side from = {0}, to = {0};
	const char *from_path = NULL, *to_path = NULL;
	int code;

	if (count == 1 && strcmp(arguments[0], "--help") == 0)
		return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_DONE;
	if (!read_arguments(count, arguments, &from_path, &to_path)) {
		(void)fputs(help, stderr);
		return COMMAND_USAGE;
	}
	store_prepare();
	code = open_sides(&from, from_path, &to, to_path);
	if (code == COMMAND_DONE)
		code = migrate(&from, &to);
	store_side_close(&to);
	store_side_close(&from);
	return code;
}
