/* SPDX-License-Identifier: Apache-2.0
 *
 * print.h - what pep-fcc-sim says on standard output: lines for people, as FCC prints them, or JSON. Each call is one write, so lines
 * of several threads do not mix. [any thread]
 */
#ifndef FCC_SIM_PRINT_H
#define FCC_SIM_PRINT_H

#include "fcc-sim/device.h"
#include "fcc-sim/options.h"

/* The address line, which tools look for; with several devices the serial number stands before it. */
void print_listening(const struct options *options, const char *serial, const struct device *device);
/* How a life ended, as JSON or (of several devices that work as no line) in words; with --print what was accepted. Private keys are
 * not shown. */
void print_ended(const struct options *options, const char *serial, const struct device *device, int exit_code);

/* The enrollment identity of the device certificate that is stored: "A-" and 32 pairs of hex digits, or "" if there is none. */
enum { PRINT_ENROLLMENT_SIZE = 98 };
void print_enrollment(const struct store *store, char ret_id[PRINT_ENROLLMENT_SIZE]);

#endif
