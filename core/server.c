/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server.h"

#include "core/access/admission.h"
#include "core/api/api.h"
#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/notify.h"
#include "core/http/listener.h"
#include "core/look.h"
#include "core/service/audit.h"
#include "core/service/audit_settled.h"
#include "core/service/cursor.h"
#include "core/service/orders.h"
#include "core/service/owner.h"
#include "core/service/push.h"
#include "core/service/recover.h"
#include "core/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Everything that runs. Members are set in start order and freed in the reverse of it. */
struct server {
	struct config *config;
	atomic_bool stopping;
	struct instance_context plugins;
	char owner[OWNER_ROOM];
	struct storage *storage;
	struct injector *injector;
	struct exporter **exporters;
	size_t exporter_count;
	struct spool *spool;
	struct pending *pending;
	struct audit *audit;
	struct push *push;
	struct orders *orders;
	struct provisioner provisioner;
	bool has_provisioner;
	struct recovery *recovery;
	struct look look;
	struct access *access;
	regex_t serial_pattern;
	bool has_serial_pattern;
	struct api_context api;
	struct route routes[API_ROUTE_COUNT];
	struct tls *tls; /* NULL: plain HTTP */
	struct listener_settings settings;
	struct listener *listener;
	struct watchdog *watchdog; /* NULL: systemd wants to hear nothing */
};

/* What went wrong, in one line, and the exit code that says of which kind it is. */
static int refuse(const struct pep_error *err, int exit_code)
{
	log_fields(LOG_ERR, err->message, NULL);
	return exit_code;
}

/* --- start, one step after the other --- */

static pep_status make_folder(const char *path, struct pep_error *err)
{
	if (mkdir(path, 0750) != 0 && errno != EEXIST)
		return pep_fail(err, PEP_UNAVAILABLE, errno, "data folder %s cannot be made: %s; make it, or set server.data_dir",
				path, strerror(errno));
	if (access(path, R_OK | W_OK | X_OK) != 0)
		return pep_fail(err, PEP_UNAVAILABLE, errno,
				"data folder %s cannot be written: %s; give it to this user, or set server.data_dir", path,
				strerror(errno));
	return PEP_OK;
}

static pep_status open_exporters(struct server *server, struct pep_error *err)
{
	const struct config *config = server->config;
	pep_status status = PEP_OK;

	server->exporters = calloc(config->exporter_count + 1, sizeof(struct exporter *));
	if (!server->exporters)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	for (size_t i = 0; status == PEP_OK && i < config->exporter_count; i++) {
		status = exporter_open(&server->plugins, &config->exporters[i], &server->exporters[i], err);
		if (status == PEP_OK)
			server->exporter_count++;
	}
	return status;
}

static pep_status open_spool(struct server *server, struct pep_error *err)
{
	AUTO(free_ptr) char *folder = NULL;

	if (asprintf(&folder, "%s/spool", server->config->data_dir) < 0) {
		folder = NULL;
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	return spool_open(folder, &server->spool, err);
}

static pep_status open_pending(struct server *server, struct pep_error *err)
{
	AUTO(free_ptr) char *folder = NULL;

	if (asprintf(&folder, "%s/pending", server->config->data_dir) < 0) {
		folder = NULL;
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	return pending_open(folder, &server->pending, err);
}

static pep_status open_audit(struct server *server, struct pep_error *err)
{
	const struct config *config = server->config;
	const struct audit_settings settings = {.folder = config->data_dir, .server = config->name, .segment_size = 64 << 20};

	pep_status status = audit_open(&settings, &server->audit, err);

	/* A disk that is full now keeps nobody from reading. */
	if (status == PEP_OK)
		audit_record(server->audit, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "event", "start", "actor", "server",
						      "version", PEP_VERSION, "owner", server->owner, "storage",
						      config->storage.plugin, "injector", config->injector.plugin));
	return status;
}

/* A store without notes has none, and that is fine unless they are required. */
static pep_status open_orders(struct server *server, struct pep_error *err)
{
	bool is_required = server->config->orders_required;

	if (!is_required && !storage_has_notes(server->storage))
		return PEP_OK;
	return orders_open(server->storage, is_required, &server->orders, err);
}

static pep_status start_service(struct server *server, struct pep_error *err)
{
	const struct config *config = server->config;
	char newest[25] = "";
	char earlier[OWNER_ROOM] = "";
	pep_status status = cursor_newest(server->storage, newest, err); /* new dispatch ids continue behind it */

	if (status == PEP_OK)
		status = owner_earlier(config->data_dir, earlier, err);
	if (status != PEP_OK)
		return status;
	server->provisioner = (struct provisioner){.storage = server->storage,
						   .injector = server->injector,
						   .spool = server->spool,
						   .pending = server->pending,
						   .orders = server->orders,
						   .owner = server->owner,
						   .injection_timeout_ms = config->injection_timeout_ms,
						   .lease_ms = config->lease_ms,
						   .stopping = &server->stopping,
						   .deployed = push_wake,
						   .deployed_context = server->push,
						   .settled = audit_settled,
						   .settled_context = server->audit};
	dispatch_init(&server->provisioner.dispatch, newest);
	endpoints_init(&server->provisioner.endpoints);
	server->has_provisioner = true;
	status = recover_at_start(&server->provisioner, earlier[0] ? earlier : NULL, err);
	if (status == PEP_OK)
		status = owner_keep(config->data_dir, server->owner, err);
	if (status == PEP_OK)
		status = recovery_start(&server->provisioner, config->recovery_interval_ms, &server->recovery, err);
	if (status == PEP_OK)
		status = push_start(server->push, err);
	return status;
}

static pep_status start_looking(struct server *server, struct pep_error *err)
{
	const struct look_setup setup = {.config = server->config,
					 .storage = server->storage,
					 .spool = server->spool,
					 .push = server->push,
					 .audit = server->audit,
					 .orders = server->orders,
					 .api = &server->api};

	return look_start(&server->look, &setup, err);
}

static pep_status start_api(struct server *server, struct pep_error *err)
{
	const struct config *config = server->config;
	pep_status status;

	if (config->serial_pattern) {
		AUTO(free_ptr) char *whole = NULL;

		if (asprintf(&whole, "^(%s)$", config->serial_pattern) < 0) {
			whole = NULL;
			return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
		}
		if (regcomp(&server->serial_pattern, whole, REG_EXTENDED | REG_NOSUB) != 0)
			return pep_fail(err, PEP_INVALID, 0, "identity.serial_pattern is not an extended regular expression");
		server->has_serial_pattern = true;
	}
	server->settings = (struct listener_settings){.address = config->listen,
						      .port = config->port,
						      .threads = config->http_threads,
						      .connections = config->connections,
						      .connections_per_address = config->connections_per_address,
						      .workers = config->workers,
						      .worker_queue = config->worker_queue,
						      .injections = config->injections,
						      .injection_queue = config->injection_queue,
						      .header_timeout_ms = config->header_timeout_ms,
						      .idle_timeout_ms = config->idle_timeout_ms,
						      .access_log = config->access_log,
						      .traffic = &server->look.traffic,
						      .broadcast = server->look.broadcast,
						      .tls = server->tls,
						      .admit = admission_admit,
						      .admit_context = server->access,
						      .routes = server->routes,
						      .context = &server->api};
	server->api = (struct api_context){.config = config,
					   .storage = server->storage,
					   .exporters = server->exporters,
					   .exporter_count = server->exporter_count,
					   .provisioner = &server->provisioner,
					   .spool = server->spool,
					   .audit = server->audit,
					   .push = server->push,
					   .serial_pattern = server->has_serial_pattern ? &server->serial_pattern : NULL,
					   .journal = server->look.journal,
					   .meters = &server->look.meters,
					   .export_meters = server->look.export_meters,
					   .vitals = server->look.vitals,
					   .traffic = &server->look.traffic,
					   .broadcast = server->look.broadcast,
					   .routes = server->routes,
					   .started_ms = clock_wall_ms()};
	api_routes(storage_flags(server->storage) & PEP_STORAGE_INLINE_READS, server->routes);
	status = listener_start(&server->settings, &server->listener, err);
	if (status == PEP_OK)
		server->api.own_port = listener_port(server->listener);
	return status;
}

/* Without a certificate it is plain HTTP. */
static pep_status open_tls(const struct config *config, struct tls **ret_tls, struct pep_error *err)
{
	const struct tls_settings settings = {.certificate = config->tls_certificate,
					      .key = config->tls_key,
					      .client_ca = config->tls_client_ca,
					      .only_1_3 = config->tls_minimum == CONFIG_TLS_1_3};

	*ret_tls = NULL;
	return config->tls_certificate ? tls_open(&settings, ret_tls, err) : PEP_OK;
}

pep_status server_check_tls(const struct config *config, struct pep_error *err)
{
	struct tls *tls;
	pep_status status = open_tls(config, &tls, err);

	tls_close(tls);
	return status;
}

static int start(struct server *server)
{
	const struct config *config = server->config;
	struct pep_error err = {0};
	pep_status status = make_folder(config->data_dir, &err);

	owner_make(config->name, server->owner);
	if (status == PEP_OK && access_open(config, &server->access, &err) != PEP_OK)
		return refuse(&err, SERVER_EXIT_CONFIG);
	if (status == PEP_OK && open_tls(config, &server->tls, &err) != PEP_OK)
		return refuse(&err, SERVER_EXIT_CONFIG);
	if (status == PEP_OK)
		status = open_spool(server, &err);
	if (status == PEP_OK)
		status = open_pending(server, &err);
	if (status == PEP_OK)
		status = open_audit(server, &err);
	if (status == PEP_OK)
		status = storage_open(&server->plugins, &config->storage, &server->storage, &err);
	if (status != PEP_OK)
		return refuse(&err, SERVER_EXIT_DATA);
	status = injector_open(&server->plugins, &config->injector, &server->injector, &err);
	if (status == PEP_OK)
		status = open_exporters(server, &err);
	if (status == PEP_OK)
		status = open_orders(server, &err);
	if (status == PEP_OK)
		status = push_open(&server->plugins, config, server->storage, server->owner, &server->push, &err);
	if (status != PEP_OK)
		return refuse(&err, SERVER_EXIT_CONFIG);
	status = start_service(server, &err);
	if (status != PEP_OK)
		return refuse(&err, SERVER_EXIT_DATA);
	status = start_looking(server, &err);
	if (status == PEP_OK)
		status = start_api(server, &err);
	return status == PEP_OK ? SERVER_EXIT_OK : refuse(&err, status == PEP_INVALID ? SERVER_EXIT_CONFIG : SERVER_EXIT_LISTEN);
}

/* --- stop: nothing new, let what runs end, then close in reverse order --- */

static void stop(struct server *server, int exit_code)
{
	if (server->listener) {
		listener_drain(server->listener);
		listener_stop(server->listener, server->config->drain_timeout_ms);
	}
	look_stop(&server->look);
	recovery_stop(server->recovery);
	push_close(server->push);
	orders_close(server->orders);
	access_close(server->access);
	tls_close(server->tls);
	if (server->has_serial_pattern)
		regfree(&server->serial_pattern);
	if (server->has_provisioner) {
		endpoints_fini(&server->provisioner.endpoints);
		dispatch_fini(&server->provisioner.dispatch);
	}
	for (size_t i = 0; i < server->exporter_count; i++)
		exporter_close(server->exporters[i]);
	free(server->exporters);
	injector_close(server->injector);
	storage_close(server->storage);
	if (server->audit)
		audit_record(server->audit, json_pack("{s:s, s:s, s:i}", "event", "stop", "actor", "server", "exit", exit_code));
	audit_close(server->audit);
	pending_close(server->pending);
	spool_close(server->spool);
}

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
		return refuse(&err, SERVER_EXIT_DATA);
	log_event(LOG_NOTICE, "ready", LOG_TEXT("version", PEP_VERSION), LOG_TEXT("listen", server->config->listen),
		  LOG_NUMBER("port", port), LOG_TEXT("storage", storage_name(server->storage)),
		  LOG_TEXT("injector", injector_name(server->injector)), LOG_NUMBER("exporters", (int64_t)server->exporter_count),
		  LOG_TEXT("server", server->owner));
	tell_certificate(server);
	if (watchdog_start(find_standstill, server, &server->watchdog, &err) != PEP_OK)
		return refuse(&err, SERVER_EXIT_OTHER);
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
	exit_code = start(&server);
	if (exit_code == SERVER_EXIT_OK)
		exit_code = serve(&server, &signals, port_file);
	stop(&server, exit_code);
	watchdog_stop(server.watchdog);
	log_event(LOG_NOTICE, "stopped", LOG_NUMBER("exit", exit_code));
	return exit_code;
}
