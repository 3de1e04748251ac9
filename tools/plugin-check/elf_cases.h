/* SPDX-License-Identifier: Apache-2.0
 *
 * elf_cases.h - what a plugin's file must be like before it is loaded: nothing of it has run.
 */
#ifndef PLUGIN_CHECK_ELF_CASES_H
#define PLUGIN_CHECK_ELF_CASES_H

#include "tests/conformance/runner.h"

/* ctx: the path. */
extern const struct suite_case elf_cases[];

#endif
