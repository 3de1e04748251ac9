/* SPDX-License-Identifier: Apache-2.0
 *
 * version.h - what this program was built from.
 */
#ifndef CORE_BASE_VERSION_H
#define CORE_BASE_VERSION_H

/* The commit, with "+" if files were changed since; NULL: not known when it was built. [any thread] */
const char *version_commit(void);

#endif
