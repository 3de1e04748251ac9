/* SPDX-License-Identifier: Apache-2.0
 *
 * trial.h - does something first in a child process, to see whether one lives through it.
 */
#ifndef CORE_PLUGIN_TRIAL_H
#define CORE_PLUGIN_TRIAL_H

#include <pep/plugin.h>

/* Run `work` in a child of this process, whose output nobody sees and whose results are lost. PEP_OK: it returned, or no child could be
 * made to ask. PEP_INVALID: it crashed, ended the process or took over 10 s; *err says which, of plugin `name`. [main thread; while
 * there are other threads, `work` must not need what they may hold] */
pep_status trial_run(const char *name, void (*work)(void *ctx), void *ctx, struct pep_error *err);

#endif
