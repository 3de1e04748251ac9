/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/platform.h"

#include <string.h>

static const struct platform platforms[] = {
	/* The Linux micro Platform, built with Yocto. The last three are of old images: maestro's, devicedb's and the info command's. */
	{.name = "lmp",
	 .identity = {"/userdata", "edge_gw_config/identity.json"},
	 .store = {"/userdata", "mbed/mcc_config"},
	 .state = {"/userdata", "pep"},
	 .clears = {{"/userdata", "edge_gw_config"},
		    {"/userdata", "mbed/mcc_config"},
		    {"/userdata", "etc/devicejs/db"},
		    {"/userdata", "etc/maestroConfig.db"},
		    {"/wigwag", "system/lib/bash/relaystatics.sh"}},
	 .service = "edge-core"},
	{.name = "deb",
	 .identity = {"/var/lib/pelion", "edge_gw_config/identity.json"},
	 .store = {"/var/lib/pelion", "mbed/mcc_config"},
	 .state = {"/var/lib", "pep-cli"},
	 .clears = {{"/var/lib/pelion", "edge_gw_config"}, {"/var/lib/pelion", "mbed/mcc_config"}},
	 .service = "edge-core"},
	/* `current` is a link of snapd's, so it is part of the base. */
	{.name = "snap",
	 .identity = {"/var/snap/pelion-edge/current", "userdata/edge_gw_identity/identity.json"},
	 .store = {"/var/snap/pelion-edge/current", "userdata/mbed/mcc_config"},
	 .state = {"/var/snap/pelion-edge/current", "userdata/pep"},
	 .clears = {{"/var/snap/pelion-edge/current", "userdata/edge_gw_identity"},
		    {"/var/snap/pelion-edge/current", "userdata/mbed/mcc_config"}},
	 .service = "snap.pelion-edge.edge-core"},
	/* Everything is named by options. */
	{.name = "custom", .service = "edge-core"},
};

const struct platform *platform_find(const char *name)
{
	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
		if (strcmp(platforms[i].name, name) == 0)
			return &platforms[i];
	return NULL;
}
