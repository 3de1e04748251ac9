/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/schema.h"

#include <string.h>

#define HOUR INT64_C(3600000) /* milliseconds */

static const struct schema_choice levels[] = {
	{"error", LOG_ERR}, {"warning", LOG_WARNING}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {NULL, 0},
};
static const struct schema_choice formats[] = {{"logfmt", LOG_FORMAT_LOGFMT}, {"json", LOG_FORMAT_JSON}, {NULL, 0}};
static const struct schema_choice serials[] = {
	{"printable", CONFIG_SERIALS_PRINTABLE},
	{"legacy", CONFIG_SERIALS_LEGACY},
	{NULL, 0},
};

static const struct schema_choice tls_versions[] = {{"1.2", CONFIG_TLS_1_2}, {"1.3", CONFIG_TLS_1_3}, {NULL, 0}};

#define KEY(section_, name_, type_, fallback_, min_, max_, member, help_)                                      \
	{                                                                                                      \
		section_, name_, type_, fallback_, min_, max_, NULL, offsetof(struct config, member), 0, help_ \
	}
#define CHOICE(section_, name_, fallback_, choices_, member, help_)                                                  \
	{                                                                                                            \
		section_, name_, SCHEMA_CHOICE, fallback_, 0, 0, choices_, offsetof(struct config, member), 0, help_ \
	}
#define NETWORKS(section_, name_, fallback_, member, count, help_)                                        \
	{                                                                                                 \
		section_, name_, SCHEMA_NETWORKS, fallback_, 0, 0, NULL, offsetof(struct config, member), \
			offsetof(struct config, count), help_                                             \
	}

const struct schema_key schema_keys[] = {
	KEY("server", "name", SCHEMA_HOST, NULL, 1, 64, name,
	    "this server's name on every record that it claims; unique per store"),
	KEY("server", "listen", SCHEMA_ADDRESS, "127.0.0.1", 0, 0, listen, "numeric address to listen on; 0.0.0.0 and :: are all"),
	KEY("server", "port", SCHEMA_PORT, "5151", 0, 65535, port, "TCP port; 0 takes a free one; PEP_SERVER_PORT wins over it"),
	KEY("server", "http_threads", SCHEMA_COUNT, "2", 1, 64, http_threads, "threads that read requests and write replies"),
	KEY("server", "connections", SCHEMA_COUNT, "512", 1, 100000, connections, "connections at the same time"),
	KEY("server", "connections_per_address", SCHEMA_COUNT, "128", 1, 100000, connections_per_address,
	    "of these from one address"),
	KEY("server", "workers", SCHEMA_COUNT, "4", 1, 256, workers, "threads for requests that wait for storage"),
	KEY("server", "worker_queue", SCHEMA_COUNT, "128", 1, 100000, worker_queue, "requests that may wait for a worker"),
	KEY("server", "injections", SCHEMA_COUNT, "64", 1, 4096, injections, "gateways provisioned at the same time"),
	KEY("server", "injection_queue", SCHEMA_COUNT, "128", 1, 100000, injection_queue,
	    "requests that may wait for their turn to be provisioned"),
	KEY("server", "event_clients", SCHEMA_COUNT, "64", 1, 10000, event_clients,
	    "who may watch /events at the same time; at most a quarter of connections"),
	KEY("server", "header_timeout", SCHEMA_SPAN, "10s", 100, HOUR, header_timeout_ms,
	    "for a request's headers and body to arrive"),
	KEY("server", "idle_timeout", SCHEMA_SPAN, "15s", 100, HOUR, idle_timeout_ms,
	    "until a connection without traffic is closed"),
	KEY("server", "drain_timeout", SCHEMA_SPAN, "30s", 0, HOUR, drain_timeout_ms,
	    "for exports under way when stopping; injections are always finished"),
	KEY("server", "data_dir", SCHEMA_PATH, "/var/lib/pep", 1, 1024, data_dir,
	    "folder of spool, lock and the plugins' relative paths; made if absent"),
	KEY("server", "plugin_dir", SCHEMA_PATH, PEP_PLUGIN_DIR, 1, 1024, plugin_dir, "folder of the plugins"),
	CHOICE("log", "level", "info", levels, log_level, "the least important lines to write"),
	CHOICE("log", "format", "logfmt", formats, log_format, "how lines are written to standard error"),
	KEY("log", "access", SCHEMA_BOOL, "true", 0, 0, access_log, "one line per request"),
	KEY("access", "tokens", SCHEMA_PATH, NULL, 1, 1024, access_tokens,
	    "file of those who are let in: pep-server token add makes it; without it, listen on loopback only"),
	KEY("access", "anonymous_provision", SCHEMA_BOOL, "false", 0, 0, anonymous_provision,
	    "whoever is in anonymous_networks may have gateways provisioned, without a token"),
	NETWORKS("access", "anonymous_networks", NULL, anonymous_networks, anonymous_network_count,
		 "where those without a token may be"),
	KEY("access", "requests_per_second", SCHEMA_COUNT, "100", 0, 100000, requests_per_second,
	    "of one token, or of one address without; more are answered with 429; 0 is any"),
	KEY("access", "burst", SCHEMA_COUNT, "500", 1, 1000000, request_burst, "requests at once that are no more than this"),
	KEY("access", "failures_per_minute", SCHEMA_COUNT, "10", 1, 100000, failures_per_minute,
	    "wrong tokens from one address that are answered with 401; more with 429"),
	KEY("tls", "certificate", SCHEMA_PATH, NULL, 1, 1024, tls_certificate,
	    "PEM file: the server's certificate and those between it and its authority; without it, plain HTTP"),
	KEY("tls", "key", SCHEMA_PATH, NULL, 1, 1024, tls_key, "PEM file: its private key; nobody else may read it"),
	KEY("tls", "client_ca", SCHEMA_PATH, NULL, 1, 1024, tls_client_ca,
	    "PEM file: who signs the certificates that clients may show"),
	CHOICE("tls", "minimum", "1.2", tls_versions, tls_minimum, "the oldest version of TLS: 1.2 or 1.3"),
	KEY("identity", "hardware_version", SCHEMA_TEXT, "izuma-edge-gateway", 1, 128, hardware_version,
	    "where a request says nothing"),
	KEY("identity", "radio_config", SCHEMA_TEXT, "00", 1, 128, radio_config, "where a request says nothing"),
	KEY("identity", "led_config", SCHEMA_TEXT, "01", 1, 128, led_config, "where a request says nothing"),
	KEY("identity", "category", SCHEMA_TEXT, "production", 1, 128, category, "where a request says nothing"),
	KEY("identity", "api_address", SCHEMA_URL, "https://api.us-east-1.mbedcloud.com", 1, 256, api_address,
	    "where a request says nothing"),
	KEY("identity", "gateway_services_address", SCHEMA_URL, "https://gateways.us-east-1.mbedcloud.com", 1, 256,
	    gateway_services_address, "where a request says nothing"),
	KEY("identity", "gateway_port", SCHEMA_PORT, "7777", 1, 65535, gateway_port, "where a request says nothing"),
	KEY("identity", "lowest_gateway_port", SCHEMA_PORT, "1", 1, 65535, lowest_gateway_port,
	    "no lower one is ever connected to"),
	KEY("identity", "highest_gateway_port", SCHEMA_PORT, "65535", 1, 65535, highest_gateway_port, "no higher one"),
	CHOICE("identity", "serials", "printable", serials, serials,
	       "printable: ASN.1 PrintableString and _; legacy: any text without control characters"),
	KEY("identity", "serial_pattern", SCHEMA_PATTERN, NULL, 1, 1024, serial_pattern,
	    "POSIX extended regular expression that the whole serial must match"),
	NETWORKS("identity", "networks", "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 127.0.0.0/8, ::1, fc00::/7", networks,
		 network_count, "where gateways may be: no other address is ever connected to"),
	KEY("orders", "required", SCHEMA_BOOL, "false", 0, 0, orders_required,
	    "true: no serial is expected without an order; false: any is, while there are no orders"),
	KEY("injection", "timeout", SCHEMA_SPAN, "60s", 100, HOUR, injection_timeout_ms,
	    "one injection, from connect to the last answer"),
	KEY("injection", "lease", SCHEMA_SPAN, "120s", 200, 24 * HOUR, lease_ms,
	    "how long a claim holds without news; more than timeout"),
	KEY("injection", "recovery_interval", SCHEMA_SPAN, "5s", 10, HOUR, recovery_interval_ms,
	    "how often expired leases and the spool are looked at"),
};
const size_t schema_count = sizeof(schema_keys) / sizeof(schema_keys[0]);

const char *const schema_sections[] = {"server",    "log",     "access",   "tls",       "identity", "orders",
				       "injection", "storage", "injector", "exporters", "push",     NULL};

const struct schema_key *schema_find(const char *section, const char *name)
{
	for (size_t i = 0; i < schema_count; i++)
		if (strcmp(schema_keys[i].section, section) == 0 && strcmp(schema_keys[i].name, name) == 0)
			return &schema_keys[i];
	return NULL;
}
