/* SPDX-License-Identifier: Apache-2.0
 *
 * redact.h - takes out of a text what must not stand in a log: private keys, values that were given as secrets, long runs of hex or
 * base64 digits. Enrollment identities stay: their colons make the runs short. [any thread]
 */
#ifndef FCU_REDACT_H
#define FCU_REDACT_H

#include <stddef.h>

/* Shorter secrets are not looked for: "1" or "no" would take every other word with them. */
enum { REDACT_SECRET_MIN = 4, REDACT_RUN_MIN = 40 };

/* Change `size` bytes in place. What is taken out becomes "***"; control characters but newline become "?". `secrets`: the longest first,
 * NULL behind the last. Returns the new size, which is not greater. */
size_t redact_text(char *text, size_t size, const char *const *secrets);

#endif
