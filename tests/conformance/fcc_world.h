/* SPDX-License-Identifier: Apache-2.0
 *
 * fcc_world.h - simulated gateways (fcc-sim) in this process. As on a line, each injection meets a process of its own on a port of its
 * own. What stands before a space in a serial number is a fault of fault.h, as in "drop:0:2 gw-7"; or "busy", a gateway whose queue is
 * full: one more connection neither succeeds nor fails. [any thread]
 */
#ifndef CONFORMANCE_FCC_WORLD_H
#define CONFORMANCE_FCC_WORLD_H

#include "injector_suite.h"

/* One more gateway with this serial number waits for its tool; returns its port. Ends the test program if it cannot. */
uint16_t fcc_world_start(const char *serial);
/* Ends the one that was started last, after it has read all that was sent to it, and asks what became of it. */
void fcc_world_look(const char *serial, struct injector_view *ret_view);
/* Ends all. */
void fcc_world_fini(void);

#endif
