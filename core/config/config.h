/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the configuration of one server, typed and checked; made by config_load() from a YAML file.
 */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include "core/base/arena.h"
#include "core/base/log.h"

#include <pep/plugin.h>

/* Where a value stands, for messages: "conf/pep.yaml:12:3". line 0: a default or the environment. */
struct config_place {
	const char *file;
	unsigned line, column; /* from 1 */
};

/* One option of a plugin as written; its meaning is the plugin's (core/config/options.h). */
struct config_option {
	const char *key, *value;
	bool is_secret_source; /* the value has the form file:PATH or ${NAME}; a literal one must never be shown before its type is known */
	struct config_place key_place, value_place;
	struct config_option *next;
};

/* A plugin to open: `name` is the instance's (for an exporter, what the URL says). */
struct config_instance {
	const char *name, *plugin;
	struct config_place place; /* of the plugin's name */
	struct config_option *options;
	bool is_push; /* an exporter that is a subscriber */
};

/* A subscriber: an exporter that is told of each identity as it is deployed. */
struct config_push {
	struct config_instance instance;
	unsigned attempts;   /* of one identity that the other side refuses, before it is set aside */
	bool from_beginning; /* at the very first start: what was deployed before, too */
	struct config_place attempts_place, from_place;
};

enum config_tls { CONFIG_TLS_1_2, CONFIG_TLS_1_3 };

enum config_serials { CONFIG_SERIALS_PRINTABLE, CONFIG_SERIALS_LEGACY };

struct config_network { /* of gateways: an address and its prefix, IPv4 as v4-mapped IPv6 */
	unsigned char address[16];
	unsigned prefix; /* bits of the 128 */
};

struct config {
	struct arena arena; /* owns every text below */
	/* server: */
	const char *name; /* of this server, on every record that it claims; default: the host's name */
	const char *listen;
	uint16_t port;
	unsigned http_threads, connections, connections_per_address, workers, worker_queue, injections, injection_queue,
		event_clients;
	int64_t header_timeout_ms, idle_timeout_ms, drain_timeout_ms;
	const char *data_dir; /* spool, lock, and relative paths of plugins; made if absent */
	const char *plugin_dir;
	/* log: */
	int log_level;
	enum log_format log_format;
	bool access_log;
	/* identity: what is taken where a request says nothing, and what a request may say */
	const char *hardware_version, *radio_config, *led_config, *category, *api_address, *gateway_services_address;
	uint16_t gateway_port;
	enum config_serials serials;
	const char *serial_pattern; /* POSIX extended regular expression over the whole serial; NULL: none */
	uint16_t lowest_gateway_port, highest_gateway_port;
	struct config_network *networks; /* where gateways may be */
	size_t network_count;
	/* access: who is let in (core/access) */
	const char *access_tokens; /* the file of those who are; NULL: none */
	bool anonymous_provision;  /* whoever is in these networks may have gateways provisioned */
	struct config_network *anonymous_networks;
	size_t anonymous_network_count;
	unsigned requests_per_second, request_burst; /* of a token, or of an address that has none; 0: any */
	unsigned failures_per_minute;                /* of an address: answered with what is wrong with the token */
	/* tls: */
	const char *tls_certificate, *tls_key, *tls_client_ca; /* files; NULL: none. Without a certificate, plain HTTP */
	enum config_tls tls_minimum;
	/* orders: */
	bool orders_required; /* without an order nothing is expected */
	/* injection: */
	int64_t injection_timeout_ms; /* one injection, from connect to the last answer */
	int64_t lease_ms;             /* how long a claim holds without news; more than injection_timeout_ms */
	int64_t recovery_interval_ms; /* how often expired leases and the spool are looked at */
	struct config_instance storage, injector;
	struct config_instance *exporters;
	size_t exporter_count;
	struct config_push *pushes;
	size_t push_count;
	const struct config_place *places; /* of the server's own keys, in the order of core/config/schema.h; for --print-config */
};

/* Where a configuration comes from: defaults, then the file, then PEP_SERVER_PORT, then the settings; the later one wins. */
struct config_source {
	const char *path;            /* NULL: no file */
	const char *const *settings; /* "SECTION.KEY=VALUE", checked like the file; lists are written with commas */
	size_t setting_count;
	bool injector_is_optional; /* for questions that need no injector; config->injector.plugin is then NULL if none is named */
};

/* Read and check `path`. On failure *err says "FILE:LINE:COLUMN: what, and what to do". PEP_SERVER_PORT in the environment wins over
 * the port. *ret_config is the caller's, to be freed with config_free(). [main thread] */
pep_status config_load(const char *path, struct config **ret_config, struct pep_error *err);
/* The same from any source. [main thread] */
pep_status config_load_from(const struct config_source *source, struct config **ret_config, struct pep_error *err);
/* NULL is fine. Wipes secrets. */
void config_free(struct config *config);

#endif
