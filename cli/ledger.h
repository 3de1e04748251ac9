/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger.h - what a folder of numbered files holds already: a small file beside them, replaced whole.
 *
 * It is written when a file is complete and before that file gets its name, so that whatever is killed when, no file is written
 * twice with different contents, and none is left out.
 */
#ifndef CLI_LEDGER_H
#define CLI_LEDGER_H

#include "cli/exit.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct ledger {
	int64_t number;      /* of the last complete file; 0: none */
	char suffix[33];     /* of that file; "": none */
	bool is_whole;       /* the walk has reached its end; else it goes on behind `last` */
	char since[25];      /* the cursor behind which the walk began; "": it began at the beginning */
	char last[25];       /* "": the walk has no file yet */
	char cursor[25];     /* behind which the next walk begins; "": the server gives none for this selection */
	int64_t limit;       /* more records did not fit into a file; 0: they always did */
	char audit_head[86]; /* of the server's audit when the last file was taken; "": it has none */
};

/* `request` (borrowed) is what an export is told apart by. No file: a ledger of nothing. EXIT_LOCAL_FILE: it cannot be read;
 * EXIT_USAGE: it is of another request. */
int ledger_load(const char *path, json_t *request, struct ledger *ret_ledger, struct failure *err);
/* On disk, or the old one still is. */
int ledger_save(const char *path, json_t *request, const struct ledger *ledger, struct failure *err);

#endif
