/* SPDX-License-Identifier: Apache-2.0
 *
 * notify.h - tells systemd how this service is: sd_notify(3), whose protocol is a datagram of lines to the socket that NOTIFY_SOCKET names.
 * Without that variable nothing is told.
 */
#ifndef CORE_BASE_NOTIFY_H
#define CORE_BASE_NOTIFY_H

#include <stdint.h>

/* Send "NAME=value" lines, without the end of the last one. Never waits; what cannot be sent is lost. Reads the environment.
 * [any thread] */
__attribute__((format(printf, 1, 2))) void notify_send(const char *format, ...);

/* How often, in ms, systemd wants to hear WATCHDOG=1 from this process at the least (WATCHDOG_USEC, WATCHDOG_PID); 0: never.
 * [any thread] */
int64_t notify_watchdog_ms(void);

#endif
