/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/connection.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/http/socket.h"

#include <sys/socket.h>
#include <time.h>

/* The kernel counts in ticks, we in milliseconds: bytes that are less apart than this may be those of the request before. */
#define CLOCK_SLACK_MS 50

void connections_init(struct connections *connections)
{
	pthread_condattr_t attributes;

	*connections = (struct connections){0};
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&connections->mutex, NULL);
	(void)pthread_cond_init(&connections->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

void connections_fini(struct connections *connections)
{
	(void)pthread_cond_destroy(&connections->changed);
	(void)pthread_mutex_destroy(&connections->mutex);
}

/* With the lock held, so that the fd stays open. The HTTP thread sees the end and closes it. */
static void cut(struct connection *connection)
{
	connection->phase = CONNECTION_CUT;
	(void)shutdown(connection->fd, SHUT_RDWR);
}

void connection_add(struct connections *connections, struct connection *connection)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&connections->mutex);

	(void)lock;
	connection->phase = CONNECTION_READING;
	connection->since_boot_ms = clock_boot_ms();
	connection->first = true;
	connection->previous = NULL;
	connection->next = connections->first;
	if (connection->next)
		connection->next->previous = connection;
	connections->first = connection;
	if (connections->is_closed)
		cut(connection);
}

void connection_remove(struct connections *connections, struct connection *connection)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&connections->mutex);

	(void)lock;
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		connections->first = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	(void)pthread_cond_broadcast(&connections->changed);
}

bool connection_begin(struct connection *connection)
{
	int reading = CONNECTION_READING;

	return atomic_compare_exchange_strong(&connection->phase, &reading, CONNECTION_BUSY);
}

/* The waiting side sets waited_for before it looks at phases, this side the other way round: one of them sees the other. */
static void tell(struct connections *connections)
{
	if (!atomic_load(&connections->waited_for))
		return;
	(void)pthread_mutex_lock(&connections->mutex);
	(void)pthread_cond_broadcast(&connections->changed);
	(void)pthread_mutex_unlock(&connections->mutex);
}

void connection_set_phase(struct connections *connections, struct connection *connection, enum connection_phase phase)
{
	atomic_store(&connection->phase, (int)phase);
	tell(connections);
}

void connection_end(struct connections *connections, struct connection *connection)
{
	int phase = connection->phase;

	if (phase == CONNECTION_READING || phase == CONNECTION_CUT)
		return;
	connection->first = false;
	connection->since_boot_ms = clock_boot_ms();
	connection_set_phase(connections, connection, CONNECTION_READING);
}

#define PHASE(name) (1U << (name))

/* With the lock held: how many are in one of the phases. */
static unsigned count(const struct connections *connections, unsigned phases)
{
	unsigned found = 0;

	for (struct connection *connection = connections->first; connection; connection = connection->next)
		found += PHASE(connection->phase) & phases ? 1 : 0;
	return found;
}

unsigned connections_busy(struct connections *connections)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&connections->mutex);

	(void)lock;
	return count(connections, PHASE(CONNECTION_SUSPENDED) | PHASE(CONNECTION_BUSY));
}

static bool wait_for(struct connections *connections, unsigned phases, int64_t timeout_ms)
{
	const struct timespec deadline = clock_monotonic_after(timeout_ms);
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&connections->mutex);

	atomic_store(&connections->waited_for, true);
	while (count(connections, phases))
		if (pthread_cond_timedwait(&connections->changed, lock, &deadline) != 0)
			return count(connections, phases) == 0;
	return true;
}

bool connections_wait(struct connections *connections, bool idle, int64_t timeout_ms)
{
	return wait_for(connections, PHASE(CONNECTION_SUSPENDED) | (idle ? PHASE(CONNECTION_BUSY) : 0), timeout_ms);
}

bool connections_wait_watching(struct connections *connections, int64_t timeout_ms)
{
	return wait_for(connections, PHASE(CONNECTION_WATCHING), timeout_ms);
}

/* How long has it been sending the request that it is at? */
static int64_t sending_ms(struct connection *connection, int64_t now)
{
	int64_t since = connection->since_boot_ms;
	int64_t quiet;

	if (connection->first)
		return now - since;
	/* Nothing says that another request has begun until its first line is whole, but the kernel knows when bytes came last. */
	if (connection->begun_since_boot_ms != since) {
		if (now - since < CONNECTIONS_SWEEP_MS)
			return 0;
		quiet = socket_quiet_ms(connection->fd);
		if (quiet >= 0 && quiet + CLOCK_SLACK_MS >= now - since)
			return 0;
		connection->begun_since_boot_ms = since;
		connection->begun_boot_ms = quiet < 0 ? since : now;
	}
	return now - connection->begun_boot_ms;
}

unsigned connections_sweep(struct connections *connections, int64_t header_timeout_ms)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&connections->mutex);
	int64_t now = clock_boot_ms();
	unsigned count_cut = 0;

	(void)lock;
	for (struct connection *connection = connections->first; connection; connection = connection->next) {
		int reading = CONNECTION_READING;

		if (connection->phase != CONNECTION_READING || sending_ms(connection, now) < header_timeout_ms ||
		    !atomic_compare_exchange_strong(&connection->phase, &reading, CONNECTION_CUT))
			continue;
		(void)shutdown(connection->fd, SHUT_RDWR); /* see cut() */
		count_cut++;
	}
	return count_cut;
}

void connections_close(struct connections *connections)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&connections->mutex);

	(void)lock;
	connections->is_closed = true;
	for (struct connection *connection = connections->first; connection; connection = connection->next)
		cut(connection);
}
