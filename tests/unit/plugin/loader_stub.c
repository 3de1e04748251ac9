/* SPDX-License-Identifier: Apache-2.0 */
#include "loader_stub.h"

#include "core/config/options.h"
#include "core/plugin/loader.h"

/* State at file scope: stubs have nowhere else to keep it. */
struct library stub_library;
bool stub_load_fails, stub_options_fail;
int stub_options_open;

pep_status loader_load(const char *folder, const char *name, int32_t kind, const struct library **ret_library,
		       struct pep_error *err)
{
	(void)folder;
	if (stub_load_fails)
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" is refused", name);
	stub_library.plugin.name = name;
	stub_library.plugin.kind = kind;
	*ret_library = &stub_library;
	return PEP_OK;
}

pep_status options_read(const struct config_instance *instance, const struct pep_option *options, const char *data_dir,
			struct option_values **ret_values, struct pep_error *err)
{
	(void)instance;
	(void)options;
	(void)data_dir;
	if (stub_options_fail)
		return pep_fail(err, PEP_INVALID, 0, "c.yaml:1:1: options are refused");
	stub_options_open++;
	*ret_values = NULL;
	return PEP_OK;
}

const union pep_value *options_values(const struct option_values *values)
{
	(void)values;
	return NULL;
}

void options_free(struct option_values *values)
{
	(void)values;
	stub_options_open--;
}
