/* SPDX-License-Identifier: Apache-2.0
 *
 * injector_suite.h - what every injector must do, tested through its table alone.
 */
#ifndef CONFORMANCE_INJECTOR_SUITE_H
#define CONFORMANCE_INJECTOR_SUITE_H

#include <pep/injector.h>

/* A kind of gateway, and what an injection into it must come to. */
struct injector_case {
	const char *serial; /* how its serials begin; the suite appends to it */
	uint32_t outcome;   /* PEP_DELIVERED ... */
	pep_status status;
	bool contacted, issued; /* which moments come before */
};

/* What a gateway says of itself. */
struct injector_view {
	bool touched;            /* a first message came */
	char enrollment_id[128]; /* of the certificate that it holds; empty: none */
};

/* What the table of an injector does not say. */
struct injector_facts {
	const char *file;              /* the built plugin */
	const union pep_value *values; /* answers to its options */
	struct pep_target target;
	const struct injector_case *cases; /* the first one delivers */
	size_t case_count;
	const char *
		slow_serial; /* how serials of gateways begin that need more than ten seconds, and then take it; NULL: there are none */
	bool foretold;       /* the identity follows from serial and attempt */
	/* A gateway with this serial is started for one injection; returns the port that takes the place of the target's. NULL: all are
	 * there. [any thread] */
	uint16_t (*start)(const char *serial);
	/* NULL: the gateways cannot be asked. */
	void (*look)(const char *serial, struct injector_view *ret_view);
};

/* Runs the suite as a cmocka group; returns how many tests failed. */
int injector_suite_run(const struct injector_facts *facts);

#endif
