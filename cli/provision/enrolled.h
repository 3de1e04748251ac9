/* SPDX-License-Identifier: Apache-2.0
 *
 * enrolled.h - looks in the credentials for the certificate that the enrollment identity names: A- and the SHA-256 of the certificate.
 *
 * The storage of the device client is its own affair, and with Parsec or encryption nothing is to be seen. So a certificate (DER) is
 * looked for anywhere in the files: where it lies in clear it is found, and elsewhere nothing is claimed.
 */
#ifndef CLI_PROVISION_ENROLLED_H
#define CLI_PROVISION_ENROLLED_H

#include "cli/provision/tree.h"

enum enrolled {
	ENROLLED_UNSEEN, /* no certificate for this name is to be seen */
	ENROLLED_SAME,   /* the certificate that the identity names is there */
	ENROLLED_OTHER,  /* only another one, for the same name */
};

/* `identity` as the server writes it, "A-01:23:..."; `serial` is the common name. */
enum enrolled enrolled_look(const struct spot *store, const char *identity, const char *serial);
/* The same in a piece of memory. [any thread] */
enum enrolled enrolled_scan(const unsigned char *data, size_t size, const char *identity, const char *serial);

#endif
