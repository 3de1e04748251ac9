/* SPDX-License-Identifier: Apache-2.0
 *
 * checkup_health.c - what a server can live with, and a person should know.
 */
#include "core/checkup.h"

#include "core/access/access.h"
#include "core/base/cleanup.h"
#include "core/config/network.h"
#include "core/http/tls.h"
#include "core/server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MIB ((uint64_t)1024 * 1024)
#define DAY_S 86400
#define FILES_PER_CONNECTION 4u /* as listener_start() wants them: with those of gateways, store and logs */

struct health {
	const struct config *config;
	checkup_report report;
	void *context;
};

__attribute__((format(printf, 4, 5))) static void say(const struct health *health, enum checkup_level level, const char *name,
						      const char *format, ...)
{
	char text[512];
	const struct checkup_finding finding = {
		.level = level, .name = name, .text = text, .exit_code = level == CHECKUP_FAILED ? SERVER_EXIT_OTHER : 0};
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	health->report(health->context, &finding);
}

static void check_room(const struct health *health)
{
	struct statvfs room;
	uint64_t free_mib;

	if (statvfs(health->config->data_dir, &room) != 0)
		return; /* checkup_start() has said so */
	free_mib = (uint64_t)room.f_bavail * room.f_frsize / MIB;
	if (room.f_flag & ST_RDONLY)
		say(health, CHECKUP_FAILED, "disk", "the file system of the data folder is read-only; mount it for writing");
	else if (free_mib < 64 || room.f_favail == 0)
		say(health, CHECKUP_FAILED, "disk", "%llu MiB are free; make room, or nothing can be recorded",
		    (unsigned long long)free_mib);
	else
		say(health, free_mib < 1024 ? CHECKUP_WARNING : CHECKUP_GOOD, "disk", "%llu MiB are free%s",
		    (unsigned long long)free_mib, free_mib < 1024 ? "; a million identities take about 1000" : "");
}

static void check_limits(const struct health *health)
{
	struct rlimit files = {0};

	(void)getrlimit(RLIMIT_NOFILE, &files);
	/* Up to the hard limit the server helps itself. */
	if (files.rlim_max < (rlim_t)FILES_PER_CONNECTION * health->config->connections)
		say(health, CHECKUP_FAILED, "limits",
		    "%llu files may be open, too few for %u connections; set LimitNOFILE (or ulimit -n) to %u, or "
		    "server.connections lower",
		    (unsigned long long)files.rlim_max, health->config->connections,
		    FILES_PER_CONNECTION * health->config->connections);
	else
		say(health, CHECKUP_GOOD, "limits", "enough files may be open");
	if (geteuid() == 0)
		say(health, CHECKUP_WARNING, "user",
		    "this is root; the server needs no rights at all, run it (and this) as a user of its own");
}

/* Certificates and records carry its time. */
static void check_clock(const struct health *health)
{
	time_t now_s = time(NULL);

	if (now_s < (time_t)56 * 365 * DAY_S) /* 2026 */
		say(health, CHECKUP_FAILED, "clock", "it shows a time before 2026; set it, and have it set by NTP");
	else
		say(health, CHECKUP_GOOD, "clock", "it is set");
}

static void check_certificate(const struct health *health)
{
	const struct config *config = health->config;
	const struct tls_settings settings = {.certificate = config->tls_certificate,
					      .key = config->tls_key,
					      .client_ca = config->tls_client_ca,
					      .only_1_3 = config->tls_minimum == CONFIG_TLS_1_3};
	struct pep_error err = {0};
	struct tls *tls = NULL;
	int64_t left_s;

	if (!config->tls_certificate || tls_open(&settings, &tls, &err) != PEP_OK)
		return;
	left_s = tls_expires_s(tls) - (int64_t)time(NULL);
	tls_close(tls);
	if (left_s <= 0)
		say(health, CHECKUP_FAILED, "certificate",
		    "the server's certificate has ended; make another (pep-server tls init)");
	else
		say(health, left_s < (int64_t)30 * DAY_S ? CHECKUP_WARNING : CHECKUP_GOOD, "certificate",
		    "the server's certificate ends in %lld days%s", (long long)(left_s / DAY_S),
		    left_s < (int64_t)30 * DAY_S ? "; have another in time, and reload" : "");
}

static void check_plain(const struct health *health)
{
	if (health->config->tls_certificate)
		return; /* checkup_start() has said more */
	if (access_is_local(health->config))
		say(health, CHECKUP_GOOD, "tls", "plain HTTP, and only this machine gets to it");
	else
		say(health, CHECKUP_WARNING, "tls",
		    "plain HTTP on %s: who listens on the network reads tokens and identities; set tls.certificate (pep-server tls "
		    "init makes it)",
		    health->config->listen);
}

/* Files that the server put there for its next start, or for a person. */
static void check_waiting(const struct health *health, const char *name, const char *why)
{
	AUTO(free_ptr) char *folder = NULL;
	const struct dirent *entry;
	unsigned count = 0;
	DIR *files;

	if (asprintf(&folder, "%s/%s", health->config->data_dir, name) < 0) {
		folder = NULL;
		return;
	}
	files = opendir(folder);
	if (!files)
		return;
	while ((entry = readdir(files)))
		count += entry->d_name[0] != '.' && strcmp(entry->d_name, "lock") != 0;
	(void)closedir(files);
	if (count)
		say(health, CHECKUP_WARNING, name, "%u %s", count, why);
	else
		say(health, CHECKUP_GOOD, name, "nothing waits");
}

static void check_port(const struct health *health)
{
	const struct config *config = health->config;
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(config->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(config->port)};
	bool is_v4 = inet_pton(AF_INET, config->listen, &v4.sin_addr) == 1;
	int on = 1, code = 0;
	AUTO(close_fd) int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || (!is_v4 && inet_pton(AF_INET6, config->listen, &v6.sin6_addr) != 1))
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	code = is_v4 ? bind(fd, (struct sockaddr *)&v4, sizeof(v4)) : bind(fd, (struct sockaddr *)&v6, sizeof(v6));
	if (code == 0)
		say(health, CHECKUP_GOOD, "port", "%s port %u is free", config->listen, (unsigned)config->port);
	else if (errno == EADDRINUSE)
		say(health, CHECKUP_WARNING, "port", "%s port %u is taken; fine if it is by this server (ss -ltnp says by whom)",
		    config->listen, (unsigned)config->port);
	else
		say(health, CHECKUP_FAILED, "port",
		    "%s port %u cannot be listened on: %s; set server.listen to an address of this machine", config->listen,
		    (unsigned)config->port, strerror(errno));
}

static void check_choices(const struct health *health)
{
	const struct config *config = health->config;
	unsigned char loopback[16];

	if (strcmp(config->injector.plugin, "mock") == 0)
		say(health, CHECKUP_WARNING, "mock",
		    "the injector is for trying out: no gateway ever gets the identities that it hands out; name fcc or fcu");
	if (config->anonymous_provision)
		say(health, CHECKUP_WARNING, "anonymous",
		    "whoever is in access.anonymous_networks gets identities without a token; give the stations tokens");
	for (size_t i = 0; i < config->network_count; i++)
		if (network_is_everything(&config->networks[i])) {
			say(health, CHECKUP_WARNING, "networks",
			    "gateways may be anywhere; narrow identity.networks to the line's");
			return;
		}
	if (strcmp(config->injector.plugin, "mock") != 0 && network_address("127.0.0.1", loopback) &&
	    network_contains(config->networks, config->network_count, loopback))
		say(health, CHECKUP_WARNING, "networks",
		    "gateways may be on this machine, so stations can have its other services connected to; unless they are "
		    "simulated, "
		    "narrow identity.networks to the line's");
}

void checkup_health(const struct config *config, checkup_report report, void *context)
{
	const struct health health = {.config = config, .report = report, .context = context};

	check_room(&health);
	check_limits(&health);
	check_clock(&health);
	check_certificate(&health);
	check_plain(&health);
	check_waiting(&health, "spool", "delivered identities wait for the store; start the server, it stores them");
	check_waiting(&health, "pending", "attempts of an earlier server wait to be adopted; start the server");
	check_port(&health);
	check_choices(&health);
}
