/* SPDX-License-Identifier: Apache-2.0
 *
 * template.h - the files in template/exporter, which the build puts into the program.
 */
#ifndef PLUGIN_CHECK_TEMPLATE_H
#define PLUGIN_CHECK_TEMPLATE_H

#include <stddef.h>

struct template_file {
	const char *name;
	const unsigned char *bytes;
	size_t size;
};
/* Ended by a NULL name. */
extern const struct template_file template_files[];

#endif
