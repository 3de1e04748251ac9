/* SPDX-License-Identifier: Apache-2.0
 *
 * factory.h - a folder with the keys and certificates of a test factory, good ones and bad ones, and an instance of the plugin's
 * options that names them.
 */
#ifndef TEST_FCC_FACTORY_H
#define TEST_FCC_FACTORY_H

#include "plugins/injector/fcc/settings.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

/* How a certificate authority is made. */
struct factory_authority {
	const char *name; /* of its files: NAME.key and NAME.crt */
	unsigned curve_bits;
	gnutls_digest_algorithm_t digest;
	bool is_no_authority;
	int64_t from_s, to_s;                 /* validity, relative to now */
	const char *password;                 /* of the key; NULL: none */
	const struct factory_authority *root; /* who signs it; NULL: itself */
};

/* Make the folder, with the good authority "ca", the server's certificate "server.crt" and the update certificate "update.crt".
 * Returns its path, which lives until factory_fini(). Ends the test program if something cannot be made. */
const char *factory_init(void);
void factory_fini(void);

/* Make one more authority in the folder. */
void factory_make(const struct factory_authority *authority);
/* DIR/NAME; lives until the eighth call after it. */
const char *factory_path(const char *name);

/* The options' defaults, and the files of the good authority. */
void factory_options(union pep_value values[OPT_COUNT]);

/* A certificate of the folder. The caller's. */
gnutls_x509_crt_t factory_certificate(const char *name);

#endif
