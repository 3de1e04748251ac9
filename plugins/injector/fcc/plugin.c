/* SPDX-License-Identifier: Apache-2.0
 *
 * fcc: speaks to the factory configurator client on a gateway itself. No tool, no other process.
 */
#include "session.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define DAY_S 86400

static void fcc_close(void *injector)
{
	struct fcc *fcc = injector;

	authority_close(fcc->authority);
	certificate_wipe(&fcc->server_ca);
	certificate_wipe(&fcc->update_certificate);
	settings_free(&fcc->settings);
	free(fcc);
}

static pep_status fcc_open(const struct pep_host *host, const union pep_value *values, void **ret_injector, struct pep_error *err)
{
	struct fcc *fcc = calloc(1, sizeof(*fcc));
	pep_status status;

	if (!fcc)
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcc: no memory for an injector");
	fcc->host = host;
	status = settings_read(values, &fcc->settings, err);
	if (status != PEP_OK) {
		fcc_close(fcc);
		return status;
	}
	*ret_injector = fcc;
	return PEP_OK;
}

static pep_status load_certificates(struct fcc *fcc, struct pep_error *err)
{
	const struct settings *settings = &fcc->settings;
	int64_t expires_s = 0;
	pep_status status;

	certificate_wipe(&fcc->server_ca); /* of an earlier test that failed */
	certificate_wipe(&fcc->update_certificate);
	fcc->update_expires_s = INT64_MAX;
	status = certificate_load("bootstrap_ca", settings->server_ca, &fcc->server_ca, &expires_s, err);
	if (status != PEP_OK || !*settings->update_certificate)
		return status;
	status = certificate_load("update_certificate", settings->update_certificate, &fcc->update_certificate, &expires_s, err);
	if (status != PEP_OK || !settings->verify_on_device)
		return status;
	if (expires_s <= time(NULL))
		return pep_fail(err, PEP_INVALID, 0,
				"fcc: update_certificate %.200s has expired, and every gateway would refuse it",
				settings->update_certificate);
	fcc->update_expires_s = expires_s;
	return PEP_OK;
}

/* What works, and will be regretted. */
static void warn(const struct fcc *fcc)
{
	const struct settings *settings = &fcc->settings;
	const struct pep_host *host = fcc->host;

	if (authority_expires_s(fcc->authority) < time(NULL) + settings->validity_days * DAY_S)
		host->log(host, 4, "fcc: ca_certificate expires before the gateway certificates that it signs");
	if (!settings->by_device)
		host->log(host, 4,
			  "fcc: key_mode by_tool sends private keys over the network in the clear; see docs/plugins/fcc.md");
}

/* From here on the process has the authority's key. 0 counts for files only; 1 is too small for a file, and Linux takes it as "none" for
 * a program that collects dumps, too. */
static void keep_out_of_core_dumps(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max < 1 ? limit.rlim_max : 1;
		(void)setrlimit(RLIMIT_CORE, &limit);
	}
}

static pep_status fcc_self_test(void *injector, struct pep_error *err)
{
	struct fcc *fcc = injector;
	pep_status status;

	if (fcc->authority)
		return PEP_OK;
	status = load_certificates(fcc, err);
	keep_out_of_core_dumps();
	if (status == PEP_OK)
		status = authority_open(&fcc->settings, &fcc->authority, err);
	if (status == PEP_OK)
		warn(fcc);
	return status;
}

static pep_status fcc_inject(void *injector, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms,
			     struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err)
{
	return session_run(injector, target, id, timeout_ms, witness, ret, err);
}

static const struct pep_injector_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.open = fcc_open,
	.close = fcc_close,
	.self_test = fcc_self_test,
	.inject = fcc_inject,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_INJECTOR,
	.option_size = sizeof(struct pep_option),
	.name = "fcc",
	.version = "1.0.0",
	.options = settings_options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
