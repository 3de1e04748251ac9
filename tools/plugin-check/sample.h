/* SPDX-License-Identifier: Apache-2.0
 *
 * sample.h - made-up gateways, as a line deploys them.
 */
#ifndef PLUGIN_CHECK_SAMPLE_H
#define PLUGIN_CHECK_SAMPLE_H

#include <pep/identity.h>

struct sample {
	struct pep_identity id; /* its texts are in here, or live for ever */
	char serial[32], dispatch_id[25], enrollment_id[98], ethernet_mac[32], device_id[32];
};

/* The n-th of them, n from 1; always the same. [any thread] */
void sample_make(int64_t n, struct sample *ret_sample);

#endif
