/* SPDX-License-Identifier: Apache-2.0
 *
 * script.h - which outcome the beginning of a serial number asks for.
 */
#ifndef MOCK_SCRIPT_H
#define MOCK_SCRIPT_H

#include <stdint.h>

enum script_act {
	SCRIPT_DELIVER,     /* every serial that asks for nothing else */
	SCRIPT_REFUSE,      /* MOCK-REFUSE: erased, then the gateway says no */
	SCRIPT_UNREACHABLE, /* MOCK-UNREACHABLE: no connection */
	SCRIPT_TIMEOUT,     /* MOCK-TIMEOUT: erased, then silence; over the time limit without waiting for it */
	SCRIPT_FAIL,        /* MOCK-FAIL: erased, then no certificate can be made */
	SCRIPT_IN_DOUBT,    /* MOCK-INDOUBT: the gateway takes the certificate, its answer is lost */
};

struct script {
	enum script_act act;
	int64_t delay_ms; /* MOCK-SLOW-<ms>, at most a day; -1: the serial does not say */
};

/* [any thread] */
struct script script_read(const char *serial);

#endif
