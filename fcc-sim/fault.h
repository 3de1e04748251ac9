/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h - what a simulated gateway is told to do wrong. [any thread]
 */
#ifndef FCC_SIM_FAULT_H
#define FCC_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault {
	uint32_t refuse_status;  /* ReturnStatus, 1 to 37; 0: no refusal */
	uint32_t refuse_message; /* which message of the device's life is refused: 1 is the first */
	uint32_t slow_ms;        /* before each answer */
	bool drop;               /* close the connection after drop_size bytes of an answer */
	uint32_t drop_size, drop_message;
	uint32_t silent_message; /* is handled and never answered; 0: none */
	bool wrong_name;         /* asks for, and wants to see, another CN */
	bool twice;              /* every answer is sent two times */
	bool disabled;           /* the factory flow is closed: comm status 9 */
};

/* One "[DEVICES=]FAULT" of the command line. DEVICES is N, N-M or *K (every K-th), counted from 1; absent: all. FAULT is one of
 *   refuse[:STATUS[:MESSAGE]]  slow:MS  drop:BYTES[:MESSAGE]  no-answer[:MESSAGE]  wrong-cn  double  disabled
 * If the device `number` is meant, the fault is added to what *fault holds. False: not of this form; nothing is changed. */
bool fault_add(const char *text, size_t number, struct fault *fault);

#endif
