/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/discover.h"

#include "cli/interrupt.h"
#include "cli/provision/dns.h"
#include "core/base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#define SERVICE "_pep._tcp.local"
#define GROUP "224.0.0.251"
#define PORT 5353
#define AGAIN_MS 1000
#define LOOK_MS 200

/* A service whose records come one after the other, in any order. */
struct service {
	char name[DNS_NAME_ROOM], host[DNS_NAME_ROOM], txt[DNS_TXT_ROOM];
	uint16_t port;
	unsigned char address[4];
	bool has_txt, has_address, asked, asked_address;
};

struct search {
	int fd;
	struct sockaddr_in to;
	bool multicast;
	uint16_t id;
	struct service services[DISCOVER_MAX];
	size_t count;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool parse_at(const char *at, struct sockaddr_in *ret_address)
{
	const char *colon = strrchr(at, ':');
	char address[16], *end;
	long port;

	if (!colon || colon - at >= (ptrdiff_t)sizeof(address))
		return false;
	(void)snprintf(address, sizeof(address), "%.*s", (int)(colon - at), at);
	port = strtol(colon + 1, &end, 10);
	if (end == colon + 1 || *end || port < 1 || port > 65535)
		return false;
	ret_address->sin_family = AF_INET;
	ret_address->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, address, &ret_address->sin_addr) == 1;
}

static void send_query(struct search *search, const char *name, uint16_t type)
{
	unsigned char query[DNS_QUERY_ROOM];
	size_t size = dns_make_query(search->id, name, type, query);
	struct ifaddrs *list = NULL;

	if (!size)
		return;
	if (!search->multicast) {
		(void)sendto(search->fd, query, size, MSG_NOSIGNAL, (struct sockaddr *)&search->to, sizeof(search->to));
		return;
	}
	if (getifaddrs(&list) != 0)
		return;
	for (const struct ifaddrs *each = list; each; each = each->ifa_next) {
		if (!each->ifa_addr || each->ifa_addr->sa_family != AF_INET || !(each->ifa_flags & IFF_UP) ||
		    !(each->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK)))
			continue;
		if (setsockopt(search->fd, IPPROTO_IP, IP_MULTICAST_IF, &((struct sockaddr_in *)(void *)each->ifa_addr)->sin_addr,
			       sizeof(struct in_addr)) == 0)
			(void)sendto(search->fd, query, size, MSG_NOSIGNAL, (struct sockaddr *)&search->to, sizeof(search->to));
	}
	freeifaddrs(list);
}

static struct service *service_named(struct search *search, const char *name)
{
	for (size_t i = 0; i < search->count; i++)
		if (strcasecmp(search->services[i].name, name) == 0)
			return &search->services[i];
	return NULL;
}

/* Whether that is NAME._pep._tcp.local. */
static bool is_of_service(const char *name)
{
	size_t size = strlen(name), suffix = strlen("." SERVICE);

	return size > suffix && strcasecmp(name + size - suffix, "." SERVICE) == 0;
}

static struct service *add_service(struct search *search, const char *name)
{
	struct service *service = service_named(search, name);

	if (service || search->count == DISCOVER_MAX || !is_of_service(name))
		return service;
	service = &search->services[search->count++];
	(void)snprintf(service->name, sizeof(service->name), "%s", name);
	return service;
}

static void take_record(void *ctx, const struct dns_record *record)
{
	struct search *search = ctx;
	struct service *service = NULL;

	if (record->type == DNS_PTR && strcasecmp(record->name, SERVICE) == 0)
		(void)add_service(search, record->target);
	if (record->type == DNS_SRV || record->type == DNS_TXT)
		service = add_service(search, record->name);
	if (service && record->type == DNS_SRV) {
		(void)snprintf(service->host, sizeof(service->host), "%s", record->target);
		service->port = record->port;
	}
	if (service && record->type == DNS_TXT) {
		memcpy(service->txt, record->txt, sizeof(service->txt));
		service->has_txt = true;
	}
	for (size_t i = 0; record->type == DNS_A && i < search->count; i++)
		if (strcasecmp(search->services[i].host, record->name) == 0) {
			memcpy(search->services[i].address, record->address, 4);
			search->services[i].has_address = true;
		}
}

/* What an answer left out is asked for: once, as the whole query is repeated anyway. */
static void ask_for_rest(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		struct service *service = &search->services[i];

		if (!service->asked && (!service->port || !service->has_txt)) {
			service->asked = true;
			send_query(search, service->name, DNS_SRV);
			send_query(search, service->name, DNS_TXT);
		}
		if (!service->asked_address && service->host[0] && !service->has_address) {
			service->asked_address = true;
			send_query(search, service->host, DNS_A);
		}
	}
}

static void take_answer(struct search *search)
{
	unsigned char message[9000];
	ssize_t size = recv(search->fd, message, sizeof(message), MSG_DONTWAIT);

	if (size <= 0)
		return;
	/* Twice: an address may stand before the service that it is for. */
	for (int pass = 0; pass < 2; pass++)
		(void)dns_read(message, (size_t)size, search->id, take_record, search);
	ask_for_rest(search);
}

static bool is_whole(const struct service *service)
{
	return service->port && service->has_address && service->has_txt;
}

static const char *pin_of(const struct service *service)
{
	const char *pin = dns_txt_value(service->txt, "pin");

	return pin && strncmp(pin, "sha256//", 8) == 0 && strlen(pin) < sizeof(((struct discovered *)NULL)->pin) ? pin : "";
}

bool discover_has_pin(const char *list, const char *pin)
{
	size_t size = strlen(pin);

	for (const char *at = list; size && (at = strstr(at, pin)); at++)
		if ((at == list || at[-1] == ';') && (!at[size] || at[size] == ';'))
			return true;
	return false;
}

static bool has_wanted(const struct search *search, const char *wanted_pin)
{
	for (size_t i = 0; wanted_pin && i < search->count; i++)
		if (is_whole(&search->services[i]) && discover_has_pin(wanted_pin, pin_of(&search->services[i])))
			return true;
	return false;
}

static size_t give(const struct search *search, struct discovered ret_found[DISCOVER_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < search->count; i++) {
		const struct service *service = &search->services[i];
		struct discovered *found = &ret_found[count];
		const char *scheme = dns_txt_value(service->txt, "scheme");

		if (!is_whole(service))
			continue;
		(void)snprintf(found->name, sizeof(found->name), "%s", service->name);
		(void)inet_ntop(AF_INET, service->address, found->address, sizeof(found->address));
		found->port = service->port;
		(void)snprintf(found->scheme, sizeof(found->scheme), "%s",
			       scheme && strcmp(scheme, "http") == 0 ? "http" : "https");
		(void)snprintf(found->pin, sizeof(found->pin), "%s", pin_of(service));
		count++;
	}
	return count;
}

static int listen_for(struct search *search, const char *wanted_pin, int64_t limit_ms, struct failure *err)
{
	int64_t begin_ms = now_ms(), next_ms = begin_ms, now = begin_ms;
	struct pollfd socket_fd = {.fd = search->fd, .events = POLLIN};

	for (; now < begin_ms + limit_ms && !has_wanted(search, wanted_pin); now = now_ms()) {
		if (interrupt_signal())
			return interrupt_failure(err);
		if (now >= next_ms) {
			send_query(search, SERVICE, DNS_PTR);
			next_ms = now + AGAIN_MS;
		}
		if (poll(&socket_fd, 1, LOOK_MS) > 0)
			take_answer(search);
	}
	return EXIT_OK;
}

int discover(const char *at, const char *wanted_pin, int64_t limit_ms, struct discovered ret_found[DISCOVER_MAX], size_t *ret_count,
	     struct failure *err)
{
	AUTO(free_ptr) struct search *search = calloc(1, sizeof(*search));
	AUTO(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int code;

	if (!search || fd < 0)
		return failure_set(err, EXIT_OTHER, "no_network", "cannot look for a server: %s", strerror(errno));
	/* From a port of our own: answers then come to us alone (RFC 6762 6.7). */
	search->fd = fd;
	search->multicast = !at;
	if (getrandom(&search->id, sizeof(search->id), GRND_NONBLOCK) != (ssize_t)sizeof(search->id))
		search->id = (uint16_t)now_ms();
	if (at && !parse_at(at, &search->to))
		return failure_set(err, EXIT_CONFIGURATION, "configuration", "PEP_MDNS is no ADDRESS:PORT; unset it for %s:%d",
				   GROUP, PORT);
	if (!at) {
		search->to.sin_family = AF_INET;
		search->to.sin_port = htons(PORT);
		(void)inet_pton(AF_INET, GROUP, &search->to.sin_addr);
	}
	code = listen_for(search, wanted_pin, limit_ms, err);
	if (code == EXIT_OK)
		*ret_count = give(search, ret_found);
	return code;
}
