/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h - one injection: from the checks before anything is sent to the outcome.
 */
#ifndef FCC_SESSION_H
#define FCC_SESSION_H

#include "authority.h"

#include <pep/injector.h>

/* An instance of the plugin: what all injections share, and do not change. */
struct fcc {
	const struct pep_host *host;
	struct settings settings;
	struct authority *authority; /* NULL before self_test() */
	gnutls_datum_t server_ca, update_certificate;
	int64_t update_expires_s; /* INT64_MAX: no gateway looks */
};

/* As inject() of pep/injector.h. [any thread] */
pep_status session_run(const struct fcc *fcc, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms,
		       struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err);

#endif
