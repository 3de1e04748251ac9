/* SPDX-License-Identifier: Apache-2.0
 *
 * parameters.h - the factory's own parameters: what every gateway stores beside what FCC knows.
 *
 * Separated by ";": "NAME=text", "NAME:int=-5" or "NAME:hex=00ff". Blanks around each are not part of it, empty ones are passed over.
 */
#ifndef FCC_PARAMETERS_H
#define FCC_PARAMETERS_H

#include "frame.h"

#include <pep/plugin.h>

enum parameter_kind { PARAMETER_TEXT, PARAMETER_BYTES, PARAMETER_NUMBER };

struct parameter {
	const char *name;
	enum parameter_kind kind;
	struct blob data; /* of PARAMETER_TEXT, PARAMETER_BYTES */
	int64_t number;   /* of PARAMETER_NUMBER */
};

struct parameters {
	char *text; /* what names and data point into; our own */
	struct parameter *list;
	size_t count;
};

/* PEP_INVALID: one is not of that form, or a gateway would refuse its name; `what` is the option. For parameters_free(). [any thread] */
pep_status parameters_read(const char *what, const char *text, struct parameters *ret_parameters, struct pep_error *err);
/* {0} is fine. */
void parameters_free(struct parameters *parameters);

#endif
