/* SPDX-License-Identifier: Apache-2.0 */
#include "mock_world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The suite's look() has no context, so the path stands here. */
#define FOLDER PEP_TEST_BINARY_DIR "/mock-XXXXXX"
static char folder[sizeof(FOLDER)];
static char path[sizeof(folder) + 16];

const char *mock_world_init(void)
{
	memcpy(folder, FOLDER, sizeof(folder));
	if (!mkdtemp(folder))
		return NULL;
	(void)snprintf(path, sizeof(path), "%s/gateways", folder);
	return path;
}

void mock_world_fini(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

/* Split "serial attempt id\n" from its end. */
static void split_line(char *line, const char **ret_serial, const char **ret_id)
{
	char *end = strchr(line, '\n');
	char *space;

	if (!end)
		abort();
	*end = '\0';
	space = strrchr(line, ' ');
	if (!space || (strcmp(space, " -") != 0 && strlen(space) != 98))
		abort();
	*ret_id = space + 1;
	*space = '\0';
	space = strrchr(line, ' ');
	if (!space || !space[1] || space[1 + strspn(space + 1, "0123456789")])
		abort();
	*space = '\0';
	*ret_serial = line;
}

static size_t read_world(const char *serial, struct injector_view *view)
{
	FILE *file = fopen(path, "r");
	char line[1024];
	size_t count = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		const char *name;
		const char *id;

		split_line(line, &name, &id);
		count++;
		if (!serial || strcmp(name, serial) != 0)
			continue;
		view->touched = true;
		(void)snprintf(view->enrollment_id, sizeof(view->enrollment_id), "%s", strcmp(id, "-") == 0 ? "" : id);
	}
	(void)fclose(file);
	return count;
}

void mock_world_look(const char *serial, struct injector_view *ret_view)
{
	*ret_view = (struct injector_view){0};
	(void)read_world(serial, ret_view);
}

size_t mock_world_count(void)
{
	return read_world(NULL, NULL);
}
