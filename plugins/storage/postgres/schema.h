/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h - the tables with their indexes: made, brought to the present version, checked.
 */
#ifndef PLUGINS_STORAGE_POSTGRES_SCHEMA_H
#define PLUGINS_STORAGE_POSTGRES_SCHEMA_H

#include <libpq-fe.h>
#include <pep/plugin.h>

#define SCHEMA_VERSION 2

/* Of several servers that start at once one does it, the others wait for it. If there is nothing to do, reading is all that happens.
 * PEP_INVALID: an administrator has to look. After a failure the connection is not to be used again. */
pep_status schema_open(PGconn *conn, const char *schema, struct pep_error *err);

#endif
