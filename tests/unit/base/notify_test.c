/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/notify.h"

#include "core/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/pep-notify-XXXXXX";
static char path[64];
static struct pep_error err;

/* What systemd is to us. `name` begins with an @ for the abstract space. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)unlink(name);
	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static void expect(int fd, const char *text)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	char message[600];
	ssize_t size;

	assert_int_equal(poll(&polled, 1, 20000), 1);
	size = recv(fd, message, sizeof(message) - 1, 0);
	assert_true(size >= 0);
	message[size] = '\0';
	assert_string_equal(message, text);
}

static void expect_nothing(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
}

static void a_message_is_one_datagram(void **state)
{
	char name[64];
	int fd = listen_at(path);

	(void)state;
	notify_send("READY=1\nSTATUS=%d busy", 3);
	expect(fd, "READY=1\nSTATUS=3 busy");
	(void)close(fd);
	(void)snprintf(name, sizeof(name), "@pep-notify-test-%d", (int)getpid());
	fd = listen_at(name);
	notify_send("STOPPING=1");
	expect(fd, "STOPPING=1");
	(void)close(fd);
	notify_send("nobody is there");
}

static void what_is_no_address_is_not_sent_to(void **state)
{
	static const char *const bad[] = {"", "/", "@", "relative", "vsock:2:1"};
	char lengthy[200];
	int fd = listen_at(path);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", bad[i], 1), 0);
		notify_send("READY=1");
	}
	memset(lengthy, '/', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", lengthy, 1), 0);
	notify_send("READY=1");
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	notify_send("READY=1");
	expect_nothing(fd);
	/* Not cut off: half a message could say something else. */
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	notify_send("STATUS=%600d", 1);
	expect_nothing(fd);
	(void)close(fd);
}

static void expect_watchdog(const char *usec, const char *pid, int64_t expected_ms)
{
	assert_int_equal(usec ? setenv("WATCHDOG_USEC", usec, 1) : unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(pid ? setenv("WATCHDOG_PID", pid, 1) : unsetenv("WATCHDOG_PID"), 0);
	assert_int_equal(notify_watchdog_ms(), expected_ms);
}

static void the_watchdog_is_this_process_own(void **state)
{
	char own[32], other[32];

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	(void)snprintf(other, sizeof(other), "%d", (int)getpid() + 1);
	expect_watchdog(NULL, NULL, 0);
	expect_watchdog("30000000", NULL, 30000);
	expect_watchdog("30000000", own, 30000);
	expect_watchdog("30000000", other, 0);
	expect_watchdog("30000000", "x", 0);
	expect_watchdog("0", NULL, 0);
	expect_watchdog("-1", NULL, 0);
	expect_watchdog("10s", NULL, 0);
	expect_watchdog("999", NULL, 1);
}

struct patient {
	_Atomic(const char *) fault;
	_Atomic(unsigned) looks;
};

static const char *look(void *context)
{
	struct patient *patient = context;

	patient->looks++;
	return patient->fault;
}

static void wait_for_looks(struct patient *patient, unsigned more)
{
	unsigned wanted = patient->looks + more;

	while (patient->looks < wanted)
		(void)sched_yield();
}

static void drain(int fd)
{
	char message[64];

	while (recv(fd, message, sizeof(message), MSG_DONTWAIT) >= 0)
		;
}

static void it_is_told_only_while_all_is_well(void **state)
{
	struct patient patient = {.looks = 0};
	struct watchdog *watchdog = NULL;
	int fd = listen_at(path);

	(void)state;
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(watchdog_start(look, &patient, &watchdog, &err), PEP_OK);
	assert_null(watchdog); /* nobody asks */
	expect_watchdog("2000", NULL, 2);
	assert_int_equal(watchdog_start(look, &patient, &watchdog, &err), PEP_OK);
	assert_non_null(watchdog);
	expect(fd, "WATCHDOG=1");
	expect(fd, "WATCHDOG=1");
	patient.fault = "a part";
	wait_for_looks(&patient, 2); /* of which the first may have begun before */
	drain(fd);
	wait_for_looks(&patient, 5);
	expect_nothing(fd);
	patient.fault = NULL;
	expect(fd, "WATCHDOG=1");
	patient.fault = "it is being taken apart";
	watchdog_relax(watchdog);
	patient.looks = 0;
	drain(fd);
	expect(fd, "WATCHDOG=1");
	expect(fd, "WATCHDOG=1");
	assert_int_equal(patient.looks, 0);
	watchdog_stop(watchdog);
	watchdog_relax(NULL);
	watchdog_stop(NULL);
	(void)close(fd);
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	return unlink(path) || rmdir(folder) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_one_datagram),
		cmocka_unit_test(what_is_no_address_is_not_sent_to),
		cmocka_unit_test(the_watchdog_is_this_process_own),
		cmocka_unit_test(it_is_told_only_while_all_is_well),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
