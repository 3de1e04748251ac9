/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo_place.h"

#include <fcntl.h>
#include <mongoc/mongoc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS_MAX 12

/* The driver counts references with atomics that the sanitizer does not see in a library that was built without it. */
PEP_EXPORT const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(
	void) /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the sanitizer's name */
{
	return "race:libbson-1.0.so\nrace:libmongoc-1.0.so\n";
}

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static void become_server(const int *to, const int *from, const char *const *options)
{
	char python[] = "python3", script[] = PEP_TEST_SOURCE_DIR "/tests/e2e/mongo_server.py";
	char *arguments[OPTIONS_MAX + 3] = {python, script};

	for (size_t i = 0; options && options[i] && i < OPTIONS_MAX; i++)
		arguments[i + 2] = strdup(options[i]);
	(void)dup2(to[0], STDIN_FILENO);
	(void)dup2(from[1], STDOUT_FILENO);
	(void)execvp(python, arguments);
	_exit(127);
}

static void read_line(int from, char *line, size_t room)
{
	size_t size = 0;

	while (size + 1 < room && read(from, line + size, 1) == 1 && line[size] != '\n')
		size++;
	line[size] = '\0';
}

void mongo_place_init(struct mongo_place *place, const char *const *options)
{
	char line[MONGO_PLACE_SIZE + 32];
	int to[2], from[2];
	char *space;

	(void)signal(SIGPIPE, SIG_IGN);
	/* Another server must not inherit them: it would keep this one alive. */
	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		give_up("pipe");
	place->process = fork();
	if (place->process < 0)
		give_up("fork");
	if (place->process == 0)
		become_server(to, from, options);
	(void)close(to[0]);
	(void)close(from[1]);
	place->to = to[1];
	place->from = from[0];
	read_line(place->from, line, sizeof(line));
	space = strchr(line, ' ');
	if (!space) {
		(void)fprintf(stderr, "tests/e2e/mongo_server.py did not start a server\n");
		exit(1);
	}
	*space = '\0';
	(void)snprintf(place->kind, sizeof(place->kind), "%.31s", line);
	(void)snprintf(place->uri, sizeof(place->uri), "%s", space + 1);
	(void)printf("server under test: %s\n", place->kind);
}

void mongo_place_fini(struct mongo_place *place)
{
	(void)close(place->to);
	(void)waitpid(place->process, NULL, 0);
	(void)close(place->from);
}

/* PEP_TEST_MONGO_URI may have options: the database goes before them. */
void mongo_place_uri(const struct mongo_place *place, unsigned number, const char *more, char *ret_uri)
{
	int hosts = (int)strcspn(place->uri, "?");
	const char *options = place->uri + hosts;

	while (hosts > 0 && place->uri[hosts - 1] == '/')
		hosts--;
	(void)snprintf(ret_uri, MONGO_PLACE_SIZE, "%.*s/pep_test_%d_%u%s%s", hosts, place->uri, (int)getpid(), number, options,
		       more ? more : "");
}

void mongo_place_values(const char *uri, const char *password, union pep_value *ret_values)
{
	ret_values[0].text = uri;
	ret_values[1].text = password;
	ret_values[2].number = 32;   /* connections */
	ret_values[3].number = 5000; /* timeout */
}

void mongo_place_clean(const struct mongo_place *place, unsigned count)
{
	mongoc_client_t *client = mongoc_client_new(place->uri);

	for (unsigned number = 0; number < count && client; number++) {
		mongoc_database_t *database;
		char name[64];

		(void)snprintf(name, sizeof(name), "pep_test_%d_%u", (int)getpid(), number);
		database = mongoc_client_get_database(client, name);
		(void)mongoc_database_drop(database, NULL);
		mongoc_database_destroy(database);
	}
	mongoc_client_destroy(client);
}
