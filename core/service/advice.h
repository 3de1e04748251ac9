/* SPDX-License-Identifier: Apache-2.0
 *
 * advice.h - what an operator can do about a failure.
 */
#ifndef CORE_SERVICE_ADVICE_H
#define CORE_SERVICE_ADVICE_H

/* One sentence for the code of a Pep-Error, for who stands at the line; NULL: there is nothing to be done, or the code is not known.
 * What exactly a gateway or a tool has said is in the detail beside it. Lives for ever. [any thread] */
const char *advice_for(const char *code);

#endif
