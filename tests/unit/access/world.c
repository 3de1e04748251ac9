/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void file_path(const struct world *world, char path[128])
{
	(void)snprintf(path, 128, "%s/tokens", world->folder);
}

void world_make(struct world *world)
{
	*world = (struct world){
		.config = {.listen = "0.0.0.0", .access_tokens = "tokens", .request_burst = 1, .failures_per_minute = 100000}};
	(void)snprintf(world->folder, sizeof(world->folder), "/tmp/pep-access-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	world->config.data_dir = world->folder;
	world_begin_file(world);
}

void world_begin_file(struct world *world)
{
	char path[128];

	file_path(world, path);
	world->file = fopen(path, "we");
	assert_non_null(world->file);
	assert_int_equal(fchmod(fileno(world->file), 0600), 0);
}

void world_add_line(struct world *world, const char *line)
{
	assert_true(fprintf(world->file, "%s\n", line) > 0);
}

void world_add_token(struct world *world, const char *token, const char *name, const char *kind, const char *scopes,
		     const char *more)
{
	char digest[DIGEST_ROOM];

	token_digest(token, strlen(token), digest);
	assert_true(fprintf(world->file,
			    "{\"id\":\"%.12s\",\"name\":\"%s\",\"kind\":\"%s\",\"token_sha256\":\"%s\",\"scopes\":[%s],"
			    "\"created\":\"2026-01-02T03:04:05Z\"%s}\n",
			    token, name, kind, digest, scopes, more) > 0);
}

void world_end_file(struct world *world)
{
	assert_int_equal(fclose(world->file), 0);
	world->file = NULL;
}

void world_open(struct world *world)
{
	struct pep_error err = {0};

	if (access_open(&world->config, &world->access, &err) != PEP_OK)
		fail_msg("%s", err.message);
}

void world_destroy(struct world *world)
{
	char path[128];

	if (world->file)
		world_end_file(world);
	access_close(world->access);
	file_path(world, path);
	(void)unlink(path);
	assert_int_equal(rmdir(world->folder), 0);
}
