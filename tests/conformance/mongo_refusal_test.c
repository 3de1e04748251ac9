/* SPDX-License-Identifier: Apache-2.0
 *
 * A start that cannot succeed says why, in one line without a secret; logins and TLS work, or are refused.
 */
#include "mongo_world.h"

#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define PASSWORD "pencil-42"
#define WRONG "s3cret-guess"
#define PATH_SIZE 256

/* A folder with the files that servers of this test need. */
struct files {
	char folder[PATH_SIZE / 2], password[PATH_SIZE], cert[PATH_SIZE], other[PATH_SIZE];
};

static void make_cert(char *path)
{
	char *arguments[] = {"openssl",
			     "req",
			     "-x509",
			     "-newkey",
			     "ec",
			     "-pkeyopt",
			     "ec_paramgen_curve:prime256v1",
			     "-nodes",
			     "-subj",
			     "/CN=127.0.0.1",
			     "-addext",
			     "subjectAltName=IP:127.0.0.1",
			     "-days",
			     "2",
			     "-keyout",
			     path,
			     "-out",
			     path,
			     NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int ended = -1;

	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	(void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_int_equal(ended, 0);
}

/* Key and certificate in one file. */
static void make_pem(const struct files *files, const char *name, char *ret_path)
{
	(void)snprintf(ret_path, PATH_SIZE, "%s/%s.pem", files->folder, name);
	make_cert(ret_path);
}

static void make_files(struct files *files)
{
	FILE *file;

	(void)snprintf(files->folder, sizeof(files->folder), "/tmp/pep-mongo-test-XXXXXX");
	assert_non_null(mkdtemp(files->folder));
	(void)snprintf(files->password, sizeof(files->password), "%s/password", files->folder);
	file = fopen(files->password, "we");
	assert_non_null(file);
	(void)fputs(PASSWORD "\n", file);
	assert_int_equal(fclose(file), 0);
	make_pem(files, "server", files->cert);
	make_pem(files, "other", files->other);
}

static void remove_files(const struct files *files)
{
	(void)unlink(files->password);
	(void)unlink(files->cert);
	(void)unlink(files->other);
	assert_int_equal(rmdir(files->folder), 0);
}

static void nobody_listens(void **state)
{
	struct mongo_world *world = *state;

	/* The port of a server that has just gone. */
	struct mongo_place place;
	char uri[MONGO_PLACE_SIZE];
	const char *const options[] = {"--double", NULL};

	mongo_place_init(&place, options);
	mongo_place_fini(&place);
	mongo_place_uri(&place, 1, "?serverSelectionTimeoutMS=300", uri);
	mongo_world_refuse(world, uri, NULL, PEP_UNAVAILABLE, "is it running", NULL);
	mongo_world_refuse(world, "mongodb://no-such-host.invalid/pep?serverSelectionTimeoutMS=300", NULL, PEP_UNAVAILABLE,
			   "no-such-host.invalid", NULL);
}

static void bad_uris(void **state)
{
	struct mongo_world *world = *state;

	mongo_world_refuse(world, "mongodb://user:" WRONG "@127.0.0.1/pep", NULL, PEP_INVALID, "password: file:PATH", WRONG);
	mongo_world_refuse(world, "mongodb://127.0.0.1", NULL, PEP_INVALID, "no database", NULL);
	mongo_world_refuse(world, "http://127.0.0.1/pep", NULL, PEP_INVALID, "uri: ", NULL);
}

static void a_newer_schema(void **state)
{
	struct mongo_world *world = *state;

	mongo_world_next(world);
	mongo_world_do(world, false,
		       "{\"insert\": \"pep_schema\", \"documents\": [{\"_id\": \"edge_identities\", \"version\": 99}]}");
	mongo_world_refuse(world, world->uri, NULL, PEP_INVALID, "a newer version of pep", NULL);
}

static void an_index_that_somebody_dropped(void **state)
{
	struct mongo_world *world = *state;
	struct pep_error err = {0};
	void *store;

	mongo_world_next(world);
	store = mongo_world_open(world);
	assert_int_equal(world->ops->ping(store, &err), PEP_OK);
	mongo_world_do(world, false, "{\"dropIndexes\": \"edge_identities\", \"index\": \"serialNumber_1\"}");
	assert_int_equal(world->ops->ping(store, &err), PEP_UNAVAILABLE);
	assert_non_null(strstr(err.message, "serialNumber_1"));
	world->ops->close(store);
	store = mongo_world_open(world); /* makes it anew */
	assert_int_equal(world->ops->ping(store, &err), PEP_OK);
	world->ops->close(store);
}

static void an_index_in_the_way(void **state)
{
	struct mongo_world *world = *state;

	mongo_world_next(world);
	mongo_world_do(world, false,
		       "{\"createIndexes\": \"edge_identities\", \"indexes\": [{\"key\": {\"serialNumber\": 1},"
		       "\"name\": \"serialNumber_1\"}]}");
	mongo_world_refuse(world, world->uri, NULL, PEP_INVALID, "serialNumber_1", NULL);
}

static void an_old_server(void **state)
{
	const char *const options[] = {"--old", NULL};
	struct mongo_world world;

	(void)state;
	mongo_world_init(&world, options);
	mongo_world_refuse(&world, world.uri, NULL, PEP_INVALID, "older than MongoDB 4.4", NULL);
	mongo_world_fini(&world);
}

/* With SCRAM-SHA-256. */
static void logins(void **state)
{
	struct mongo_world world;
	struct pep_error err = {0};
	struct files files = {0};
	char uri[MONGO_PLACE_SIZE];
	const char *const options[] = {"--user", "pep", "--password-file", files.password, NULL};
	void *store = NULL;

	(void)state;
	make_files(&files);
	mongo_world_init(&world, options);
	(void)snprintf(uri, sizeof(uri), "mongodb://pep@%.80s/pep?authSource=admin", world.place.uri + strlen("mongodb://"));
	mongo_world_refuse(&world, uri, WRONG, PEP_INVALID, "check the user", WRONG);
	mongo_world_refuse(&world, world.uri, NULL, PEP_INVALID, "requires authentication", NULL);
	if (mongo_world_try(&world, uri, PASSWORD, &store, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_int_equal(world.ops->insert(store, MONGO_RECORD("one"), &err), PEP_OK);
	world.ops->close(store);
	mongo_world_fini(&world);
	remove_files(&files);
}

static void encrypted(void **state)
{
	struct mongo_world world;
	struct pep_error err = {0};
	struct files files = {0};
	char more[PATH_SIZE * 2], uri[MONGO_PLACE_SIZE];
	const char *const options[] = {"--tls-cert", files.cert, NULL};
	void *store = NULL;

	(void)state;
	make_files(&files);
	mongo_world_init(&world, options);
	mongo_place_uri(&world.place, 1, "?serverSelectionTimeoutMS=1500", uri);
	mongo_world_refuse(&world, uri, NULL, PEP_UNAVAILABLE, "cannot open", NULL);
	(void)snprintf(more, sizeof(more), "?tls=true&serverSelectionTimeoutMS=1500&tlsCAFile=%s", files.other);
	mongo_place_uri(&world.place, 1, more, uri);
	mongo_world_refuse(&world, uri, NULL, PEP_UNAVAILABLE, "TLS handshake failed", NULL);
	(void)snprintf(more, sizeof(more), "?tls=true&tlsCAFile=%s", files.cert);
	mongo_place_uri(&world.place, 1, more, uri);
	if (mongo_world_try(&world, uri, NULL, &store, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_int_equal(world.ops->insert(store, MONGO_RECORD("one"), &err), PEP_OK);
	world.ops->close(store);
	mongo_world_fini(&world);
	remove_files(&files);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(bad_uris),
		cmocka_unit_test(a_newer_schema),
		cmocka_unit_test(an_index_that_somebody_dropped),
		cmocka_unit_test(an_index_in_the_way),
		cmocka_unit_test(an_old_server),
		cmocka_unit_test(logins),
		cmocka_unit_test(encrypted),
	};
	struct mongo_world world;
	int failed;

	mongo_world_init(&world, NULL);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i].initial_state = &world;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	mongo_world_fini(&world);
	return failed;
}
