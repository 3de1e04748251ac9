/* SPDX-License-Identifier: Apache-2.0
 *
 * network.h - address ranges written as RFC 4632 and RFC 4291 do: "192.168.0.0/16", "fc00::/7", or a single address. [any thread]
 */
#ifndef CORE_CONFIG_NETWORK_H
#define CORE_CONFIG_NETWORK_H

#include "core/config/config.h"

/* An address as 16 bytes, IPv4 as v4-mapped IPv6. Numeric only, no leading zeros in IPv4, no zone. false: it is none. */
bool network_address(const char *text, unsigned char ret_address[16]);
/* A range. false: not one. *ret_why is then a piece of a sentence: "has bits behind the prefix; did you mean ...". */
bool network_read(const char *text, struct config_network *ret_network, const char **ret_why);
/* Is the address (as from network_address()) within one of the ranges? */
bool network_contains(const struct config_network *networks, size_t count, const unsigned char address[16]);
/* 0.0.0.0/0 or ::/0. */
bool network_is_everything(const struct config_network *network);
/* A range as text, IPv4 as IPv4. Room for 64 bytes is enough. */
void network_write(const struct config_network *network, char ret_text[64]);

#endif
