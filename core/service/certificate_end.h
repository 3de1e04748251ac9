/* SPDX-License-Identifier: Apache-2.0
 *
 * certificate_end.h - until when a certificate is valid.
 */
#ifndef CORE_SERVICE_CERTIFICATE_END_H
#define CORE_SERVICE_CERTIFICATE_END_H

#include <pep/plugin.h>

/* The end of the first certificate in a PEM file, milliseconds since 1970. PEP_NOT_FOUND: the file cannot be read; PEP_INVALID: it holds
 * no certificate. [any thread] */
pep_status certificate_end(const char *path, int64_t *ret_ms, struct pep_error *err);

#endif
