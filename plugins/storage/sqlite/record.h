/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - a record of the contract as a row of the table.
 */
#ifndef PLUGINS_STORAGE_SQLITE_RECORD_H
#define PLUGINS_STORAGE_SQLITE_RECORD_H

#include <pep/identity.h>
#include <sqlite3.h>

/* Column i of this list is parameter i + 1 of the statements below. */
#define RECORD_COLUMNS                                                                                               \
	"serial, revision, state, created_ms, deployed_ms, lease_until_ms, attempt, contacted, before, generation, " \
	"dispatch_id, enrollment_id, hardware_version, radio_config, led_config, category, api_address, "            \
	"gateway_services_address, verification_key, ou, device_id, ethernet_mac, sixb_mac, nonce, owner, "          \
	"idempotency_key, request_digest, station, request_id, reason, history"

extern const char record_insert_sql[]; /* a new row with revision 1 */
extern const char record_update_sql[]; /* where serial and revision match; one more revision */
/* The same, where enrollment_id and idempotency_key are what they were: leaves their indexes alone, whose pages are hit at random. */
extern const char record_update_rest_sql[];

/* Binds all parameters. The texts are borrowed until the statement is reset. Returns SQLite's code. */
int record_bind(sqlite3_stmt *statement, const struct pep_identity *id);

/* The row on which a SELECT of RECORD_COLUMNS stands, as a struct pep_identity at `block` (aligned for it) with its texts behind.
 * Returns how many bytes that takes, a multiple of the alignment; if it is more than `room`, the content is not complete. */
size_t record_read(sqlite3_stmt *statement, void *block, size_t room);

#endif
