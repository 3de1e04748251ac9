/* SPDX-License-Identifier: Apache-2.0
 *
 * facts.h - what the gateway knows about itself: serial number, address, MACs. Reads only.
 */
#ifndef CLI_PROVISION_FACTS_H
#define CLI_PROVISION_FACTS_H

#include "cli/exit.h"

#include <stdbool.h>
#include <stddef.h>

enum { FACTS_SERIAL_ROOM = 65, FACTS_MAC_MAX = 8 };

struct facts {
	char serial[FACTS_SERIAL_ROOM];
	char serial_source[256]; /* where it is from, for people */
	char address[46];        /* "": not known */
	char interface[32];      /* that has the address; "": not known */
	char ethernet_mac[32];   /* as the server takes it, "2,0,0,0,0,1"; "": none */
	char sixb_mac[48];       /* the 8 bytes of an IEEE 802.15.4 radio; "": none */
};

/* NULL: `serial` can be an endpoint name, or why not: 1 to 64 bytes of PrintableString (X.680 41.4) and _, no blank at its ends, no
 * placeholder that a board maker left in. */
const char *facts_serial_fault(const char *serial);
/* The serial number: `given`, or the first line of `file`, or the first good one of the kernel's (device tree, DMI, cpuinfo) below
 * `root`. EXIT_CONFIGURATION: none, or a bad one; the message names what was looked at. */
int facts_read_serial(const char *root, const char *given, const char *file, struct facts *facts, struct failure *err);
/* Our address on the way to a server (a host and port as in a URL), and its interface. Nothing is sent. False: there is no way. */
bool facts_read_address(const char *host, const char *port, struct facts *facts);
/* The MAC of `interface`, or of the first wired one, and of the first IEEE 802.15.4 radio, from ROOT/sys/class/net. */
void facts_read_macs(const char *root, const char *interface, struct facts *facts);
/* "02:00:00:00:00:01", also with - or nothing between, of `count` bytes, as the server takes it. False: it is none, or zero. */
bool facts_mac(const char *text, size_t count, char *ret_numbers, size_t room);

#endif
