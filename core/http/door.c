/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/door.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)256 * 1024)
/* When the process has no descriptor or memory left for another connection, it is tried again after this. */
#define PAUSE_MS 100

enum order { STAY_OPEN, SHUT, LEAVE };

struct door {
	struct door_settings settings;
	pthread_t thread;
	int bell;                 /* eventfd: there is an order, or room */
	_Atomic(int) order;       /* enum order */
	_Atomic(unsigned) inside; /* connections that were admitted and have not left */
	_Atomic(bool) is_full;    /* who leaves shall ring */
	_Atomic(unsigned) turns;  /* of the thread's loop */
	unsigned turns_seen;      /* by door_has_turned() */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_shut; /* under the mutex */
};

static void ring(const struct door *door)
{
	const uint64_t one = 1;

	(void)!write(door->bell, &one, sizeof(one));
}

/* False: nobody is waiting, or the next one has to wait. */
static bool admit_one(struct door *door, int *ret_pause_ms)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd = accept4(door->settings.fd, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		door->inside++;
		if (!door->settings.admit(door->settings.context, fd, (const struct sockaddr *)&address, size))
			door->inside--;
		return true;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return false;
	if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
		return true;
	log_event(LOG_ERR, "cannot accept a connection; trying again", LOG_TEXT("reason", strerror(errno)));
	*ret_pause_ms = PAUSE_MS;
	return false;
}

/* Is there room for one more? If not, whoever leaves from now on rings. */
static bool has_room(struct door *door)
{
	const struct door_settings *settings = &door->settings;

	atomic_store(&door->is_full, false);
	if (door->inside < settings->connections)
		return true;
	atomic_store(&door->is_full, true);
	return door->inside < settings->connections;
}

static void shut(struct door *door)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&door->mutex);

	(void)lock;
	(void)close(door->settings.fd);
	door->settings.fd = -1;
	door->is_shut = true;
	(void)pthread_cond_broadcast(&door->changed);
}

static int64_t monotonic_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until somebody connects, rings, or the next sweep is due, which is never while there are no connections. */
static void wait_for_something(struct door *door, bool accepting, int pause_ms)
{
	struct pollfd polled[] = {{.fd = door->bell, .events = POLLIN},
				  {.fd = accepting ? door->settings.fd : -1, .events = POLLIN}};
	int timeout_ms = pause_ms ? pause_ms : door->inside ? CONNECTIONS_SWEEP_MS : -1;
	uint64_t rings;

	if (poll(polled, 2, timeout_ms) > 0 && polled[0].revents)
		(void)!read(door->bell, &rings, sizeof(rings));
}

static void *keep_door(void *argument)
{
	struct door *door = argument;
	int64_t swept_ms = 0;

	while (door->order != LEAVE) {
		bool shutting = door->order == SHUT;
		bool accepting = door->settings.fd >= 0;
		int pause_ms = 0;
		int64_t now = monotonic_ms();

		door->turns++;
		while (accepting && (accepting = has_room(door)) && admit_one(door, &pause_ms))
			;
		if (shutting && door->settings.fd >= 0)
			shut(door);
		if (now - swept_ms >= CONNECTIONS_SWEEP_MS) {
			swept_ms = now;
			(void)connections_sweep(door->settings.list, door->settings.header_timeout_ms);
		}
		wait_for_something(door, accepting && !pause_ms && door->settings.fd >= 0, pause_ms);
	}
	if (door->settings.fd >= 0)
		shut(door);
	return NULL;
}

static void discard(struct door *door)
{
	(void)close(door->bell);
	(void)pthread_cond_destroy(&door->changed);
	(void)pthread_mutex_destroy(&door->mutex);
	free(door);
}

pep_status door_open(const struct door_settings *settings, struct door **ret_door, struct pep_error *err)
{
	struct door *door = calloc(1, sizeof(*door));
	pthread_condattr_t monotonic;
	pthread_attr_t attributes;
	int error;

	if (!door)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "start the thread that accepts connections: out of memory");
	door->settings = *settings;
	door->turns_seen = UINT_MAX; /* the first call finds it changed */
	(void)pthread_mutex_init(&door->mutex, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&door->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	door->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = door->bell < 0 ? errno : pthread_attr_init(&attributes);
	if (!error) {
		(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
		*ret_door = door; /* the first connection may leave before pthread_create() returns */
		error = pthread_create(&door->thread, &attributes, keep_door, door);
		(void)pthread_attr_destroy(&attributes);
	}
	if (error) {
		*ret_door = NULL;
		discard(door);
		return pep_fail(err, PEP_LIMIT, error, "start the thread that accepts connections: %s", strerror(error));
	}
	return PEP_OK;
}

bool door_has_turned(struct door *door)
{
	unsigned turns = door->turns;
	bool has_turned = turns != door->turns_seen;

	door->turns_seen = turns;
	ring(door);
	return has_turned;
}

void door_left(struct door *door)
{
	bool is_last = --door->inside == 0;

	if (atomic_load(&door->is_full))
		ring(door);
	if (!is_last || atomic_load(&door->order) != SHUT)
		return;
	(void)pthread_mutex_lock(&door->mutex);
	(void)pthread_cond_broadcast(&door->changed);
	(void)pthread_mutex_unlock(&door->mutex);
}

void door_shut(struct door *door)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&door->mutex);

	if (door->is_shut)
		return;
	door->order = SHUT;
	ring(door);
	while (!door->is_shut)
		(void)pthread_cond_wait(&door->changed, lock);
}

bool door_wait_empty(struct door *door, int64_t timeout_ms)
{
	const struct timespec deadline = clock_monotonic_after(timeout_ms);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&door->mutex);

	while (door->inside)
		if (pthread_cond_timedwait(&door->changed, lock, &deadline) != 0)
			return door->inside == 0;
	return true;
}

void door_free(struct door *door)
{
	if (!door)
		return;
	door->order = LEAVE;
	ring(door);
	(void)pthread_join(door->thread, NULL);
	discard(door);
}
