/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/listener.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/http/broadcast.h"
#include "core/http/door.h"
#include "core/http/exchange.h"
#include "core/http/pulse.h"
#include "core/http/socket.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_LIMIT ((size_t)16 * 1024)
#define MEMORY_INCREMENT ((size_t)1024)
#define STACK_SIZE ((size_t)1024 * 1024)
/* After the time limit: for the replies of handlers that have just come to their end. */
#define LAST_REPLIES_MS 1000

struct listener {
	struct serving serving;
	struct MHD_Daemon *daemon;
	struct door *door;
	struct pulse pulse;
	uint16_t port;
	_Atomic(int64_t) logged_boot_ms; /* when the library's last line was let through */
	_Atomic(unsigned) unlogged;
};

/* What peers do wrong is in the library's log, too: at most one line a second, so that they cannot fill ours. */
__attribute__((format(printf, 2, 0))) static void log_library(void *context, const char *format, va_list args)
{
	struct listener *listener = context;
	int64_t now = clock_boot_ms();
	char text[512];

	if (strstr(format, "Content-Length"))
		exchange_refuse_length(&listener->serving);
	if (pulse_is_under_way(&listener->pulse) && strstr(format, "andshake"))
		return; /* ours, which never meant to finish one */
	if (now - listener->logged_boot_ms < 1000) {
		listener->unlogged++;
		return;
	}
	listener->logged_boot_ms = now;
	(void)vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_event(LOG_INFO, "http library", LOG_TEXT("text", text),
		  LOG_NUMBER("not_shown", atomic_exchange(&listener->unlogged, 0)));
}

/* The library has found itself in a state that it cannot go on from; it must not be returned to. */
static void panic(void *context, const char *file, unsigned line, const char *reason)
{
	(void)context;
	log_event(LOG_ERR, "http library: cannot go on; the server ends", LOG_TEXT("reason", reason), LOG_TEXT("file", file),
		  LOG_NUMBER("line", line));
	abort();
}

static void notify_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
			      enum MHD_ConnectionNotificationCode what)
{
	struct listener *listener = context;

	if (pulse_is_one(mhd)) {
		if (what == MHD_CONNECTION_NOTIFY_CLOSED)
			pulse_answer(&listener->pulse);
		return;
	}
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = exchange_open(&listener->serving, mhd);
		return;
	}
	if (*socket_context)
		exchange_close(*socket_context);
	*socket_context = NULL;
	door_left(listener->door);
}

static void *notify_uri(void *context, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct exchange *exchange = info ? info->socket_context : NULL;
	char *text;

	(void)context;
	if (!exchange || !uri)
		return NULL;
	memcpy(&text, &uri, sizeof(text)); /* it is the library's receive buffer: writable, see exchange_begin() */
	exchange_begin(exchange, text);
	return exchange;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
			      const char *data, size_t *data_size, void **request_context)
{
	(void)context;
	(void)mhd;
	(void)url;
	return *request_context ? exchange_advance(*request_context, method, version, data, data_size) : MHD_NO;
}

static void notify_end(void *context, struct MHD_Connection *mhd, void **request_context, enum MHD_RequestTerminationCode how)
{
	(void)context;
	(void)mhd;
	if (*request_context)
		exchange_end(*request_context, how);
	*request_context = NULL;
}

/* We decode ourselves, once. */
static size_t leave_escapes(void *context, struct MHD_Connection *mhd, char *text)
{
	(void)context;
	(void)mhd;
	return strlen(text);
}

static bool admit(void *context, int fd, const struct sockaddr *address, socklen_t size)
{
	struct listener *listener = context;

	return MHD_add_connection(listener->daemon, fd, address, size) == MHD_YES;
}

static pep_status start_daemon(struct listener *listener, struct pep_error *err)
{
	const struct listener_settings *settings = listener->serving.settings;
	const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			       MHD_USE_NO_LISTEN_SOCKET | (settings->tls ? MHD_USE_TLS : 0);
	const int64_t timeout_s = (settings->idle_timeout_ms + 999) / 1000;
	/* Not strict: for what that refuses it closes without a word, or with a head sent twice; guard.h and request.h refuse it, too.
	 * Each thread may have them all: the door counts, and the library closes what it thinks is too much. */
	const unsigned connections = (settings->connections + 1) * settings->threads; /* one for pulse.h */
	const struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)tls_choose},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, settings->tls ? (char *)tls_priorities(settings->tls) : NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	MHD_set_panic_func(panic, NULL);
	listener->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, handle, listener, MHD_OPTION_EXTERNAL_LOGGER, log_library, listener,
		MHD_OPTION_THREAD_POOL_SIZE, settings->threads > 1 ? settings->threads : 0, MHD_OPTION_THREAD_STACK_SIZE,
		STACK_SIZE, MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		settings->connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_LIMIT, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, MEMORY_INCREMENT,
		MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes,
		listener, MHD_OPTION_URI_LOG_CALLBACK, notify_uri, listener, MHD_OPTION_NOTIFY_CONNECTION, notify_connection,
		listener, MHD_OPTION_NOTIFY_COMPLETED, notify_end, listener, MHD_OPTION_ARRAY, settings->tls ? tls : &tls[2],
		MHD_OPTION_END);
	if (!listener->daemon)
		return pep_fail(err, PEP_LIMIT, 0,
				"start %u HTTP threads: no memory, threads or descriptors left; raise the limits",
				settings->threads);
	return PEP_OK;
}

static pep_status check(const struct listener_settings *settings, struct pep_error *err)
{
	if (!settings->threads || !settings->workers || !settings->injections || !settings->connections)
		return pep_fail(err, PEP_INVALID, 0,
				"start the HTTP server: http_threads, workers, injections and connections must be at least 1");
	if (settings->injections + settings->injection_queue > settings->connections / 2)
		return pep_fail(err, PEP_INVALID, 0,
				"start the HTTP server: injections (%u) and injection_queue (%u) may take at most half of the %u "
				"connections, "
				"so that lookups get through; set connections higher",
				settings->injections, settings->injection_queue, settings->connections);
	return PEP_OK;
}

/* Everything but the door. */
static pep_status start_inside(struct listener *listener, struct pep_error *err)
{
	const struct listener_settings *settings = listener->serving.settings;
	struct serving *serving = &listener->serving;
	pep_status status = pool_start(settings->workers, settings->worker_queue, &serving->workers, err);

	if (status == PEP_OK)
		status = pool_start(settings->injections, settings->injection_queue, &serving->injections, err);
	/* A program that hangs while it writes a file must not keep lookups and the readiness page waiting. */
	if (status == PEP_OK)
		status = pool_start(settings->workers, settings->worker_queue, &serving->exports, err);
	if (status == PEP_OK)
		status = feeds_new(serving->exports, &serving->feeds, err);
	return status == PEP_OK ? start_daemon(listener, err) : status;
}

static pep_status open_door(struct listener *listener, int fd, struct pep_error *err)
{
	const struct door_settings settings = {
		.fd = fd,
		.connections = listener->serving.settings->connections,
		.header_timeout_ms = listener->serving.settings->header_timeout_ms,
		.list = &listener->serving.connections,
		.admit = admit,
		.context = listener,
	};

	return door_open(&settings, &listener->door, err);
}

/* No thread of ours is there for signals: they are for the one that started us. */
static pep_status start_threads(struct listener *listener, int fd, struct pep_error *err)
{
	sigset_t all;
	sigset_t before;
	pep_status status;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	status = start_inside(listener, err);
	if (status == PEP_OK)
		status = open_door(listener, fd, err);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

static void destroy(struct listener *listener)
{
	if (listener->door)
		door_shut(listener->door);
	if (listener->daemon)
		MHD_stop_daemon(listener->daemon);
	/* Their last jobs close the streams that the daemon let go of. */
	pool_stop(listener->serving.injections);
	pool_stop(listener->serving.workers);
	pool_stop(listener->serving.exports);
	feeds_free(listener->serving.feeds);
	door_free(listener->door);
	connections_fini(&listener->serving.connections);
	free(listener);
}

static void init(struct listener *listener, const struct listener_settings *settings)
{
	struct serving *serving = &listener->serving;

	serving->settings = settings;
	connections_init(&serving->connections);
	/* From 1.0 on the library refuses itself what guard.h looks for between the lines, and splits them otherwise. */
	serving->check_lines = strncmp(MHD_get_version(), "0.9.", 4) == 0;
	text_random(4, serving->id_prefix);
	serving->id_next = 1;
	listener->logged_boot_ms = clock_boot_ms() - 1000;
}

pep_status listener_start(const struct listener_settings *settings, struct listener **ret_listener, struct pep_error *err)
{
	pep_status status = check(settings, err);
	struct listener *listener;
	int fd = -1;

	/* A peer that has gone is an error of the write, not a signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (status == PEP_OK)
		status = socket_allow(4 * settings->connections, err);
	if (status == PEP_OK)
		status = socket_listen(settings->address, settings->port, &fd, err);
	if (status != PEP_OK)
		return status;
	listener = calloc(1, sizeof(*listener));
	if (!listener) {
		(void)close(fd);
		return pep_fail(err, PEP_NO_MEMORY, 0, "start the HTTP server: out of memory");
	}
	init(listener, settings);
	listener->port = socket_port(fd);
	status = start_threads(listener, fd, err);
	if (status != PEP_OK) {
		(void)close(fd);
		destroy(listener);
		return status;
	}
	*ret_listener = listener;
	return PEP_OK;
}

uint16_t listener_port(const struct listener *listener)
{
	return listener->port;
}

unsigned listener_busy(const struct listener *listener)
{
	/* The lock in it is not part of what a caller sees. */
	return connections_busy((struct connections *)&listener->serving.connections);
}

bool listener_turns(struct listener *listener)
{
	bool door_turns = door_has_turned(listener->door);

	return pulse_beat(&listener->pulse, listener->daemon, listener->serving.settings->threads) && door_turns;
}

void listener_drain(struct listener *listener)
{
	listener->serving.draining = true;
	broadcast_end(listener->serving.settings->broadcast);
	door_shut(listener->door);
}

void listener_stop(struct listener *listener, int64_t timeout_ms)
{
	struct connections *connections = &listener->serving.connections;

	listener_drain(listener);
	if (!connections_wait(connections, true, timeout_ms > 0 ? timeout_ms : 0)) {
		feeds_break(listener->serving.feeds);
		/* Handlers run to their end, and the library must not be stopped while a connection is suspended: it would abort. Who is
		 * too slow to take a reply, though, is not waited for. */
		while (!connections_wait(connections, true, LAST_REPLIES_MS) && !connections_wait(connections, false, 0))
			;
	}
	/* Those who watch have found the end, and take the last bytes now or not at all. */
	(void)connections_wait_watching(connections, LAST_REPLIES_MS);
	/* The library is stopped when it has no connections: 0.9.75 ends the process if it refuses a Content-Length while it stops, since
	 * it makes a head for the reply that it could not queue any more (see mend.c). */
	connections_close(connections);
	(void)door_wait_empty(listener->door, LAST_REPLIES_MS);
	/* Who resumed a connection may still be on the way out of the library. */
	pool_settle(listener->serving.injections);
	pool_settle(listener->serving.workers);
	pool_settle(listener->serving.exports);
	destroy(listener);
}
