/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - the command line of pep-fcc-sim.
 */
#ifndef FCC_SIM_OPTIONS_H
#define FCC_SIM_OPTIONS_H

#include "fcc-sim/fault.h"

enum {
	OPTIONS_FAULTS_MAX = 64,
	OPTIONS_SERIAL_SIZE = 65, /* with its NUL */
};

enum options_task {
	OPTIONS_SIMULATE,
	OPTIONS_PROVISION,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

/* Points into argv. */
struct options {
	enum options_task task;
	const char *ip;
	uint16_t port; /* of the first device, the next one has the next; 0: any free ones */
	size_t count, first;
	const char *serial_prefix;
	const char *store; /* NULL: memory only */
	bool print, json;
	const char *provision_url; /* without the path; NULL: none */
	size_t station_count;
	long timeout_s;
	const char *faults[OPTIONS_FAULTS_MAX];
	size_t fault_count;
};

/* False: one line about what is wrong is in ret_error. */
bool options_parse(int argc, char **argv, struct options *ret_options, char *ret_error, size_t error_size);
/* What --help prints. */
const char *options_help(void);

/* The serial number of the device at `index`, from 0: the prefix and at least 6 digits. */
void options_serial(const struct options *options, size_t index, char ret_serial[OPTIONS_SERIAL_SIZE]);
/* Its folder below --store, malloc()ed: of a single device that folder itself. False: no memory. NULL: no folder is wanted. */
bool options_folder(const struct options *options, size_t index, char **ret_folder);
/* All faults meant for it. */
struct fault options_fault(const struct options *options, size_t index);

#endif
