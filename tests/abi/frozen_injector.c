/* SPDX-License-Identifier: Apache-2.0 */
#include "frozen_1_0.h"

#include <stdio.h>

static int32_t injector_open(const struct v1_host *host, const union v1_value *values, void **ret_injector, struct v1_error *err)
{
	(void)values;
	(void)err;
	*ret_injector = (void *)host->ctx;
	return V1_OK;
}

static void injector_close(void *injector)
{
	(void)injector;
}

static int32_t injector_self_test(void *injector, struct v1_error *err)
{
	(void)injector;
	(void)err;
	return V1_OK;
}

static int32_t injector_inject(void *injector, const struct v1_target *target, const struct v1_identity *id, int64_t timeout_ms,
			       struct v1_witness *witness, struct v1_injection *ret, struct v1_error *err)
{
	int32_t status = witness->contacted(witness, err);

	(void)injector;
	(void)timeout_ms;
	if (status == V1_OK)
		status = witness->issued(witness, "A-FROZEN", err);
	if (status != V1_OK)
		return status;
	ret->outcome = V1_DELIVERED;
	(void)snprintf(ret->detail, sizeof(ret->detail), "%s at %s:%u", id->serial, target->ip, target->port);
	return V1_OK;
}

static const struct v1_injector_ops ops = {
	.struct_size = sizeof(ops),
	.open = injector_open,
	.close = injector_close,
	.self_test = injector_self_test,
	.inject = injector_inject,
};
static const struct v1_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = 1,
	.kind = V1_INJECTOR,
	.option_size = sizeof(struct v1_option),
	.name = "frozen_injector",
	.version = "1.0.0",
	.ops = &ops,
};

__attribute__((visibility("default"))) const struct v1_plugin *pep_plugin_probe(uint16_t host_major);
const struct v1_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == 1 ? &plugin : NULL;
}
