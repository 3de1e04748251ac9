/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/advice.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *code, *advice;
} table[] = {
	/* At the gateway. */
	{"gateway_unreachable", "Look at cable and power, start the factory program on the gateway again, and try again."},
	{"gateway_refused",
	 "Do what the reason says; most often wipe the gateway's storage, start its factory program again, and try again."},
	{"injector_timeout", "Start the gateway's factory program again and try again; if it goes on, look at the network."},
	{"injector_failed", "Try again; if it goes on, put the unit aside and show the reason to an engineer."},
	{"in_doubt",
	 "Put the unit aside: nobody knows whether it has its identity. An engineer reads it and resolves it, or it is provisioned "
	 "again."},
	{"endpoint_busy", "Another unit is being provisioned at this address: check that each gateway has an address of its own."},
	/* With the serial. */
	{"exists", "This serial number has its identity already: check the label; a repaired unit needs a grant."},
	{"in_progress", "Wait: another station is at this serial number. If not, check the label."},
	{"not_expected", "No open order has this serial number: check the label, or have the order corrected."},
	{"quota", "The order is complete: close it, or have a new one made."},
	{"bad_argument", "Correct the field that the reason names, and try again."},
	{"bad_request", "The request cannot be read: update pep-cli, or whatever has sent it."},
	{"idempotency_mismatch", "The same key was used for another unit: update pep-cli, or whatever has sent it."},
	{"endpoint_not_allowed",
	 "The gateway has an address or port that is not for gateways: correct it, or ask who runs the server."},
	{"not_authenticated", "Give this station its token."},
	{"not_allowed", "The token of this station is not for this: ask who runs the server."},
	{"too_many_requests", "Wait a moment: this station asks too often."},
	/* At the server. */
	{"storage_unavailable", "The database does not answer: call who runs the server; the unit can be tried again later."},
	{"recorded_locally", "The unit has its identity, and the server will store it: ask again in a moment."},
	{"audit_unavailable", "The server cannot write its audit file: call who runs the server (is the disk full?)."},
	{"draining", "The server is being stopped: try again in a minute."},
	{"busy", "The server has too much to do: try again in a moment."},
	{"internal", "The server has failed: call who runs it, and show its log."},
};

const char *advice_for(const char *code)
{
	for (size_t i = 0; code && i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].code, code) == 0)
			return table[i].advice;
	return NULL;
}
