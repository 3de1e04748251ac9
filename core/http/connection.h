/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.h - the open connections: what each one is at, which is too slow, and whether any still has a request under way.
 */
#ifndef CORE_HTTP_CONNECTION_H
#define CORE_HTTP_CONNECTION_H

#include <netinet/in.h>
#include <pep/plugin.h>
#include <pthread.h>
#include <stdatomic.h>

enum connection_phase {
	CONNECTION_READING,   /* waits for a request, or reads it */
	CONNECTION_BUSY,      /* has a whole request that is not answered to its last byte */
	CONNECTION_SUSPENDED, /* the same, and the HTTP library must not be stopped */
	CONNECTION_WATCHING,  /* is being sent news that never end: nobody waits for it */
	CONNECTION_CUT,       /* was too slow, or nobody reads on; its socket is shut down */
};

struct connection {
	struct connection *next, *previous;
	int fd;
	pthread_t thread; /* the HTTP thread that it belongs to all its life */
	char peer[INET6_ADDRSTRLEN];
	_Atomic(int) phase;             /* enum connection_phase */
	_Atomic(int64_t) since_boot_ms; /* of CONNECTION_READING: accept, or the end of the reply before */
	_Atomic(bool) first;            /* no request was answered yet */
	int64_t begun_boot_ms;          /* the sweep's own: when it saw the first bytes of another request; 0: not yet */
	int64_t begun_since_boot_ms;    /* ... and which `since_boot_ms` that belongs to */
};

struct connections {
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* while somebody waits: a phase or the list */
	struct connection *first;
	_Atomic(bool) waited_for;
	bool is_closed; /* whoever comes is shut out */
};

void connections_init(struct connections *connections);
void connections_fini(struct connections *connections);

/* Zeroed but for fd, thread and peer, which are set. Cut at once after connections_close(). [any thread] */
void connection_add(struct connections *connections, struct connection *connection);
/* Before its fd is closed. [any thread] */
void connection_remove(struct connections *connections, struct connection *connection);

/* From CONNECTION_READING. False: it was cut. [its HTTP thread] */
bool connection_begin(struct connection *connection);
void connection_set_phase(struct connections *connections, struct connection *connection, enum connection_phase phase);
/* Answered; the next request may come. [its HTTP thread] */
void connection_end(struct connections *connections, struct connection *connection);

/* How many are busy or suspended. [any thread] */
unsigned connections_busy(struct connections *connections);
/* Wait until none is suspended and, if `idle`, none is busy. Who watches is not waited for. False: timeout. [any thread] */
bool connections_wait(struct connections *connections, bool idle, int64_t timeout_ms);
/* Wait until none watches. False: timeout. [any thread] */
bool connections_wait_watching(struct connections *connections, int64_t timeout_ms);

/* Cut off every connection that has been sending one request for longer than header_timeout_ms: since its accept for the first,
 * since its first bytes for another. To be called about every CONNECTIONS_SWEEP_MS; a connection that is idle between two requests
 * is left to the HTTP library. Returns how many were cut. [one thread] */
unsigned connections_sweep(struct connections *connections, int64_t header_timeout_ms);
#define CONNECTIONS_SWEEP_MS 500
/* Cut off every connection that there is and that is still to come: the HTTP library finds their ends and closes them. [any thread] */
void connections_close(struct connections *connections);

#endif
