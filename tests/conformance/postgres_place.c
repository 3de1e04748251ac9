/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER PEP_TEST_SOURCE_DIR "/tests/e2e/postgres_server.py"

static _Noreturn void give_up(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void run_helper(const char *argument, int input, int output)
{
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		_exit(1);
	/* Sanitizers preload what is not for other programs. */
	(void)execlp("python3", "python3", HELPER, argument, (char *)NULL);
	_exit(1);
}

static pid_t start_helper(const char *argument, int *ret_to, int *ret_from)
{
	int to[2], from[2];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		give_up("pipe");
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0)
		run_helper(argument, to[0], from[1]);
	(void)close(to[0]);
	(void)close(from[1]);
	*ret_to = to[1];
	*ret_from = from[0];
	return pid;
}

static int end_helper(pid_t pid, int to, int from)
{
	int status = 0;

	(void)close(to); /* its sign to end */
	if (waitpid(pid, &status, 0) != pid)
		give_up("waitpid");
	(void)close(from);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One line without its end; an empty one if the helper has ended. */
static void read_line(int from, char *ret_line, size_t room)
{
	size_t size = 0;

	while (size < room - 1 && read(from, ret_line + size, 1) == 1 && ret_line[size] != '\n')
		size++;
	ret_line[size] = '\0';
}

static void skip_without_postgres(void)
{
	int to, from;
	pid_t pid = start_helper("--binaries", &to, &from);

	if (end_helper(pid, to, from) == 0)
		return;
	(void)fprintf(stderr, "SKIPPED: PostgreSQL is not installed (Debian: apt-get install postgresql)\n");
	exit(POSTGRES_SKIPPED);
}

void postgres_place_init(struct postgres_place *place, bool tls)
{
	char line[POSTGRES_PLACE_SIZE + 16], *blank;

	skip_without_postgres();
	place->helper = start_helper(tls ? "--tls" : "--plain", &place->to_helper, &place->from_helper);
	read_line(place->from_helper, line, sizeof(line));
	blank = strrchr(line, ' ');
	if (!blank || blank - line >= POSTGRES_PLACE_SIZE) {
		(void)fprintf(stderr, "PostgreSQL did not start: %s\n", line);
		exit(1);
	}
	*blank = '\0';
	(void)snprintf(place->folder, sizeof(place->folder), "%.*s", POSTGRES_PLACE_SIZE - 1, line);
	(void)snprintf(place->port, sizeof(place->port), "%.15s", blank + 1);
}

void postgres_place_fini(struct postgres_place *place)
{
	if (end_helper(place->helper, place->to_helper, place->from_helper) != 0)
		(void)fprintf(stderr, "the helper that ran PostgreSQL failed\n");
}

void postgres_place_tell(struct postgres_place *place, const char *verb)
{
	char line[16];

	if (dprintf(place->to_helper, "%s\n", verb) < 0)
		give_up(verb);
	read_line(place->from_helper, line, sizeof(line));
	if (strcmp(line, "ok") != 0) {
		(void)fprintf(stderr, "PostgreSQL did not %s\n", verb);
		exit(1);
	}
}

void postgres_place_values(const struct postgres_place *place, const char *schema, union pep_value *ret_values)
{
	ret_values[POSTGRES_HOST].text = place->folder;
	ret_values[POSTGRES_PORT].text = place->port;
	ret_values[POSTGRES_DATABASE].text = "pep";
	ret_values[POSTGRES_USER].text = "pep";
	ret_values[POSTGRES_PASSWORD_OPTION].text = "";
	ret_values[POSTGRES_SCHEMA].text = schema;
	ret_values[POSTGRES_SSLMODE].text = "verify-full";
	ret_values[POSTGRES_SSLROOTCERT].text = "";
	ret_values[POSTGRES_SSLCERT].text = "";
	ret_values[POSTGRES_SSLKEY].text = "";
	ret_values[POSTGRES_CONNECTIONS].number = 24;
	ret_values[POSTGRES_CONNECT_TIMEOUT].number = 10000;
	ret_values[POSTGRES_QUERY_TIMEOUT].number = 30000; /* under a sanitizer, beside other tests */
	ret_values[POSTGRES_WAIT_TIMEOUT].number = 30000;
}
