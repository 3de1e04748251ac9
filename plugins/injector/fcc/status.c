/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stddef.h>

static const char *const words[] = {
	[1] = "unspecified error; see its log, and its clock if time_sync is off",
	[2] = "it is out of memory; start it anew",
	[3] = "entropy or root of trust has the wrong size; do versions fit?",
	[4] = "its protected storage failed; look at its disk and rights",
	[5] = "an item of its own is there already; wipe its storage",
	[6] = "the server's identity is there already; wipe its storage",
	[7] = "its root of trust is missing, or there already; wipe its storage, and look at root_of_trust",
	[8] = "its entropy is there already; wipe its storage",
	[9] = "its factory mode is closed; wipe its storage, or send it to repair",
	[10] = "a certificate must not be used for this (extended key usage); do versions fit?",
	[11] = "a name in the certificate cannot be read; look at the subject options",
	[12] = "the signature of the certificate authority is wrong; look at ca_certificate",
	[13] = "a certificate has expired by its clock; set the server's clock, and turn time_sync on",
	[14] = "the name in the certificate is not the endpoint name, or its OU is not the account; look at bootstrap_uri",
	[15] = "its store of keys takes no such item, or failed; see its log",
	[16] = "its storage failed, or takes no such name or data; look at its disk and rights, its TPM, and parameters",
	[17] = "an item is there already; start it again, wipe its storage",
	[18] = "a key, certificate or chain fails its check; look at bootstrap_ca, update_certificate, chain_depth",
	[19] = "its factory program is not initialised; start it again",
	[20] = "the message is malformed for it; do versions fit?",
	[21] = "it could not make its answer; see its log",
	[22] = "it does not support a group of the message; do versions fit?",
	[23] = "it does not know a group of the message; do versions fit?",
	[24] = "it wants another version of the message; do versions fit?",
	[25] = "an item that it needs is missing; do versions fit?",
	[26] = "an item that it needs is empty; fill in its option",
	[27] = "an item has the wrong size; do versions fit?",
	[28] = "the server's address is malformed for it; look at bootstrap_uri and account_id",
	[29] = "first to claim is not allowed with these settings; look at first_to_claim and bootstrap_uri",
	[30] = "its bootstrap mode is neither on nor off; do versions fit?",
	[31] = "it failed, and could not say where; see its log",
	[32] = "it has done all, and could not write its warnings",
	[33] = "the offset from UTC is malformed for it; look at utc_offset",
	[34] = "certificate and private key do not fit together; start it again",
	[35] = "it does not close factory mode inside a session; do versions fit?",
	[36] = "too many signing requests; do versions fit?",
	[37] = "its image does not support a field, type or format of the message; look at key_mode and secure_element",
};

const char *status_words(uint64_t return_status)
{
	if (return_status == 0)
		return "success";
	if (return_status >= sizeof(words) / sizeof(words[0]))
		return "a status that is not known; see its log";
	return words[return_status];
}

const char *status_comm_words(uint32_t comm_status)
{
	switch (comm_status) {
	case 1:
		return "unspecified error; see its log";
	case 2:
		return "a parameter of its own is wrong; see its log";
	case 3:
		return "it has no memory for the message";
	case 4:
	case 5:
	case 6:
		return "the message did not arrive whole";
	case 7:
	case 8:
		return "the checksum of the message is wrong, or it cannot make one";
	case 9:
		return "it could not make an answer, or its factory mode is closed";
	default:
		return "see its log";
	}
}
