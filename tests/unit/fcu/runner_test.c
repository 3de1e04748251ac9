/* SPDX-License-Identifier: Apache-2.0
 *
 * runner_test.c - the real runner with the fake tool: it ends what it started, whatever that does, and says so on disk.
 */
#include "home.h"
#include "plugins/injector/fcu/boot.h"
#include "plugins/injector/fcu/command.h"
#include "plugins/injector/fcu/files.h"
#include "plugins/injector/fcu/job.h"
#include "plugins/injector/fcu/leftover.h"
#include "plugins/injector/fcu/process.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NONCE "00112233445566778899aabbccddeeff"

struct stage {
	struct home home;
	struct files files;
	char folder[400];
	struct pep_identity id;
	int64_t deadline_ms, grace_ms, memory_mb;
	struct process process;
	char text[RESULT_SIZE_MAX];
	struct result result;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct pep_error err = {0};

	if (!stage)
		return -1;
	home_init(&stage->home, NULL);
	(void)snprintf(stage->folder, sizeof(stage->folder), "%s/" NONCE JOB_FOLDER_SUFFIX, stage->home.state);
	stage->id = (struct pep_identity){.struct_size = sizeof(stage->id), .nonce = NONCE};
	stage->deadline_ms = boot_ms() + 60000;
	stage->grace_ms = 500;
	stage->memory_mb = 1024;
	*state = stage;
	return files_open(stage->home.state, &stage->files, &err) == PEP_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	files_close(&stage->files);
	home_fini(&stage->home);
	free(stage);
	return 0;
}

static void start(struct stage *stage, const char *serial)
{
	const struct command_values values = {.python = stage->home.values[OPT_PYTHON].text,
					      .script = stage->home.values[OPT_SCRIPT].text,
					      .home = stage->home.path,
					      .serial = serial,
					      .ip = "192.0.2.1",
					      .port = 7777};
	struct process_plan plan = {.runner = PEP_TEST_FCU_RUNNER,
				    .state_folder = stage->files.folder,
				    .nonce = NONCE,
				    .serial = serial,
				    .deadline_ms = stage->deadline_ms,
				    .grace_ms = stage->grace_ms,
				    .memory_mb = stage->memory_mb,
				    .secrets = "FAKE_FCU_PIN",
				    .home = stage->home.path};
	struct pep_error err = {0};
	char **command = NULL;
	char **environment = NULL;

	stage->id.serial = serial;
	assert_int_equal(command_build(stage->home.values[OPT_COMMAND].text, &values, &command, &err), PEP_OK);
	assert_int_equal(
		command_environment(stage->home.path, stage->folder, stage->home.environment, "FAKE_FCU_PIN", &environment, &err),
		PEP_OK);
	assert_int_equal(files_make_job(&stage->files, &stage->id, &plan.job, &err), PEP_OK);
	plan.command = command;
	plan.environment = environment;
	if (process_start(&plan, &stage->process, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_int_equal(close(plan.job), 0);
	free(command);
	free(environment);
}

static enum files_state look(struct stage *stage)
{
	struct pep_error err = {0};
	enum files_state state = 0;

	assert_int_equal(files_look(&stage->files, &stage->id, &state, &err), PEP_OK);
	return state;
}

static void read_result(struct stage *stage)
{
	struct pep_error err = {0};

	assert_int_equal(look(stage), FILES_FINISHED);
	assert_int_equal(files_read_result(&stage->files, &stage->id, stage->text, &stage->result, &err), PEP_OK);
	assert_int_equal(home_count(&stage->home, JOB_FOLDER_SUFFIX), 0);
	assert_int_equal(home_count(&stage->home, JOB_RESULT_SUFFIX), 1); /* and none under another name */
}

static void finish(struct stage *stage)
{
	assert_true(process_wait(&stage->process, 120000));
	read_result(stage);
}

static void run(struct stage *stage, const char *serial)
{
	start(stage, serial);
	finish(stage);
}

static bool printed(const struct stage *stage, const char *text)
{
	return memmem(stage->result.output, stage->result.output_size, text, strlen(text)) != NULL;
}

/* What the tool noted of its nth call; the caller's. */
static json_t *call_of(const struct stage *stage, size_t nth)
{
	char *text = home_read(stage->home.calls);
	char *line = text;
	json_t *call;

	for (size_t i = 0; i < nth; i++) {
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	}
	call = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	free(text);
	assert_non_null(call);
	return call;
}

static pid_t pid_of_call(const struct stage *stage, size_t nth)
{
	json_t *call = call_of(stage, nth);
	pid_t pid = (pid_t)json_integer_value(json_object_get(call, "pid"));

	json_decref(call);
	assert_true(pid > 1);
	return pid;
}

static void nap(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static void a_good_end_is_told(void **state)
{
	struct stage *stage = *state;
	char *world;

	run(stage, "GW 1 'x\"");
	assert_int_equal(stage->result.end, RESULT_EXITED);
	assert_int_equal(stage->result.number, 0);
	assert_int_equal(stage->result.found.identities, 1);
	assert_false(stage->result.found.malformed);
	assert_true(printed(stage, "Connecting to device 192.0.2.1:7777\n"));
	world = home_read(stage->home.world);
	assert_non_null(strstr(world, stage->result.found.identity));
	free(world);
}

static void every_end_is_told_apart(void **state)
{
	static const struct {
		const char *serial;
		int number;
		unsigned identities;
		bool malformed;
		enum result_end end;
	} ends[] = {
		{"FCU-FAIL", 1, 0, false, RESULT_EXITED},           {"FCU-IDFAIL", 3, 1, false, RESULT_EXITED},
		{"FCU-NOID", 0, 0, false, RESULT_EXITED},           {"FCU-TWO", 0, 2, false, RESULT_EXITED},
		{"FCU-TWICE", 0, 1, false, RESULT_EXITED},          {"FCU-SHORT", 0, 0, true, RESULT_EXITED},
		{"FCU-STDERR", 0, 1, false, RESULT_EXITED},         {"FCU-NONSENSE", 0, 0, true, RESULT_EXITED},
		{"FCU-CRASH", SIGSEGV, 0, false, RESULT_SIGNALLED},
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		run(stage, ends[i].serial);
		if (stage->result.end != ends[i].end || stage->result.number != ends[i].number ||
		    stage->result.found.identities != ends[i].identities || stage->result.found.malformed != ends[i].malformed)
			fail_msg("%s: end %d number %d identities %u %s", ends[i].serial, (int)stage->result.end,
				 stage->result.number, stage->result.found.identities,
				 stage->result.found.malformed ? "malformed" : "whole");
		files_remove(&stage->files, NONCE);
	}
}

static void a_flood_is_read_and_cut(void **state)
{
	struct stage *stage = *state;

	run(stage, "FCU-FLOOD");
	assert_int_equal(stage->result.end, RESULT_EXITED);
	assert_int_equal(stage->result.found.identities, 1);
	assert_true(printed(stage, "[...]\n"));
	assert_true(stage->result.output_size < 40000);
}

static void a_flood_does_not_hide_the_time(void **state)
{
	struct stage *stage = *state;

	stage->deadline_ms = boot_ms() + 4000;
	run(stage, "FCU-ENDLESS");
	assert_int_equal(stage->result.end, RESULT_OVERDUE);
	assert_true(boot_ms() < stage->deadline_ms + 10000);
}

static void secrets_do_not_reach_the_disk(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(setenv("FAKE_FCU_PIN", "canary-pin", 1), 0);
	run(stage, "FCU-SECRET");
	assert_int_equal(stage->result.number, 4);
	assert_false(printed(stage, "canary-pin"));
	assert_false(printed(stage, "c2VjcmV0"));
	assert_false(printed(stage, "5ecaac5ecaac"));
	assert_true(printed(stage, "pin ***, key ***"));
	assert_true(printed(stage, stage->result.found.identity));
}

static void overdue_is_ended_before_the_deadline(void **state)
{
	struct stage *stage = *state;

	stage->deadline_ms = boot_ms() + 4000;
	run(stage, "FCU-HANG");
	assert_int_equal(stage->result.end, RESULT_OVERDUE);
	assert_int_equal(stage->result.number, SIGTERM); /* it obeyed */
	assert_true(boot_ms() >= stage->deadline_ms - stage->grace_ms);
}

static void who_does_not_obey_is_killed(void **state)
{
	static const char *const serials[] = {"FCU-STUBBORN", "FCU-LEAVE"};
	struct stage *stage = *state;

	for (size_t i = 0; i < 2; i++) {
		stage->deadline_ms = boot_ms() + 4000;
		run(stage, serials[i]);
		assert_int_equal(stage->result.end, RESULT_OVERDUE);
		assert_int_equal(stage->result.number, SIGKILL);
		assert_true(boot_ms() >= stage->deadline_ms);
		assert_false(home_is_running(pid_of_call(stage, i)));
		files_remove(&stage->files, NONCE);
	}
}

/* It printed its identity before it sent anything, for all we know. */
static void exit_0_on_demand_is_no_end_of_its_own(void **state)
{
	struct stage *stage = *state;

	start(stage, "FCU-POLITE");
	home_wait(stage->home.world, " A-");
	process_cancel(&stage->process);
	finish(stage);
	assert_int_equal(stage->result.end, RESULT_CANCELLED);
}

static void a_cancelled_one_ends_at_once(void **state)
{
	struct stage *stage = *state;
	int64_t from_ms;

	start(stage, "FCU-STUBBORN");
	home_wait(stage->home.world, " -");
	from_ms = boot_ms();
	process_cancel(&stage->process);
	finish(stage);
	assert_int_equal(stage->result.end, RESULT_CANCELLED);
	assert_true(boot_ms() - from_ms < 30000);
}

/* Also if the runner has not come to look for that yet. */
static void a_request_to_stop_is_never_lost(void **state)
{
	struct stage *stage = *state;

	stage->memory_mb = 0;
	for (unsigned i = 0; i < 20; i++) {
		start(stage, "FCU-HANG");
		process_cancel(&stage->process);
		finish(stage);
		if (stage->result.end == RESULT_NOT_STARTED)
			assert_int_equal(stage->result.number, ECANCELED);
		else
			assert_int_equal(stage->result.end, RESULT_CANCELLED);
		files_remove(&stage->files, NONCE);
	}
}

static void nothing_is_started_after_the_deadline(void **state)
{
	struct stage *stage = *state;
	char *calls;

	stage->deadline_ms = boot_ms() - 1;
	stage->memory_mb = 0; /* ThreadSanitizer needs more to report that there was no start */
	run(stage, "GW-1");
	assert_int_equal(stage->result.end, RESULT_NOT_STARTED);
	assert_int_equal(stage->result.number, ETIME);
	calls = home_read(stage->home.calls);
	assert_string_equal(calls, "");
	free(calls);
}

static void a_tool_that_is_not_there_was_not_started(void **state)
{
	struct stage *stage = *state;

	stage->home.values[OPT_PYTHON].text = "/nowhere/python3";
	stage->memory_mb = 0;
	run(stage, "GW-1");
	assert_int_equal(stage->result.end, RESULT_NOT_STARTED);
	assert_int_equal(stage->result.number, ENOENT);
}

static void limits_hold(void **state)
{
	struct stage *stage = *state;

	run(stage, "FCU-EAT");
	assert_int_equal(stage->result.number, 1);
	assert_true(printed(stage, "core 0, files 256"));
	assert_true(printed(stage, "MemoryError"));
	files_remove(&stage->files, NONCE);
	stage->memory_mb = 0;
	run(stage, "FCU-EAT");
	assert_int_equal(stage->result.number, 0);
}

static void what_it_forked_ends_with_it(void **state)
{
	struct stage *stage = *state;

	run(stage, "FCU-FORK");
	assert_int_equal(stage->result.end, RESULT_EXITED);
	assert_int_equal(stage->result.found.identities, 1);
	for (size_t i = 0; i < 3; i++)
		assert_false(home_is_running(pid_of_call(stage, i)));
}

static void the_tool_has_a_group_and_nothing_of_ours(void **state)
{
	struct stage *stage = *state;
	json_t *call;
	const char *key;
	json_t *value;
	size_t known = 0;

	assert_int_equal(setenv("PEP_CANARY", "x", 1), 0);
	run(stage, "GW-1");
	call = call_of(stage, 0);
	assert_int_equal(json_integer_value(json_object_get(call, "group")), json_integer_value(json_object_get(call, "pid")));
	assert_string_equal(json_string_value(json_object_get(call, "cwd")), stage->home.path);
	json_object_foreach(json_object_get(call, "env"), key, value)
	{
		known += strstr(" PATH LC_ALL LANG FCU_HOME_DIR TMPDIR FAKE_FCU_WORLD FAKE_FCU_CALLS FAKE_FCU_PIN ", key) != NULL;
		if (strcmp(key, "PEP_CANARY") == 0)
			fail_msg("the environment of this process reached the tool");
	}
	assert_true(known >= 7);
	json_decref(call);
}

/* --- deaths --- */

/* Starts in a process that then dies as a server does by kill -9; returns when it is dead. */
static void start_and_die(struct stage *stage, const char *serial)
{
	pid_t server = fork();

	assert_true(server >= 0);
	if (server == 0) {
		start(stage, serial);
		home_wait(stage->home.world, " -");
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(server, NULL, 0), server);
	stage->id.serial = serial;
}

static void wait_for_runner(struct stage *stage)
{
	for (int64_t until_ms = boot_ms() + 60000; look(stage) == FILES_RUNNING && boot_ms() < until_ms;)
		nap();
}

static void it_outlives_its_server(void **state)
{
	struct stage *stage = *state;

	start_and_die(stage, "FCU-SLOW-3000");
	assert_int_equal(look(stage), FILES_RUNNING);
	wait_for_runner(stage);
	read_result(stage);
	assert_int_equal(stage->result.end, RESULT_EXITED);
	assert_int_equal(stage->result.found.identities, 1);
}

static void it_keeps_the_time_when_the_server_is_dead(void **state)
{
	struct stage *stage = *state;

	stage->deadline_ms = boot_ms() + 5000;
	start_and_die(stage, "FCU-STUBBORN");
	wait_for_runner(stage);
	assert_true(boot_ms() < stage->deadline_ms + 10000);
	read_result(stage);
	assert_int_equal(stage->result.end, RESULT_OVERDUE);
	assert_false(home_is_running(pid_of_call(stage, 0)));
}

static void the_tool_dies_with_its_runner(void **state)
{
	struct stage *stage = *state;

	start(stage, "FCU-STUBBORN");
	home_wait(stage->home.world, " -");
	process_kill(&stage->process);
	assert_false(home_stays_running(pid_of_call(stage, 0)));
	assert_int_equal(look(stage), FILES_LOST);
}

/* The kernel ends the tool only; what that had started is looked for. */
static void what_a_tool_left_without_its_runner_is_ended(void **state)
{
	struct stage *stage = *state;
	pid_t bystander = fork();

	if (bystander == 0) {
		(void)execle("/bin/sleep", "sleep", "60", (char *)NULL, (char *[]){"TMPDIR=/tmp", NULL});
		_exit(126);
	}
	assert_true(bystander > 0);
	start(stage, "FCU-BROOD");
	home_wait(stage->home.world, " A-");
	process_kill(&stage->process);
	assert_false(home_stays_running(pid_of_call(stage, 0)));
	assert_true(home_is_running(pid_of_call(stage, 1)) && home_is_running(pid_of_call(stage, 2)));
	assert_true(leftover_kill(stage->folder));
	for (size_t i = 1; i < 3; i++)
		assert_false(home_is_running(pid_of_call(stage, i)));
	assert_true(home_is_running(bystander));
	assert_int_equal(kill(bystander, SIGKILL), 0);
	assert_int_equal(waitpid(bystander, NULL, 0), bystander);
	assert_true(leftover_kill(stage->folder)); /* nothing to do is fine */
}

/* The tool has a clock of its own. */
static void a_runner_that_is_stopped_does_not_give_it_more_time(void **state)
{
	struct stage *stage = *state;

	stage->deadline_ms = boot_ms() + 5000;
	start(stage, "FCU-STUBBORN");
	home_wait(stage->home.world, " -");
	assert_int_equal(kill(stage->process.pid, SIGSTOP), 0);
	assert_false(home_stays_running(pid_of_call(stage, 0)));
	assert_true(boot_ms() >= stage->deadline_ms);
	assert_int_equal(kill(stage->process.pid, SIGCONT), 0);
	finish(stage);
	assert_int_equal(stage->result.end, RESULT_SIGNALLED);
	assert_int_equal(stage->result.number, SIGALRM);
}

static void wrong_arguments_are_refused(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(126);
		(void)execl(PEP_TEST_FCU_RUNNER, "pep-fcu-run", "../../x", "S", "1", "1", "0", "", "/", "/bin/true", (char *)NULL);
		_exit(126);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_end_is_told),
		TEST(every_end_is_told_apart),
		TEST(a_flood_is_read_and_cut),
		TEST(a_flood_does_not_hide_the_time),
		TEST(secrets_do_not_reach_the_disk),
		TEST(overdue_is_ended_before_the_deadline),
		TEST(who_does_not_obey_is_killed),
		TEST(exit_0_on_demand_is_no_end_of_its_own),
		TEST(a_cancelled_one_ends_at_once),
		TEST(a_request_to_stop_is_never_lost),
		TEST(nothing_is_started_after_the_deadline),
		TEST(a_tool_that_is_not_there_was_not_started),
		TEST(limits_hold),
		TEST(what_it_forked_ends_with_it),
		TEST(the_tool_has_a_group_and_nothing_of_ours),
		TEST(it_outlives_its_server),
		TEST(it_keeps_the_time_when_the_server_is_dead),
		TEST(the_tool_dies_with_its_runner),
		TEST(what_a_tool_left_without_its_runner_is_ended),
		TEST(a_runner_that_is_stopped_does_not_give_it_more_time),
		TEST(wrong_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
