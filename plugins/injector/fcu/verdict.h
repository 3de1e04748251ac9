/* SPDX-License-Identifier: Apache-2.0
 *
 * verdict.h - what is known of a gateway after the tool has run. Nothing is guessed: what is not said clearly is in doubt.
 */
#ifndef FCU_VERDICT_H
#define FCU_VERDICT_H

#include "result.h"

#include <pep/injector.h>

/* Fills outcome, enrollment_id and detail, and the error if it is not PEP_OK. PEP_OK and delivered: the tool ended by itself with exit
 * code 0 and printed exactly one identity. PEP_NOT_SENT only if it was never started. */
pep_status verdict_of_result(const struct result *result, struct pep_injection *ret, struct pep_error *err);
/* The same where there is no result: the runner is gone. */
pep_status verdict_of_no_result(const char *serial, bool was_started, struct pep_injection *ret, struct pep_error *err);
/* Not started, for a reason of our own. */
__attribute__((format(printf, 4, 5))) pep_status verdict_not_sent(struct pep_injection *ret, struct pep_error *err,
								  pep_status status, const char *format, ...);

#endif
