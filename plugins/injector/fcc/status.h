/* SPDX-License-Identifier: Apache-2.0
 *
 * status.h - what a gateway's status numbers mean to an operator. [any thread]
 */
#ifndef FCC_STATUS_H
#define FCC_STATUS_H

#include <stdint.h>

/* Meaning and what to do, for the end of a sentence. Never NULL. */
const char *status_words(uint64_t return_status);
/* The same of a communication status, which comes without a message. */
const char *status_comm_words(uint32_t comm_status);

#endif
