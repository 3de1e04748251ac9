/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin_test.c - what is the fcu injector's own, through its table: its checks at start, how many run at once, and adoption.
 */
#include "home.h"
#include "plugins/injector/fcu/boot.h"
#include "tests/conformance/injector_driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NONCE "00112233445566778899aabbccddeeff"

struct stage {
	struct home home;
	struct injector_facts facts;
	struct injector_driver driver;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	if (!stage)
		return -1;
	home_init(&stage->home, NULL);
	stage->facts = (struct injector_facts){
		.file = PEP_TEST_PLUGIN_DIR "/fcu.so",
		.values = stage->home.values,
		.target = {.struct_size = sizeof(struct pep_target), .port = 7777, .ip = "2001:db8::1"},
	};
	injector_driver_open(&stage->driver, &stage->facts);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	injector_driver_close(&stage->driver);
	home_fini(&stage->home);
	free(stage);
	return 0;
}

/* --- at start --- */

static void expect_refusal(struct stage *stage, int option, const char *text, const char *says)
{
	union pep_value values[OPT_COUNT];
	struct pep_error err = {0};
	void *injector = NULL;
	pep_status status;

	memcpy(values, stage->home.values, sizeof(values));
	values[option].text = text;
	status = stage->driver.ops->open(&stage->driver.host, values, &injector, &err);
	if (status == PEP_OK) {
		status = stage->driver.ops->self_test(injector, &err);
		stage->driver.ops->close(injector);
	}
	if (says && (status == PEP_OK || !strstr(err.message, says)))
		fail_msg("\"%s\" is not refused for \"%s\": %s", text, says, err.message);
	if (!says && status != PEP_OK)
		fail_msg("\"%s\" is refused: %s", text, err.message);
}

static void what_is_missing_is_named(void **state)
{
	struct stage *stage = *state;

	expect_refusal(stage, OPT_PYTHON, "/nowhere/python3", "python /nowhere/python3");
	expect_refusal(stage, OPT_PYTHON, stage->home.path, "not a regular file");
	expect_refusal(stage, OPT_PYTHON, "python3", "absolute");
	expect_refusal(stage, OPT_HOME, "/nowhere", "home /nowhere");
	expect_refusal(stage, OPT_HOME, "relative", "not absolute");
	expect_refusal(stage, OPT_SCRIPT, "ft_demo.py", "script ");
	expect_refusal(stage, OPT_CONFIG, "config/none.yml", "config ");
	expect_refusal(stage, OPT_CERTIFICATE, "keystore/none.crt", "certificate ");
	expect_refusal(stage, OPT_PRIVATE_KEY, "/nowhere/key.pem", "private_key /nowhere/key.pem");
	expect_refusal(stage, OPT_PRIVATE_KEY, "keystore", "not a regular file");
	expect_refusal(stage, OPT_RUNNER, "/nowhere/pep-fcu-run", "runner ");
	expect_refusal(stage, OPT_RUNNER, "pep-fcu-run", "not absolute");
	expect_refusal(stage, OPT_STATE, "/proc/none/state", "state folder");
	expect_refusal(stage, OPT_COMMAND, "{python} {serial} {ip}", "{port}");
	expect_refusal(stage, OPT_ENVIRONMENT, "A-B", "environment");
	expect_refusal(stage, OPT_SECRET_ENVIRONMENT, "PIN=1234", "secret_environment");
	expect_refusal(stage, OPT_CONFIG, "", NULL);
	expect_refusal(stage, OPT_PRIVATE_KEY, "", NULL);
}

static void what_everybody_can_change_is_refused(void **state)
{
	struct stage *stage = *state;
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/keystore/fcu.crt", stage->home.path);
	assert_int_equal(chmod(path, 0666), 0);
	expect_refusal(stage, OPT_CERTIFICATE, "keystore/fcu.crt", "everybody");
	home_write(&stage->home, "keystore/fcu.crt", "");
	expect_refusal(stage, OPT_CERTIFICATE, "keystore/fcu.crt", "empty");
	(void)snprintf(path, sizeof(path), "%s/script.py", stage->home.path);
	home_write(&stage->home, "script.py", "x");
	assert_int_equal(chmod(path, 0602), 0);
	expect_refusal(stage, OPT_SCRIPT, "script.py", "everybody");
}

static void an_fcu_yml_that_is_not_yaml_is_refused(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: it is good */
	} files[] = {
		{"use-bootstrap: true\nvendor-id: [1, 2\n", "fcu.yml:3:1"},
		{"use-bootstrap: true\n\tx: 1\n", "fcu.yml:2:1"},
		{"just a text\n", "does not begin with a key"},
		{"- a\n", "does not begin with a key"},
		{"# nothing\n", "says nothing"},
		{"a: 1\n  b: 2\n", "fcu.yml:2"},
		/* The tool's templates are filled in before it reads YAML. */
		{"file: '<%= ENV['FCU_HOME_DIR'] %>/x'\nname: [<%= ENV['FAKE_FCU_WORLD'] %>]\n", NULL},
		{"file: <% a\nb: c\n", NULL},
		{"---\n# a file\nuse-bootstrap: true\nkeys: {a: &x 1, b: *x}\n", NULL},
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		home_write(&stage->home, "config/fcu.yml", files[i].text);
		expect_refusal(stage, OPT_CONFIG, "config/fcu.yml", files[i].says);
	}
}

/* A host with a memory. */
struct listener {
	struct pep_host host;
	char *text;
};
enum { LISTENER_ROOM = 2000 };

static void remember(const struct pep_host *host, int32_t level, const char *line)
{
	const struct listener *listener = (const void *)host; /* its first member */
	size_t used = strlen(listener->text);

	(void)snprintf(listener->text + used, LISTENER_ROOM - used, "%d %s\n", (int)level, line);
}

static void variables_that_the_tool_is_not_given_are_told(void **state)
{
	struct stage *stage = *state;
	char text[LISTENER_ROOM] = "";
	struct listener listener = {.host = stage->driver.host, .text = text};
	struct pep_error err = {0};
	void *injector = NULL;

	listener.host.log = remember;
	home_write(&stage->home, "config/fcu.yml",
		   "a: <%= ENV['FCU_HOME_DIR'] %>/x\n# b: <%= ENV['COMMENT'] %>\nc: <%= ENV['FCU_RESOURCES_DIR'] %>/y\n"
		   "d: <%= ENV['FAKE_FCU_WORLD'] %>\n");
	assert_int_equal(stage->driver.ops->open(&listener.host, stage->home.values, &injector, &err), PEP_OK);
	assert_int_equal(stage->driver.ops->self_test(injector, &err), PEP_OK);
	stage->driver.ops->close(injector);
	assert_non_null(strstr(text, "4 fcu: "));
	assert_non_null(strstr(text, "fcu.yml:3 uses FCU_RESOURCES_DIR,"));
	assert_null(strstr(text, "COMMENT"));
	assert_null(strstr(text, "FCU_HOME_DIR"));
	assert_null(strstr(text, "FAKE_FCU_WORLD"));
}

static void a_keystore_that_is_mixed_up_is_refused(void **state)
{
	static const char key[] = "-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n";
	static const char certificate[] = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
	struct stage *stage = *state;

	home_write(&stage->home, "keystore/key", key);
	home_write(&stage->home, "keystore/certificate", certificate);
	expect_refusal(stage, OPT_CERTIFICATE, "keystore/key", "holds a private key");
	expect_refusal(stage, OPT_PRIVATE_KEY, "keystore/certificate", "is a certificate");
	expect_refusal(stage, OPT_CERTIFICATE, "keystore/certificate", NULL);
	expect_refusal(stage, OPT_PRIVATE_KEY, "keystore/key", NULL);
}

/* --- how many --- */

struct worker {
	pthread_t thread;
	struct injector_driver *driver;
	char serial[32];
	struct injector_attempt attempt;
};

static void *inject(void *data)
{
	struct worker *worker = data;

	injector_driver_run(worker->driver, worker->serial, &worker->attempt);
	return NULL;
}

/* The one place is taken by a tool that hangs: who waits for it is told that nothing was sent. */
static void who_finds_no_place_was_not_sent(void **state)
{
	struct stage *stage = *state;
	struct worker first = {.serial = "FCU-HANG-1", .attempt = {.timeout_ms = 8000}};
	struct worker second = {.serial = "GW-2", .attempt = {.timeout_ms = 200}};
	struct worker third = {.serial = "GW-3", .attempt = {.cancel_at = 3}};
	struct injector_driver driver;
	char *world;

	stage->home.values[OPT_PARALLEL].number = 1;
	injector_driver_open(&driver, &stage->facts);
	first.driver = second.driver = third.driver = &driver;
	assert_int_equal(pthread_create(&first.thread, NULL, inject, &first), 0);
	home_wait(stage->home.world, "FCU-HANG-1");
	(void)inject(&second);
	(void)inject(&third);
	assert_int_equal(second.attempt.status, PEP_TIMEOUT);
	assert_int_equal(second.attempt.result.outcome, PEP_NOT_SENT);
	assert_int_equal(second.attempt.contacted, 0);
	assert_int_equal(third.attempt.status, PEP_CANCELLED);
	assert_int_equal(third.attempt.result.outcome, PEP_NOT_SENT);
	assert_int_equal(pthread_join(first.thread, NULL), 0);
	assert_int_equal(first.attempt.status, PEP_TIMEOUT);
	assert_int_equal(first.attempt.result.outcome, PEP_DOUBTFUL);
	injector_driver_close(&driver);
	world = home_read(stage->home.world);
	assert_null(strstr(world, "GW-"));
	free(world);
}

/* --- adoption --- */

struct server {
	struct stage *stage;
	pep_status contacted; /* what the witness answers */
	bool keeps_job;       /* the witness opens what a runner that is just being started would have */
	int kept;
	struct pep_injection result;
	pep_status status;
	struct pep_error err;
};

/* The job's own descriptor once more, lock and all. */
static int keep_job(void)
{
	DIR *open_files = opendir("/proc/self/fd");
	int kept = -1;

	assert_non_null(open_files);
	for (const struct dirent *entry = readdir(open_files); entry && kept < 0; entry = readdir(open_files)) {
		char path[PATH_MAX];
		ssize_t size = readlinkat(dirfd(open_files), entry->d_name, path, sizeof(path));

		if (size > 4 && memcmp(path + size - 4, ".job", 4) == 0)
			kept = dup((int)strtol(entry->d_name, NULL, 10));
	}
	(void)closedir(open_files);
	assert_true(kept >= 0);
	return kept;
}

static pep_status answer(struct pep_witness *witness, struct pep_error *err)
{
	struct server *server = witness->ctx;

	if (server->keeps_job)
		server->kept = keep_job();
	return server->contacted == PEP_OK ? PEP_OK : pep_fail(err, server->contacted, 0, "no");
}

static bool go_on(struct pep_witness *witness)
{
	(void)witness;
	return false;
}

static struct pep_identity identity(const char *serial)
{
	return (struct pep_identity){.struct_size = sizeof(struct pep_identity), .attempt = 1, .serial = serial, .nonce = NONCE};
}

static void provision(struct server *server, const char *serial, int64_t timeout_ms)
{
	const struct injector_driver *driver = &server->stage->driver;
	struct pep_identity id = identity(serial);
	struct pep_witness witness = {
		.struct_size = sizeof(witness), .ctx = server, .contacted = answer, .issued = NULL, .cancelled = go_on};

	server->result = (struct pep_injection){.struct_size = sizeof(server->result)};
	server->status = driver->ops->inject(driver->injector, &server->stage->facts.target, &id, timeout_ms, &witness,
					     &server->result, &server->err);
}

static void adopt(struct server *server, const char *serial, int64_t timeout_ms)
{
	const struct injector_driver *driver = &server->stage->driver;
	struct pep_identity id = identity(serial);

	server->result = (struct pep_injection){.struct_size = sizeof(server->result)};
	server->err = (struct pep_error){0};
	server->status = driver->ops->adopt(driver->injector, &id, timeout_ms, &server->result, &server->err);
}

static void forget(struct server *server, const char *serial)
{
	struct pep_identity id = identity(serial);

	server->stage->driver.ops->forget(server->stage->driver.injector, &id);
}

static void what_finished_is_adopted_until_it_is_forgotten(void **state)
{
	static const struct {
		const char *serial;
		uint32_t outcome;
		pep_status status;
	} ends[] = {
		{"GW-1", PEP_DELIVERED, PEP_OK},
		{"FCU-FAIL", PEP_DOUBTFUL, PEP_INTERNAL},
		{"FCU-IDFAIL", PEP_DOUBTFUL, PEP_INTERNAL},
		{"FCU-TWO", PEP_DOUBTFUL, PEP_INTERNAL},
	};
	struct server server = {.stage = *state};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct pep_injection injected;

		provision(&server, ends[i].serial, 60000);
		injected = server.result;
		assert_int_equal(server.status, ends[i].status);
		for (unsigned again = 0; again < 2; again++) {
			adopt(&server, ends[i].serial, 0);
			assert_int_equal(server.status, ends[i].status);
			assert_int_equal(server.result.outcome, ends[i].outcome);
			assert_string_equal(server.result.enrollment_id, injected.enrollment_id);
			assert_string_equal(server.result.detail, injected.detail);
		}
		forget(&server, ends[i].serial);
		adopt(&server, ends[i].serial, 0);
		assert_int_equal(server.status, PEP_NOT_FOUND);
		assert_int_equal(server.result.outcome, PEP_NOT_SENT);
		assert_int_equal(home_count(&server.stage->home, ".job") + home_count(&server.stage->home, ".result"), 0);
	}
}

/* Another thread was just starting a runner of its own: it had our descriptors, and the lock, for longer than our tool ran. */
static void the_end_is_seen_though_another_start_has_our_lock(void **state)
{
	struct server server = {.stage = *state, .keeps_job = true};

	provision(&server, "GW-1", 60000);
	assert_int_equal(server.status, PEP_OK);
	assert_int_equal(server.result.outcome, PEP_DELIVERED);
	(void)close(server.kept);
}

/* Only one that still runs is told by PEP_TIMEOUT. */
static void a_tool_that_was_overdue_is_adopted_as_ended(void **state)
{
	struct server server = {.stage = *state};

	provision(&server, "FCU-HANG", 4000); /* a busy machine must get it started */
	assert_int_equal(server.status, PEP_TIMEOUT);
	adopt(&server, "FCU-HANG", 0);
	assert_int_equal(server.status, PEP_CANCELLED);
	assert_int_equal(server.err.status, PEP_CANCELLED);
	assert_int_equal(server.result.outcome, PEP_DOUBTFUL);
}

static void what_the_witness_refused_leaves_nothing(void **state)
{
	struct server server = {.stage = *state, .contacted = PEP_CONFLICT};

	provision(&server, "GW-1", 60000);
	assert_int_equal(server.status, PEP_CONFLICT);
	adopt(&server, "GW-1", 0);
	assert_int_equal(server.status, PEP_NOT_FOUND);
	assert_int_equal(home_count(&server.stage->home, ".job"), 0);
}

static void *provision_slowly(void *data)
{
	provision(data, "FCU-SLOW-1500", 60000);
	return NULL;
}

/* As the next start of a server does; here the first one is still alive. */
static void a_running_one_is_waited_for(void **state)
{
	struct server first = {.stage = *state};
	struct server next = {.stage = *state};
	int64_t until_ms = boot_ms() + 60000;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, provision_slowly, &first), 0);
	do
		adopt(&next, "FCU-SLOW-1500", 0);
	while (next.status == PEP_NOT_FOUND && boot_ms() < until_ms);
	assert_int_equal(next.status, PEP_TIMEOUT);
	assert_int_equal(next.result.outcome, PEP_DOUBTFUL);
	adopt(&next, "FCU-SLOW-1500", 60000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(next.status, PEP_OK);
	assert_int_equal(next.result.outcome, PEP_DELIVERED);
	assert_string_equal(next.result.enrollment_id, first.result.enrollment_id);
}

static void *provision_a_brood(void *data)
{
	provision(data, "FCU-BROOD", 60000);
	return NULL;
}

/* The parent of a process. */
static pid_t parent_of(pid_t pid)
{
	char path[64];
	char *text;
	const char *end;
	int parent = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text = home_read(path);
	end = strrchr(text, ')');
	assert_non_null(end);
	assert_int_equal(sscanf(end, ") %*c %d", &parent), 1); /* NOLINT(cert-err34-c): the kernel's own number */
	free(text);
	return parent;
}

/* Of the tool and the two that it started, in the order of their notes. */
static void read_pids(const struct stage *stage, pid_t pids[3])
{
	static const char key[] = "\"pid\": ";
	char *calls = home_read(stage->home.calls);
	const char *at = calls;

	for (size_t i = 0; i < 3; i++) {
		at = strstr(at, key);
		assert_non_null(at);
		at += strlen(key);
		pids[i] = (pid_t)strtol(at, NULL, 10);
		assert_true(pids[i] > 1);
	}
	free(calls);
}

/* Its runner is killed by somebody else: in doubt, and nothing of it goes on. */
static void without_its_runner_nothing_of_the_tool_goes_on(void **state)
{
	struct stage *stage = *state;
	struct server server = {.stage = stage};
	pthread_t thread;
	pid_t pids[3];

	assert_int_equal(pthread_create(&thread, NULL, provision_a_brood, &server), 0);
	home_wait(stage->home.world, " A-");
	read_pids(stage, pids);
	assert_int_equal(kill(parent_of(pids[0]), SIGKILL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(server.status, PEP_INTERNAL);
	assert_int_equal(server.result.outcome, PEP_DOUBTFUL);
	assert_non_null(strstr(server.result.detail, "runner"));
	for (size_t i = 0; i < 3; i++)
		assert_false(home_stays_running(pids[i]));
}

static void an_attempt_is_not_run_twice(void **state)
{
	struct server server = {.stage = *state};

	provision(&server, "GW-1", 60000);
	assert_int_equal(server.status, PEP_OK);
	provision(&server, "GW-1", 60000);
	assert_int_equal(server.status, PEP_CONFLICT);
	assert_int_equal(server.result.outcome, PEP_NOT_SENT);
	/* ... and what was known of it still is */
	adopt(&server, "GW-1", 0);
	assert_int_equal(server.status, PEP_OK);
}

static void damage_is_in_doubt(void **state)
{
	struct server server = {.stage = *state};

	provision(&server, "GW-1", 60000);
	home_write(&server.stage->home, "state/" NONCE ".result", "pep-fcu-run 1\nserial GW-1\nend exited 0\n");
	adopt(&server, "GW-1", 0);
	assert_int_equal(server.status, PEP_INTERNAL);
	assert_int_equal(server.result.outcome, PEP_DOUBTFUL);
	assert_string_equal(server.result.enrollment_id, "");
}

/* The result's room on disk is taken before the start. */
static void without_room_for_a_result_nothing_is_started(void **state)
{
	struct server server = {.stage = *state};
	char path[400];
	char *world;

	/* A folder in the place of the new result stands for a disk that is full. */
	(void)snprintf(path, sizeof(path), "%s/." NONCE ".result", server.stage->home.state);
	assert_int_equal(mkdir(path, 0700), 0);
	provision(&server, "GW-1", 60000);
	assert_int_equal(server.status, PEP_INTERNAL);
	assert_int_equal(server.result.outcome, PEP_NOT_SENT);
	world = home_read(server.stage->home.world);
	assert_string_equal(world, "");
	free(world);
	adopt(&server, "GW-1", 0);
	assert_int_equal(server.status, PEP_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_missing_is_named),
		TEST(what_everybody_can_change_is_refused),
		TEST(an_fcu_yml_that_is_not_yaml_is_refused),
		TEST(variables_that_the_tool_is_not_given_are_told),
		TEST(a_keystore_that_is_mixed_up_is_refused),
		TEST(who_finds_no_place_was_not_sent),
		TEST(the_end_is_seen_though_another_start_has_our_lock),
		TEST(what_finished_is_adopted_until_it_is_forgotten),
		TEST(a_tool_that_was_overdue_is_adopted_as_ended),
		TEST(what_the_witness_refused_leaves_nothing),
		TEST(a_running_one_is_waited_for),
		TEST(without_its_runner_nothing_of_the_tool_goes_on),
		TEST(an_attempt_is_not_run_twice),
		TEST(damage_is_in_doubt),
		TEST(without_room_for_a_result_nothing_is_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
