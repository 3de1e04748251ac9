/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/file_request.h"

#include "core/base/cleanup.h"
#include "core/command/command.h"

#include <stdio.h>
#include <string.h>

struct words {
	const char *config, *path;
	const char **settings; /* room for as many as there are arguments */
	size_t setting_count;
};

static bool read_arguments(int count, char **arguments, struct words *words)
{
	words->config = PEP_CONFIG_FILE;
	for (int i = 0; i < count; i++) {
		bool is_config = strcmp(arguments[i], "--config") == 0 || strcmp(arguments[i], "-c") == 0;
		bool is_setting = strcmp(arguments[i], "--set") == 0;

		if ((is_config || is_setting) && i + 1 == count)
			return false;
		if (is_config)
			words->config = arguments[++i];
		else if (is_setting)
			words->settings[words->setting_count++] = arguments[++i];
		else if (arguments[i][0] == '-' || words->path)
			return false;
		else
			words->path = arguments[i];
	}
	return words->path && words->path[0];
}

int file_request_run(int count, char **arguments, const char *help, int (*run)(const struct file_request *request))
{
	AUTO(free_ptr) const char **settings = calloc((size_t)count + 1, sizeof(*settings));
	struct words words = {.settings = settings};
	struct file_request request = {0};
	int code;

	if (!settings)
		return command_complain(COMMAND_FAILED, "out of memory");
	if (count == 1 && strcmp(arguments[0], "--help") == 0)
		return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_DONE;
	if (!read_arguments(count, arguments, &words)) {
		(void)fputs(help, stderr);
		return COMMAND_USAGE;
	}
	store_prepare();
	request.path = words.path;
	code = store_side_load(&request.side, "--config", words.config, settings, words.setting_count);
	if (code == COMMAND_DONE)
		code = run(&request);
	store_side_close(&request.side);
	return code;
}

int file_request_code(pep_status status)
{
	switch (status) {
	case PEP_INVALID:
	case PEP_UNSUPPORTED:
		return COMMAND_UNSAFE;
	case PEP_CONFLICT:
	case PEP_NOT_FOUND:
	case PEP_UNAVAILABLE:
		return COMMAND_STORE;
	default:
		return COMMAND_FAILED;
	}
}
