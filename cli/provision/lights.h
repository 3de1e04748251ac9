/* SPDX-License-Identifier: Apache-2.0
 *
 * lights.h - shows the state of the work to whoever stands before the gateway: an LED of the kernel's LED class, and programs of the
 * integrator's. Neither ever stops the work: what fails or hangs is told on stderr and left alone.
 */
#ifndef CLI_PROVISION_LIGHTS_H
#define CLI_PROVISION_LIGHTS_H

#include "cli/session.h"

#include <stdint.h>

enum lights_state { LIGHTS_SEARCHING, LIGHTS_WORKING, LIGHTS_PASS, LIGHTS_WARN, LIGHTS_FAIL, LIGHTS_NO_SERVER };

struct lights {
	const struct session *session;
	const char *led;         /* a folder of /sys/class/leds; NULL: none */
	const char *hook;        /* a program; NULL: none */
	const char *hook_folder; /* of programs, run in the order of their names; NULL: none */
	int64_t hook_limit_ms;   /* for each program */
	bool has_state;          /* `state` is shown */
	enum lights_state state;
};

/* What programs are told besides the state: PEP_SERIAL, PEP_ENROLLMENT_ID, PEP_CODE, PEP_DETAIL, PEP_EXIT_CODE. */
struct lights_note {
	const char *serial, *enrollment_id, *code, *detail; /* NULL: "" */
	int exit_code;
};

/* "searching", "working", "pass", "warn", "fail", "no-server": the word that programs get as their argument and as PEP_STATE. */
const char *lights_name(enum lights_state state);
/* Shows a state if it is not the one that is shown. */
void lights_show(struct lights *lights, enum lights_state state, const struct lights_note *note);

#endif
