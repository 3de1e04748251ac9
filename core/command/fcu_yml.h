/* SPDX-License-Identifier: Apache-2.0
 *
 * fcu_yml.h - an fcu.yml, the configuration of the vendor's factory tool, read as options of the fcc injector.
 */
#ifndef CORE_COMMAND_FCU_YML_H
#define CORE_COMMAND_FCU_YML_H

#include "core/config/parse.h"

/* What could be taken over. A text that is NULL, a flag or number that is negative: the file does not say. */
struct fcu_yml {
	int use_bootstrap, first_to_claim, time_sync, verify_on_device;
	int64_t chain_depth, validity_days, memory_total_kb;
	const char *key_mode, *entropy, *uri;
	const char *vendor_id, *class_id;
	const char *manufacturer, *model_number, *device_type, *hardware_version, *timezone, *utc_offset;
	const char *country, *state, *locality, *organization, *unit;
	/* Names of files, as written: the folder in front may be a placeholder of the tool's environment. */
	const struct parse_node *update_certificate, *server_ca;
	size_t fault_count; /* what every gateway would refuse, or we cannot do; each was told */
};

/* Called with one line for each fault and each key that is not taken over, with file, line and column in front. Keys without a
 * value count as absent. */
typedef void (*fcu_yml_tell)(const char *line);

/* Texts live as long as the arena. Not PEP_OK: the file cannot be read, or is not YAML. */
pep_status fcu_yml_read(struct arena *arena, const char *path, fcu_yml_tell tell, struct fcu_yml *ret_yml, struct pep_error *err);

#endif
