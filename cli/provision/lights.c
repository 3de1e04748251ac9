/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/lights.h"

#include "cli/print.h"
#include "cli/provision/child.h"
#include "core/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How each state looks. on_ms and off_ms are of the kernel's timer trigger (ledtrig-timer); 0: steady. */
static const struct look {
	const char *name;
	bool lit; /* where the kernel cannot blink: light means that it is done, and nothing else */
	unsigned on_ms, off_ms;
} looks[] = {
	[LIGHTS_SEARCHING] = {"searching", false, 100, 900},
	[LIGHTS_WORKING] = {"working", false, 500, 500},
	[LIGHTS_PASS] = {"pass", true, 0, 0},
	[LIGHTS_WARN] = {"warn", true, 1800, 200},
	[LIGHTS_FAIL] = {"fail", false, 100, 100},
	[LIGHTS_NO_SERVER] = {"no-server", false, 100, 2900},
};

const char *lights_name(enum lights_state state)
{
	return looks[state].name;
}

/* 0, or an errno. The file is there: the kernel made it. */
static int write_file(const char *folder, const char *name, const char *text)
{
	AUTO(free_ptr) char *path = NULL;
	AUTO(close_fd) int fd = -1;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return ENOMEM;
	}
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : errno;
}

static int write_number(const char *folder, const char *name, unsigned number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u\n", number);
	return write_file(folder, name, text);
}

/* What the LED calls full brightness; 1 where it does not say. */
static unsigned full_brightness(const char *folder)
{
	AUTO(free_ptr) char *path = NULL;
	AUTO(close_fd) int fd = -1;
	char text[16] = "";
	long number;

	if (asprintf(&path, "%s/max_brightness", folder) < 0) {
		path = NULL;
		return 1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 1;
	number = strtol(text, NULL, 10);
	return number > 0 && number < 65536 ? (unsigned)number : 1;
}

static int light(const char *folder, const struct look *look)
{
	int error = write_file(folder, "trigger", look->on_ms ? "timer\n" : "none\n");

	/* The delays are there once the trigger is set; a kernel without that trigger refuses it. */
	if (!error && look->on_ms)
		error = write_number(folder, "delay_on", look->on_ms);
	if (!error && look->on_ms)
		error = write_number(folder, "delay_off", look->off_ms);
	if (!error && look->on_ms)
		return 0;
	if (error)
		(void)write_file(folder, "trigger", "none\n");
	return write_number(folder, "brightness", look->lit ? full_brightness(folder) : 0);
}

static void run_program(const struct lights *lights, const char *program, enum lights_state state, const char *const *extra)
{
	const char *const argv[] = {program, lights_name(state), NULL};
	const struct child_call call = {.argv = argv, .extra = extra, .terminal = -1, .quiet = lights->session->quiet};
	pid_t pid = child_start(&call);
	int status = 0;

	if (pid < 0) {
		print_note(lights->session, "the hook %s cannot be started: %s", program, strerror(errno));
		return;
	}
	if (!child_wait(pid, lights->hook_limit_ms, &status)) {
		child_end(pid, 200);
		print_note(lights->session, "the hook %s was ended, it took longer than %lld ms", program,
			   (long long)lights->hook_limit_ms);
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		print_note(lights->session, "the hook %s failed (%s %d)", program, WIFEXITED(status) ? "exit code" : "signal",
			   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_folder(const struct lights *lights, enum lights_state state, const char *const *extra)
{
	struct dirent **entries = NULL;
	int count = scandir(lights->hook_folder, &entries, NULL, by_name);
	struct stat status;

	if (count < 0)
		print_note(lights->session, "the hooks in %s cannot be read: %s", lights->hook_folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		AUTO(free_ptr) char *path = NULL;

		if (entries[i]->d_name[0] != '.' && asprintf(&path, "%s/%s", lights->hook_folder, entries[i]->d_name) >= 0 &&
		    stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0)
			run_program(lights, path, state, extra);
		free(entries[i]);
	}
	free(entries);
}

static void run_hooks(const struct lights *lights, enum lights_state state, const struct lights_note *note)
{
	const char *const names[] = {"PEP_STATE", "PEP_SERIAL", "PEP_ENROLLMENT_ID", "PEP_CODE", "PEP_DETAIL"};
	const char *const values[] = {lights_name(state), note->serial, note->enrollment_id, note->code, note->detail};
	char texts[5][1200], number[32];
	const char *extra[7];

	if (!lights->hook && !lights->hook_folder)
		return;
	for (size_t i = 0; i < 5; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%s=%s", names[i], values[i] ? values[i] : "");
		/* A hook may well echo it to a terminal. */
		for (char *byte = texts[i]; *byte; byte++)
			if ((unsigned char)*byte < ' ' || *byte == 0x7f)
				*byte = ' ';
		extra[i] = texts[i];
	}
	(void)snprintf(number, sizeof(number), "PEP_EXIT_CODE=%d", note->exit_code);
	extra[5] = number;
	extra[6] = NULL;
	if (lights->hook)
		run_program(lights, lights->hook, state, extra);
	if (lights->hook_folder)
		run_folder(lights, state, extra);
}

void lights_show(struct lights *lights, enum lights_state state, const struct lights_note *note)
{
	int error;

	if (lights->has_state && lights->state == state)
		return;
	lights->has_state = true;
	lights->state = state;
	error = lights->led ? light(lights->led, &looks[state]) : 0;
	if (error)
		print_note(lights->session, "the LED %s does not show %s: %s", lights->led, lights_name(state), strerror(error));
	run_hooks(lights, state, note);
}
