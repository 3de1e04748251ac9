/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer.h - one export of the server, taken as it comes, with progress on a terminal.
 */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include "cli/client.h"

/* May be used for one export after the other: then bytes and time are of all of them. Borrows everything. */
struct transfer {
	const struct session *session; /* of a command that has -e, the exporter */
	const struct settings *settings;
	client_sink *sink;
	void *sink_ctx;
	bool shows_progress;
	char shown[96];                          /* what the line of the progress names */
	int64_t bytes, begun_ms, shown_until_ms; /* zero at first */
};

/* Asks for the export with these fields of the query (borrowed), and gives what comes to the sink. As client_send(), and a reply other
 * than 200 is its failure too. */
int transfer_run(struct transfer *transfer, json_t *fields, struct reply *ret_reply, struct failure *err);

#endif
