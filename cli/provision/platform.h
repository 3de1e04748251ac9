/* SPDX-License-Identifier: Apache-2.0
 *
 * platform.h - where each platform keeps an identity: the paths of the gateway stack's own packages. [any thread]
 */
#ifndef CLI_PROVISION_PLATFORM_H
#define CLI_PROVISION_PLATFORM_H

#include <stddef.h>

/* A base folder, and a path below it. */
struct platform_place {
	const char *base, *rel;
};

enum { PLATFORM_CLEARS_MAX = 6 };

struct platform {
	const char *name;
	struct platform_place identity;                    /* identity.json */
	struct platform_place store;                       /* the credentials, PAL_FS_MOUNT_POINT_PRIMARY of edge-core */
	struct platform_place state;                       /* our own notes */
	struct platform_place clears[PLATFORM_CLEARS_MAX]; /* what belongs to an old identity; the last has no base */
	const char *service;                               /* edge-core */
};

/* NULL: there is no such platform. */
const struct platform *platform_find(const char *name);

#endif
