/* SPDX-License-Identifier: Apache-2.0
 *
 * fcc.h - the factory configurator client (FCC), run by us: started, its port read from the line that it prints, ended.
 *
 * It serves one session and takes a new random port at every start, so each attempt needs a new one. It has a terminal for its output,
 * because into a pipe it would hold the line back; and when we die, however that is, the kernel hangs up and it dies too.
 */
#ifndef CLI_PROVISION_FCC_H
#define CLI_PROVISION_FCC_H

#include "cli/exit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fcc;

struct fcc_call {
	const char *program;   /* a path; started without arguments */
	const char *folder;    /* where it works; its credentials appear there */
	const char *interface; /* ETHERNET_LINUX_IFACE_NAME if that is not set; "" or NULL: left to FCC */
	const char *log;       /* file for its output, replaced; NULL: none */
	int64_t limit_ms;      /* for the line to come */
};

/* EXIT_LOCAL_FILE: it cannot be started, ended before the line came, or printed none in time; the message has its last words.
 * Retryable, as the interface may not be up yet. Or the code of a signal. */
int fcc_start(const struct fcc_call *call, struct fcc **ret_fcc, struct failure *err);
/* What it said: a dotted IPv4 address and a port as text. Live as long as the fcc. */
const char *fcc_address(const struct fcc *fcc);
const char *fcc_port(const struct fcc *fcc);
/* Lets it end by itself for that long (0: not at all), then ends it. NULL: nothing. */
void fcc_stop(struct fcc **fcc, int64_t grace_ms);
void fcc_drop(struct fcc **fcc);

/* Finds "IP:port" in a line, with blanks around the colon allowed. [any thread] */
bool fcc_find_address(const char *line, char ret_address[16], char ret_port[6]);

#endif
