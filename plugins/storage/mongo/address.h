/* SPDX-License-Identifier: Apache-2.0
 *
 * address.h - the option `uri` made ready for the driver: checked, with the password, and with what durability asks for.
 */
#ifndef PLUGINS_STORAGE_MONGO_ADDRESS_H
#define PLUGINS_STORAGE_MONGO_ADDRESS_H

#include <mongoc/mongoc.h>
#include <pep/plugin.h>

struct address {
	mongoc_uri_t *uri;
	char *database;
	char *name; /* "HOST:PORT,HOST:PORT/DATABASE", for messages: never user or password */
};

struct address_setup {
	const char *uri, *password; /* password: NULL or empty is none */
	int64_t connections, timeout_ms;
};

/* PEP_INVALID: not a URI with a database, or with a password in it. Writes wait for a majority and the journal, reads go to the
 * primary, whatever the URI says. The caller calls address_fini() after success. */
pep_status address_init(struct address *address, const struct address_setup *setup, struct pep_error *err);
void address_fini(struct address *address); /* zeroed is fine */

#endif
