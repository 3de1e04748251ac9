/* SPDX-License-Identifier: Apache-2.0
 *
 * owner.h - who this start of the server is in the records, and which start was the one before it.
 *
 * Not the name says which leases are a server's own, but a file in its data folder: of two servers that were given one name, neither ends
 * what the other is at, nor does a copy of a server's disk.
 */
#ifndef CORE_SERVICE_OWNER_H
#define CORE_SERVICE_OWNER_H

#include <pep/plugin.h>

#define OWNER_ROOM 300u

/* "NAME/START", which no other start of any server has. [any thread] */
void owner_make(const char *name, char ret_owner[OWNER_ROOM]);

/* Of the start that owner_keep() was called in last; "" if there was none. A file that cannot be read is an error. The data folder's lock
 * is held. [main thread] */
pep_status owner_earlier(const char *data_dir, char ret_owner[OWNER_ROOM], struct pep_error *err);

/* From now on this start may leave leases behind. Only once those of the earlier one have been ended: until then that is the one to
 * remember. Survives a loss of power. [main thread] */
pep_status owner_keep(const char *data_dir, const char *owner, struct pep_error *err);

#endif
