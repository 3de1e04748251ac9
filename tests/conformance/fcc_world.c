/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc_world.h"

#include "fcc-sim/device.h"
#include "fcc-sim/print.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLER_COUNT 4u /* fill the queue of a device, which holds two */

struct station {
	struct station *next;
	char serial[80];
	struct device device;
	pthread_t thread;
	bool is_alive; /* the device is the thread's */
	int stop_fd;
	int callers[CALLER_COUNT];
};

/* The gateways are a world of their own, as real ones are: there is one of it. */
static struct {
	pthread_mutex_t mutex;
	struct station *newest;
} world = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	abort();
}

static int call(uint16_t port, int flags, bool *ret_connected)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	demand(fd >= 0, "fcc_world: a socket");
	*ret_connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	return fd;
}

/* Returns whether the gateway is busy. */
static bool read_fault(const char *serial, struct fault *ret_fault)
{
	const char *space = strchr(serial, ' ');
	char text[64];

	*ret_fault = (struct fault){0};
	if (!space)
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(space - serial), serial);
	if (strcmp(text, "busy") == 0)
		return true;
	demand(fault_add(text, 1, ret_fault), text);
	return false;
}

static void *live(void *data)
{
	(void)device_run(data);
	return NULL;
}

uint16_t fcc_world_start(const char *serial)
{
	struct station *station = calloc(1, sizeof(*station));
	int stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct fault fault;
	bool is_busy = read_fault(serial, &fault), is_connected;

	demand(station && stop_fd >= 0, "fcc_world: a gateway");
	(void)snprintf(station->serial, sizeof(station->serial), "%s", serial);
	station->stop_fd = stop_fd;
	demand(device_open(&station->device, "127.0.0.1", 0, NULL, &fault, (const int[WIRE_STOPS]){stop_fd, -1}),
	       "fcc_world: a gateway");
	for (size_t i = 0; i < CALLER_COUNT; i++)
		station->callers[i] = is_busy ? call(station->device.port, SOCK_NONBLOCK, &is_connected) : -1;
	if (!is_busy)
		demand(pthread_create(&station->thread, NULL, live, &station->device) == 0, "fcc_world: a thread");
	station->is_alive = !is_busy;
	(void)pthread_mutex_lock(&world.mutex);
	station->next = world.newest;
	world.newest = station;
	(void)pthread_mutex_unlock(&world.mutex);
	return station->device.port;
}

/* A message of no size ends the life, behind all that came before. Who has ended already takes no connection. */
static void send_nonsense(uint16_t port)
{
	static const char nonsense[12] = "mbedprov";
	bool is_connected;
	int fd = call(port, 0, &is_connected);

	if (is_connected)
		(void)send(fd, nonsense, sizeof(nonsense), MSG_NOSIGNAL);
	(void)close(fd);
}

static void end_life(struct station *station)
{
	if (!station->is_alive)
		return;
	if (station->device.gateway.fault.slow_ms)
		(void)eventfd_write(station->stop_fd, 1); /* nobody waits for its answer any more */
	else
		send_nonsense(station->device.port);
	(void)pthread_join(station->thread, NULL);
	station->is_alive = false;
}

/* As the suite compares it; the simulator says it in small letters. */
static void print_upper(const struct store *store, char ret_id[PRINT_ENROLLMENT_SIZE])
{
	print_enrollment(store, ret_id);
	for (char *letter = ret_id; *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
}

void fcc_world_look(const char *serial, struct injector_view *ret_view)
{
	struct station *station;

	*ret_view = (struct injector_view){0};
	(void)pthread_mutex_lock(&world.mutex);
	station = world.newest;
	while (station && strcmp(station->serial, serial) != 0)
		station = station->next;
	if (station) {
		end_life(station);
		ret_view->touched = station->device.gateway.message_count > 0;
		/* What is left of a refused message is erased at the next start. */
		if (station->device.last_status == 0)
			print_upper(&station->device.gateway.store, ret_view->enrollment_id);
	}
	(void)pthread_mutex_unlock(&world.mutex);
}

void fcc_world_fini(void)
{
	struct station *next;

	for (struct station *station = world.newest; station; station = next) {
		next = station->next;
		end_life(station);
		for (size_t i = 0; i < CALLER_COUNT; i++)
			if (station->callers[i] >= 0)
				(void)close(station->callers[i]);
		device_close(&station->device);
		(void)close(station->stop_fd);
		free(station);
	}
	world.newest = NULL;
}
