/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h - what the factory configurator client (FCC) on a gateway would refuse, asked before anything is sent: its first message
 * erases the gateway. Pure functions, also used by `pep-server import-fcu`. [any thread]
 */
#ifndef FCC_RULES_H
#define FCC_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* A name in a certificate (X.520) and an endpoint name of the device client both end here. */
#define RULES_SERIAL_SIZE 64
/* The earliest time, in seconds since 1970, that a gateway takes for its clock. */
#define RULES_EARLIEST_S 1483264800

/* Of an item in a gateway's store. */
#define RULES_NAME_SIZE 100

/* 0 to 15; negative: not a hex digit. */
int rules_hex_value(char digit);

/* RFC 4122 text form, either case. */
bool rules_uuid(const char *text, uint8_t ret_uuid[16]);

/* "+hh:mm" or "-hh:mm". */
bool rules_utc_offset(const char *text);

/* What follows "?aid=" or "&aid=", up to the end of the address as FCC takes it; NULL: there is none. */
const char *rules_account_of(const char *uri);

/* Server address. NULL: FCC takes it; else why not, for the end of a sentence. */
const char *rules_uri_fault(const char *uri, bool first_to_claim);

/* Name of a parameter of the factory's own. NULL: a gateway stores it as that; else why not. */
const char *rules_parameter_fault(const char *name);

/* Serial number, which becomes endpoint name and certificate name. NULL: good; else why not. */
const char *rules_serial_fault(const char *serial, bool by_device);

#endif
