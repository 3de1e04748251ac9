/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server.h"

#include "core/access/access.h"
#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/notify.h"
#include "core/server_parts.h"
#include "core/service/audit.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* --- the port file: whole, and only when requests are answered --- */

static pep_status write_port_file(const char *path, uint16_t port, struct pep_error *err)
{
	AUTO(free_ptr) char *temporary = NULL;
	FILE *file;
	bool good;

	if (asprintf(&temporary, "%s.new", path) < 0) {
		temporary = NULL;
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	file = fopen(temporary, "we");
	good = file && fprintf(file, "%u\n", (unsigned)port) > 0;
	if (file && fclose(file) != 0)
		good = false;
	if (!good || rename(temporary, path) != 0)
		return pep_fail(err, PEP_UNAVAILABLE, errno, "port file %s cannot be written: %s", path, strerror(errno));
	return PEP_OK;
}

/* --- SIGHUP: what may change while the server runs. A new file that is no good changes nothing. --- */

static void tell_reload(const char *what, pep_status status, const struct pep_error *err)
{
	if (status == PEP_OK)
		log_event(LOG_NOTICE, "reloaded", LOG_TEXT("what", what));
	else
		log_event(LOG_ERR, "not reloaded: it stays as it was", LOG_TEXT("what", what), LOG_TEXT("error", err->message));
}

static void reload(struct server *server)
{
	struct pep_error err = {0};
	pep_status status = audit_append(server->audit, json_pack("{s:s, s:s}", "event", "reload", "actor", "server"), &err);

	if (status == PEP_OK)
		status = access_reload(server->access, server->audit, &err);
	tell_reload("access.tokens", status, &err);
}

/* Named once at the start, and with every certificate that comes. */
static void tell_certificate(const struct server *server)
{
	char pin[TLS_PIN_SIZE];

	if (!server->tls)
		return;
	tls_pin(server->tls, pin);
	log_event(LOG_NOTICE, "certificate", LOG_TEXT("file", server->config->tls_certificate), LOG_TEXT("pin", pin),
		  LOG_NUMBER("expires_s", tls_expires_s(server->tls)));
}

static void reload_tls(struct server *server)
{
	struct pep_error err = {0};

	if (!server->tls)
		return;
	tell_reload("tls", tls_reload(server->tls, &err), &err);
	tell_certificate(server);
}

/* --- what systemd is told --- */

static void tell_ready(const struct server *server)
{
	const char *listen = server->config->listen;
	bool is_ipv6 = strchr(listen, ':') != NULL;

	notify_send("READY=1\nSTATUS=%s://%s%s%s:%u, storage %s, injector %s", server->tls ? "https" : "http", is_ipv6 ? "[" : "",
		    listen, is_ipv6 ? "]" : "", (unsigned)listener_port(server->listener), storage_name(server->storage),
		    injector_name(server->injector));
}

static void reload_all(struct server *server)
{
	notify_send("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading tokens and certificates again",
		    (long long)clock_work_ms() * 1000);
	reload(server);
	reload_tls(server);
	tell_ready(server);
}

/* A step of the recovery thread is one call of store or injector, and they have limits of their own: one that takes as long as systemd
 * waits hangs. The HTTP threads have until the next look, half that time, to close a connection that is closed already. */
static const char *find_standstill(void *context)
{
	const struct server *server = context;

	if (!listener_turns(server->listener))
		return "http";
	return recovery_late_ms(server->recovery) >= notify_watchdog_ms() ? "recovery" : NULL;
}

static int serve(struct server *server, const sigset_t *signals, const char *port_file)
{
	uint16_t port = listener_port(server->listener);
	struct pep_error err = {0};
	int signal_number = 0;

	if (port_file && write_port_file(port_file, port, &err) != PEP_OK)
		return server_refuse(&err, SERVER_EXIT_DATA);
	log_event(LOG_NOTICE, "ready", LOG_TEXT("version", PEP_VERSION), LOG_TEXT("listen", server->config->listen),
		  LOG_NUMBER("port", port), LOG_TEXT("storage", storage_name(server->storage)),
		  LOG_TEXT("injector", injector_name(server->injector)), LOG_NUMBER("exporters", (int64_t)server->exporter_count),
		  LOG_TEXT("server", server->owner));
	tell_certificate(server);
	if (watchdog_start(find_standstill, server, &server->watchdog, &err) != PEP_OK)
		return server_refuse(&err, SERVER_EXIT_OTHER);
	tell_ready(server);
	while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP)
		reload_all(server);
	watchdog_relax(server->watchdog);
	notify_send("STOPPING=1\nSTATUS=waiting for %u requests", listener_busy(server->listener));
	atomic_store(&server->stopping, true);
	log_event(LOG_NOTICE, "stopping", LOG_NUMBER("signal", signal_number), LOG_NUMBER("busy", listener_busy(server->listener)));
	return SERVER_EXIT_OK;
}

int server_run(struct config *config, const char *port_file)
{
	struct server server = {.config = config};
	sigset_t signals;
	int exit_code;

	log_setup(config->log_level, config->log_format);
	/* Threads inherit the mask: the signals come to sigwait() alone. */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	tzset();                       /* once, before there are threads: glibc keeps what it finds in a place of its own */
	(void)umask(0077);             /* records hold verification keys */
	(void)mallopt(M_ARENA_MAX, 4); /* threads that come and go must not each keep a heap of their own */
	atomic_init(&server.stopping, false);
	server.plugins = (struct instance_context){
		.plugin_dir = config->plugin_dir, .data_dir = config->data_dir, .stopping = &server.stopping};
	exit_code = server_start(&server);
	if (exit_code == SERVER_EXIT_OK)
		exit_code = serve(&server, &signals, port_file);
	server_stop(&server, exit_code);
	watchdog_stop(server.watchdog);
	log_event(LOG_NOTICE, "stopped", LOG_NUMBER("exit", exit_code));
	return exit_code;
}
