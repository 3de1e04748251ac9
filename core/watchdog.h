/* SPDX-License-Identifier: Apache-2.0
 *
 * watchdog.h - tells systemd, twice per WatchdogSec=, that the server still does its work; if it does not hear that, it starts a new one.
 */
#ifndef CORE_WATCHDOG_H
#define CORE_WATCHDOG_H

#include <pep/plugin.h>

struct watchdog;

/* Does the server do its work? NULL, or the part that does not, for the log. [the watchdog's thread] */
typedef const char *watchdog_look(void *context);

/* Start the thread that looks and tells. *ret_watchdog NULL: nobody wants to be told. [main thread] */
pep_status watchdog_start(watchdog_look *look, void *context, struct watchdog **ret_watchdog, struct pep_error *err);
/* From here on tell it without a look: what is looked at is being taken apart, for which systemd has another limit (TimeoutStopSec=).
 * Returns when no look is under way. NULL is fine. [main thread] */
void watchdog_relax(struct watchdog *watchdog);
/* NULL is fine. [main thread] */
void watchdog_stop(struct watchdog *watchdog);

#endif
