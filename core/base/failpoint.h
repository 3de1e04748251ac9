/* SPDX-License-Identifier: Apache-2.0
 *
 * failpoint.h - named places at which a test kills or holds the server. Compiled out unless PEP_FAILPOINTS is defined.
 *
 * PEP_FAILPOINT="NAME:COUNT" in the environment makes the COUNTth passage of PEP_FAILPOINT(NAME) kill the process with SIGKILL, and
 * "NAME:COUNT:stop" pause it with SIGSTOP.
 */
#ifndef CORE_BASE_FAILPOINT_H
#define CORE_BASE_FAILPOINT_H

#ifdef PEP_FAILPOINTS
void failpoint_pass(const char *name); /* [any thread] */
#define PEP_FAILPOINT(name) failpoint_pass(name)
#else
#define PEP_FAILPOINT(name) ((void)0)
#endif

#endif
