/* SPDX-License-Identifier: Apache-2.0
 *
 * line.h - a factory line: stations take one gateway after another, start it and ask pep to provision it.
 */
#ifndef FCC_SIM_LINE_H
#define FCC_SIM_LINE_H

#include "fcc-sim/options.h"

/* Runs until every unit is done or `stop_fd` can be read, then prints the numbers. A unit counts as provisioned only if pep says so and
 * the gateway holds the certificate with the enrollment identity that pep told. Returns 0 if all are, else 1. */
int line_run(const struct options *options, int stop_fd);

#endif
