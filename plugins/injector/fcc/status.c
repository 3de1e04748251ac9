/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stddef.h>

static const char *const words[] = {
	[1] = "unspecified error; see its log",
	[2] = "it is out of memory",
	[3] = "a parameter is wrong (entropy or root of trust has the wrong size)",
	[4] = "its protected storage failed; look at its disk",
	[5] = "an internal item is there already; wipe its storage",
	[6] = "the server's identity is there already; wipe its storage",
	[7] = "root of trust is missing or there already; wipe its storage",
	[8] = "entropy is there already; wipe its storage",
	[9] = "its factory mode is closed; it needs a repair",
	[10] = "the certificate must not be used for this (extended key usage)",
	[11] = "a name in the certificate cannot be read; look at the subject options",
	[12] = "the signature of the certificate authority is wrong",
	[13] = "a certificate has expired by its clock; set the server's clock, and time_sync",
	[14] = "the name in the certificate is not the endpoint name, or its OU is not the account",
	[15] = "its store takes no such item, or failed; see its log",
	[16] = "its storage failed, or an item's name or data is wrong; look at its disk and rights, or its TPM",
	[17] = "the item is there already; wipe its storage",
	[18] = "a key or certificate fails its cryptographic check",
	[19] = "its factory program is not initialised; start it again",
	[20] = "the message is malformed; do versions fit?",
	[21] = "it could not make its answer",
	[22] = "a group of the message is not supported; do versions fit?",
	[23] = "a group of the message is unknown; do versions fit?",
	[24] = "it wants another version of the message; do versions fit?",
	[25] = "something that it needs is missing",
	[26] = "something that it needs is empty",
	[27] = "an item has the wrong size",
	[28] = "the server's address is malformed; look at bootstrap_uri",
	[29] = "first to claim is not allowed with these settings; look at first_to_claim and bootstrap_uri",
	[30] = "use_bootstrap is neither 0 nor 1",
	[31] = "it could not say what failed",
	[32] = "it could not write its warnings",
	[33] = "utc_offset is malformed",
	[34] = "certificate and private key do not fit together",
	[35] = "session and disable do not fit together",
	[36] = "too many signing requests",
	[37] = "its image does not support a field, type or format of the message",
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
