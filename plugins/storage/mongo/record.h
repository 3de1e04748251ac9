/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - a record of the contract as a document, under the field names that the original tool uses.
 *
 * Fields of the original: serialNumber, hardwareVersion, radioConfig, ledConfig, category, apiAddress, gatewayServicesAddress,
 * cloudAddress, verificationKey, OU, deviceID, ethernetMAC, sixBMAC, createdAt, deployed, enrollmentID. The others are ours. Fields that
 * we do not know stay in a document, whatever is written to it.
 */
#ifndef PLUGINS_STORAGE_MONGO_RECORD_H
#define PLUGINS_STORAGE_MONGO_RECORD_H

#include <bson/bson.h>
#include <pep/identity.h>

/* Two derived fields, each unique, so that plain unique indexes do what the contract asks: "0" and the id, or, as long as there is
 * none, "1" and the serial. Bytewise order of RECORD_LIST_ORDER is the order of a walk. */
#define RECORD_LIST_ORDER "listOrder"
#define RECORD_ENROLLMENT_KEY "enrollmentKey"
/* "0" or "1" before a text; `*ret_key` has room for it. */
#define RECORD_KEY_SIZE(text_size) ((text_size) + 2)

/* Appends all fields that the record has. False: out of memory, or a document over 2 GiB. */
bool record_append(bson_t *document, const struct pep_identity *id);
/* Appends the names of those that it has not, each with an empty text, for $unset. */
bool record_append_absent(bson_t *document, const struct pep_identity *id);

/* A record, its texts in the same piece of memory, for free(). *ret_id is NULL if memory ran out. False, with a sentence about the field
 * in `ret_why` (128 bytes): it is no record of ours. A field that is not there reads as 0 or absent. */
bool record_read(const bson_t *document, struct pep_identity **ret_id, char *ret_why);

/* The listOrder behind which a walk goes on after `dispatch_id`; for free(). NULL: out of memory. */
char *record_order_of(const char *dispatch_id);
/* The listOrder of a record. For free(); NULL: out of memory. */
char *record_order(const struct pep_identity *id);

#endif
