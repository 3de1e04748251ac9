/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/endpoint.h"

#include "core/base/cleanup.h"
#include "core/config/network.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* No gateway is ever there. As network_read() would make them; IPv4 is v4-mapped. */
#define V4(a, b, bits)                                                                               \
	{                                                                                            \
		.address = {[10] = 0xff, [11] = 0xff, [12] = (a), [13] = (b)}, .prefix = 96 + (bits) \
	}
static const struct config_network never_single[] = {
	V4(0, 0, 8),                                                     /* this network */
	V4(224, 0, 4),                                                   /* multicast */
	V4(240, 0, 4),                                                   /* reserved, and broadcast */
	{.address = {0}, .prefix = 96},                                  /* unspecified, and IPv4 as it was once written; not ::1 */
	{.address = {[0] = 0xff}, .prefix = 8},                          /* multicast */
	{.address = {[1] = 0x64, [2] = 0xff, [3] = 0x9b}, .prefix = 32}, /* translated IPv4 (RFC 6052): a way around the list */
};
static const struct config_network link_local[] = {
	V4(169, 254, 16),
	{.address = {[0] = 0xfe, [1] = 0x80}, .prefix = 10},
};
static const struct config_network loopback[] = {
	V4(127, 0, 8),
	{.address = {[15] = 1}, .prefix = 128},
};
#undef V4
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANY_PORT 9 /* nothing is sent */

static bool is_loopback(const unsigned char address[16])
{
	return network_contains(loopback, COUNT(loopback), address);
}

/* What the kernel would send from to get there: to an address of its own, from that address. Not bind(): that takes any where
 * net.ipv4.ip_nonlocal_bind is set, as it is beside a shared address. */
static bool is_of_this_host(const unsigned char address[16])
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(ANY_PORT)};
	struct sockaddr_in old_name = {.sin_family = AF_INET, .sin_port = htons(ANY_PORT)};
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} own = {0};
	socklen_t size = sizeof(own);
	bool is_v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)address);
	AUTO(close_fd) int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return true; /* not known: better refused than connected to ourselves */
	memcpy(&name.sin6_addr, address, sizeof(name.sin6_addr));
	memcpy(&old_name.sin_addr, address + 12, sizeof(old_name.sin_addr));
	if ((is_v4 ? connect(fd, (struct sockaddr *)&old_name, sizeof(old_name))
		   : connect(fd, (struct sockaddr *)&name, sizeof(name))) != 0 ||
	    getsockname(fd, &own.any, &size) != 0)
		return false; /* there is no way there, least of all to ourselves */
	return is_v4 ? memcmp(&own.v4.sin_addr, address + 12, 4) == 0 : memcmp(&own.v6.sin6_addr, address, 16) == 0;
}

static bool refuse(struct endpoint_fault *ret_fault, const char *field, const char *why)
{
	*ret_fault = (struct endpoint_fault){.field = field, .why = why};
	return false;
}

bool endpoint_is_allowed(const struct config *config, const unsigned char address[16], uint16_t port, uint16_t own_port,
			 struct endpoint_fault *ret_fault)
{
	if (!is_loopback(address) && network_contains(never_single, COUNT(never_single), address))
		return refuse(ret_fault, "ip", "this is not the address of one host");
	if (network_contains(link_local, COUNT(link_local), address))
		return refuse(ret_fault, "ip", "this address is link-local; give the gateway one of the line's network");
	if (!network_contains(config->networks, config->network_count, address))
		return refuse(
			ret_fault, "ip",
			"no gateway may be at this address; identity.networks in the server's configuration says where they are");
	if (port < config->lowest_gateway_port || port > config->highest_gateway_port)
		return refuse(
			ret_fault, "port",
			"no gateway may be at this port; identity.lowest_gateway_port and highest_gateway_port in the server's "
			"configuration say which");
	if (port == own_port && is_loopback(address))
		return refuse(ret_fault, "port", "this is the server itself");
	if (!is_loopback(address) && is_of_this_host(address))
		return refuse(ret_fault, "ip", "this is an address of the server's own machine; give the gateway's");
	return true;
}
