/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/command.h"
#include "core/command/file_request.h"

#include <stdio.h>

static const char help[] =
	"Usage: pep-server restore [--config FILE] [--set KEY=VALUE]... BACKUP\n"
	"\n"
	"Puts what pep-server backup wrote in the place of the store. The server has to be stopped. BACKUP is "
	"looked through first; the store\n"
	"that is there is kept under another name, which is printed. Gateways that were provisioned after the "
	"backup are not in it.\n"
	"\n"
	"Exit codes: 0 done, 1 failed: the store is as it was, 2 usage, 3 configuration or a plugin that is "
	"refused, 5 BACKUP is not a sound\n"
	"backup, or the storage plugin cannot do this, 12 the store or the disk cannot be used, or a server uses it.\n";

static int restore(const struct file_request *request)
{
	const struct store_side *side = &request->side;
	struct pep_storage_copy copy = {0};
	struct pep_error err = {0};
	pep_status status = storage_restore(&side->context, &side->config->storage, request->path, &copy, &err);

	if (status != PEP_OK)
		return command_complain(file_request_code(status), "%s", err.message);
	(void)printf("%s was restored: %lld records\n", request->path, (long long)copy.record_count);
	if (copy.kept[0])
		(void)printf("what was there before is kept as %s\n", copy.kept);
	return COMMAND_DONE;
}

int command_restore(int count, char **arguments)
{
	return file_request_run(count, arguments, help, restore);
}
