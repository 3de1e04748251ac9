/* SPDX-License-Identifier: Apache-2.0
 *
 * home.h - a folder that looks like the unpacked tool, with the fake one in it, and options that point there.
 */
#ifndef TESTS_UNIT_FCU_HOME_H
#define TESTS_UNIT_FCU_HOME_H

#include <pep/plugin.h>
#include <sys/types.h>

/* In the plugin's order. */
enum {
	OPT_PYTHON,
	OPT_HOME,
	OPT_SCRIPT,
	OPT_COMMAND,
	OPT_CONFIG,
	OPT_CERTIFICATE,
	OPT_PRIVATE_KEY,
	OPT_ENVIRONMENT,
	OPT_SECRET_ENVIRONMENT,
	OPT_PARALLEL,
	OPT_KILL_AFTER,
	OPT_MEMORY_MB,
	OPT_STATE,
	OPT_RUNNER,
	OPT_COUNT,
};

#define HOME_TOOL PEP_TEST_SOURCE_DIR "/tests/e2e/fake-fcu"

struct home {
	char path[256];        /* of the folder */
	char world[300];       /* what the gateways hold: mock_world.h's form */
	char calls[300];       /* a line of JSON for each call of the tool */
	char environment[700]; /* option that tells the tool of both */
	char state[300];       /* the state folder, not made */
	union pep_value values[OPT_COUNT];
};

/* In the build folder. `world`: the gateways' file to use; NULL: one in the folder. Ends the program if there is no room. */
void home_init(struct home *home, const char *world);
/* Removes it with all that is in it. */
void home_fini(struct home *home);

/* The whole of a file, NUL-terminated, the caller's to free(); an empty text if there is none. */
char *home_read(const char *path);
/* Returns when the file holds this text; fails by ending the program after a minute. */
void home_wait(const char *path, const char *text);
void home_write(const struct home *home, const char *name, const char *text);
/* A zombie that its new parent has not reaped yet runs no more. */
bool home_is_running(pid_t pid);
/* The same, once it has had half a minute to end: who was killed is a moment on its way out. */
bool home_stays_running(pid_t pid);
/* How many files the state folder has whose name ends so. */
unsigned home_count(const struct home *home, const char *ending);

#endif
