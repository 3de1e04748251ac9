/* SPDX-License-Identifier: Apache-2.0 */
#include "core/server_parts.h"

#include "core/access/admission.h"
#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/server.h"
#include "core/service/audit.h"
#include "core/service/audit_settled.h"
#include "core/service/cursor.h"
#include "core/service/orders.h"
#include "core/service/push.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int server_refuse(const struct pep_error *err, int exit_code)
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

int server_start(struct server *server)
{
	const struct config *config = server->config;
	struct pep_error err = {0};
	pep_status status = make_folder(config->data_dir, &err);

	owner_make(config->name, server->owner);
	if (status == PEP_OK && access_open(config, &server->access, &err) != PEP_OK)
		return server_refuse(&err, SERVER_EXIT_CONFIG);
	if (status == PEP_OK && open_tls(config, &server->tls, &err) != PEP_OK)
		return server_refuse(&err, SERVER_EXIT_CONFIG);
	if (status == PEP_OK)
		status = open_spool(server, &err);
	if (status == PEP_OK)
		status = open_pending(server, &err);
	if (status == PEP_OK)
		status = open_audit(server, &err);
	if (status == PEP_OK)
		status = storage_open(&server->plugins, &config->storage, &server->storage, &err);
	if (status != PEP_OK)
		return server_refuse(&err, SERVER_EXIT_DATA);
	status = injector_open(&server->plugins, &config->injector, &server->injector, &err);
	if (status == PEP_OK)
		status = open_exporters(server, &err);
	if (status == PEP_OK)
		status = open_orders(server, &err);
	if (status == PEP_OK)
		status = push_open(&server->plugins, config, server->storage, server->owner, &server->push, &err);
	if (status != PEP_OK)
		return server_refuse(&err, SERVER_EXIT_CONFIG);
	status = start_service(server, &err);
	if (status != PEP_OK)
		return server_refuse(&err, SERVER_EXIT_DATA);
	status = start_looking(server, &err);
	if (status == PEP_OK)
		status = start_api(server, &err);
	return status == PEP_OK ? SERVER_EXIT_OK
				: server_refuse(&err, status == PEP_INVALID ? SERVER_EXIT_CONFIG : SERVER_EXIT_LISTEN);
}

/* --- stop: nothing new, let what runs end, then close in reverse order --- */

void server_stop(struct server *server, int exit_code)
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
