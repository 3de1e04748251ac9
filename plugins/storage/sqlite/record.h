/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - a record of the contract as a row of the table.
 */
#ifndef PLUGINS_STORAGE_SQLITE_RECORD_H
#define PLUGINS_STORAGE_SQLITE_RECORD_H

#include <pep/identity.h>
#include <sqlite3.h>
#include <stdbool.h>

/* Column i of this list is parameter i + 1 of the statements below. */
#define RECORD_COLUMNS                                                                                               \
	"serial, revision, state, created_ms, deployed_ms, lease_until_ms, attempt, contacted, before, generation, " \
	"dispatch_id, enrollment_id, hardware_version, radio_config, led_config, category, api_address, "            \
	"gateway_services_address, verification_key, ou, device_id, ethernet_mac, sixb_mac, nonce, owner, "          \
	"idempotency_key, request_digest, station, request_id, reason, history"

/* What `brief` of struct pep_scan_query leaves: reading a column costs more than the walk to its row. */
#define RECORD_BRIEF_COLUMNS                                                                                                 \
	"serial, state, created_ms, deployed_ms, attempt, generation, dispatch_id, enrollment_id, hardware_version, "        \
	"radio_config, led_config, category, api_address, gateway_services_address, ou, device_id, ethernet_mac, sixb_mac, " \
	"station, reason"

extern const char record_insert_sql[]; /* a new row with revision 1 */

/* One more revision, where serial and revision match. SQLite writes an index anew if one of its columns is set, also to what it was; so
 * the first three set less, and change no row if more has changed. */
enum record_update {
	RECORD_UPDATE_STEP,     /* dispatch_id, deployed_ms, enrollment_id and idempotency_key are what they were */
	RECORD_UPDATE_ISSUE,    /* all of these but enrollment_id */
	RECORD_UPDATE_DISPATCH, /* all of these but dispatch_id and deployed_ms */
	RECORD_UPDATE_ALL,
	RECORD_UPDATE_COUNT,
};
extern const char *const record_update_sql[RECORD_UPDATE_COUNT];
/* The one that will do as a rule, by the state that the record gets. */
enum record_update record_likely_update(const struct pep_identity *id);

/* Binds all parameters. The texts are borrowed until the statement is reset. Returns SQLite's code. */
int record_bind(sqlite3_stmt *statement, const struct pep_identity *id);

/* The row on which a SELECT of RECORD_COLUMNS, or of RECORD_BRIEF_COLUMNS with `brief`, stands, as a struct pep_identity at `block` (aligned for it) with its texts behind.
 * Returns how many bytes that takes, a multiple of the alignment; if it is more than `room`, the content is not complete. */
size_t record_read(sqlite3_stmt *statement, bool brief, void *block, size_t room);

#endif
