/* SPDX-License-Identifier: Apache-2.0 */

/* Every type of the plugin contract, for abidw(1) to read from the debugging information. */
#include <pep/exporter.h>
#include <pep/injector.h>
#include <pep/storage.h>

PEP_EXPORT void contract(const struct pep_plugin *plugin, const union pep_value *value, const struct pep_host *host,
			 const struct pep_storage_ops *storage, const struct pep_injector_ops *injector,
			 const struct pep_exporter_ops *exporter);
void contract(const struct pep_plugin *plugin, const union pep_value *value, const struct pep_host *host,
	      const struct pep_storage_ops *storage, const struct pep_injector_ops *injector,
	      const struct pep_exporter_ops *exporter)
{
	(void)plugin;
	(void)value;
	(void)host;
	(void)storage;
	(void)injector;
	(void)exporter;
}
