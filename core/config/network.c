/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/network.h"

#include "core/base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_mapped(const unsigned char address[16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool network_address(const char *text, unsigned char ret_address[16])
{
	unsigned char address[16];

	memcpy(address, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, address + sizeof(mapped)) != 1 && inet_pton(AF_INET6, text, address) != 1)
		return false;
	memcpy(ret_address, address, sizeof(address));
	return true;
}

/* Do the first `prefix` bits agree? */
static bool prefix_equal(const unsigned char *a, const unsigned char *b, unsigned prefix)
{
	unsigned whole = prefix / 8;
	unsigned char mask = (unsigned char)(0xff00u >> (prefix % 8));

	return memcmp(a, b, whole) == 0 && (!mask || ((a[whole] ^ b[whole]) & mask) == 0);
}

static bool has_bits_behind(const struct config_network *network)
{
	struct config_network clean = *network;

	for (unsigned bit = network->prefix; bit < 128; bit++)
		clean.address[bit / 8] &= (unsigned char)~(0x80u >> (bit % 8));
	return memcmp(clean.address, network->address, sizeof(clean.address)) != 0;
}

bool network_read(const char *text, struct config_network *ret_network, const char **ret_why)
{
	char address[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	struct config_network network;
	unsigned family_bits;
	int64_t prefix;

	*ret_why = "is not a network; write it like 192.168.0.0/16 or fc00::/7";
	if (size >= sizeof(address))
		return false;
	memcpy(address, text, size);
	address[size] = '\0';
	if (!network_address(address, network.address))
		return false;
	family_bits = strchr(address, ':') ? 128 : 32;
	prefix = family_bits;
	*ret_why = family_bits == 32 ? "needs a prefix of 0 to 32 bits" : "needs a prefix of 0 to 128 bits";
	if (slash && !text_to_number(slash + 1, 0, family_bits, &prefix))
		return false;
	network.prefix = 128 - family_bits + (unsigned)prefix;
	*ret_why = "has bits behind its prefix; write the first address of the network";
	if (has_bits_behind(&network))
		return false;
	*ret_network = network;
	return true;
}

bool network_contains(const struct config_network *networks, size_t count, const unsigned char address[16])
{
	for (size_t i = 0; i < count; i++) {
		/* ::/0 is every IPv6 address, not every IPv4 address that we keep as one. */
		if (networks[i].prefix < 96 && is_mapped(address))
			continue;
		if (prefix_equal(networks[i].address, address, networks[i].prefix))
			return true;
	}
	return false;
}

bool network_is_everything(const struct config_network *network)
{
	return network->prefix == 0 || (network->prefix == 96 && is_mapped(network->address));
}

void network_write(const struct config_network *network, char ret_text[64])
{
	bool is_ipv4 = network->prefix >= 96 && is_mapped(network->address);
	char address[INET6_ADDRSTRLEN];

	if (!inet_ntop(is_ipv4 ? AF_INET : AF_INET6, network->address + (is_ipv4 ? sizeof(mapped) : 0), address, sizeof(address)))
		address[0] = '\0';
	(void)snprintf(ret_text, 64, "%s/%u", address, network->prefix - (is_ipv4 ? 96 : 0));
}
