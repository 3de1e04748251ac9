/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "core/plugin/gate.h"
#include "core/plugin/slot.h"

#include <errno.h>
#include <stdlib.h>

struct injector {
	struct slot slot;
	struct gate gate; /* of a SERIAL plugin, in place of the slot's lock: whoever waits here has a deadline */
	const struct pep_injector_ops *ops;
	void *injector;
};

pep_status injector_open(const struct instance_context *context, const struct config_instance *config,
			 struct injector **ret_injector, struct pep_error *err)
{
	AUTO(free_ptr) struct injector *injector = calloc(1, sizeof(*injector));
	pep_status status;

	if (!injector)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while opening injector \"%s\"", config->name);
	status = slot_init(&injector->slot, context, config, PEP_INJECTOR, err);
	if (status != PEP_OK)
		return status;
	if (!gate_init(&injector->gate)) {
		slot_fini(&injector->slot);
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while opening injector \"%s\"", config->name);
	}
	injector->ops = &injector->slot.library->ops.injector;
	status = injector->ops->open(&injector->slot.host.api, options_values(injector->slot.options), &injector->injector, err);
	if (status == PEP_OK) {
		status = injector->ops->self_test(injector->injector, err);
		if (status != PEP_OK)
			injector->ops->close(injector->injector);
	}
	if (status != PEP_OK) {
		status = slot_result(&injector->slot, status, PEP_INTERNAL, err);
		gate_fini(&injector->gate);
		slot_fini(&injector->slot);
		return status;
	}
	*ret_injector = TAKE(injector);
	return PEP_OK;
}

void injector_close(struct injector *injector)
{
	if (!injector)
		return;
	injector->ops->close(injector->injector);
	gate_fini(&injector->gate);
	slot_fini(&injector->slot);
	free(injector);
}

bool injector_is_opaque(const struct injector *injector)
{
	return injector->ops->flags & PEP_INJECTOR_OPAQUE;
}

const char *injector_name(const struct injector *injector)
{
	return injector->slot.library->plugin.name;
}

/* Another injection of a SERIAL plugin may take as long as ours may: waiting counts against the time limit, which is then lowered. */
static pep_status enter_within(struct injector *injector, int64_t *timeout_ms, struct pep_error *err)
{
	int64_t start = clock_boot_ms();

	if (!injector->slot.is_serial)
		return PEP_OK;
	if (gate_enter(&injector->gate, *timeout_ms > 0 ? *timeout_ms : 0)) {
		*timeout_ms -= clock_boot_ms() - start;
		if (*timeout_ms > 0)
			return PEP_OK;
		gate_leave(&injector->gate);
	}
	return pep_fail(err, PEP_TIMEOUT, ETIMEDOUT,
			"injector \"%s\" does one injection at a time and was busy until the time limit", injector->slot.name);
}

static void leave(struct injector *injector)
{
	if (injector->slot.is_serial)
		gate_leave(&injector->gate);
}

/* What the plugin does not say is `unsaid`. */
static pep_status settle(const struct injector *injector, pep_status status, uint32_t unsaid, struct pep_injection *ret,
			 struct pep_error *err)
{
	ret->struct_size = sizeof(*ret);
	ret->enrollment_id[sizeof(ret->enrollment_id) - 1] = '\0';
	ret->detail[sizeof(ret->detail) - 1] = '\0';
	if (ret->outcome < PEP_DELIVERED || ret->outcome > PEP_DOUBTFUL)
		ret->outcome = unsaid;
	if (status == PEP_OK && ret->outcome != PEP_DELIVERED)
		return pep_fail(err, PEP_INTERNAL, 0, "injector \"%s\" reported success, but not that the gateway has its identity",
				injector->slot.name);
	return slot_result(&injector->slot, status, PEP_INTERNAL, err);
}

pep_status injector_inject(struct injector *injector, const struct pep_target *target, const struct pep_identity *id,
			   int64_t timeout_ms, struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err)
{
	pep_status status;

	*ret = (struct pep_injection){.struct_size = sizeof(*ret)};
	status = enter_within(injector, &timeout_ms, err);
	if (status != PEP_OK) {
		ret->outcome = PEP_NOT_SENT;
		return status;
	}
	status = injector->ops->inject(injector->injector, target, id, timeout_ms, witness, ret, err);
	leave(injector);
	return settle(injector, status, PEP_DOUBTFUL, ret, err);
}

pep_status injector_adopt(struct injector *injector, const struct pep_identity *id, int64_t timeout_ms, struct pep_injection *ret,
			  struct pep_error *err)
{
	pep_status status;

	/* Not adopted is not known: the attempt may have got anywhere. */
	*ret = (struct pep_injection){.struct_size = sizeof(*ret), .outcome = PEP_DOUBTFUL};
	if (!injector->ops->adopt)
		return slot_unsupported(&injector->slot, "adopt", err);
	status = enter_within(injector, &timeout_ms, err);
	if (status != PEP_OK)
		return status;
	ret->outcome = 0;
	status = injector->ops->adopt(injector->injector, id, timeout_ms, ret, err);
	leave(injector);
	/* An attempt that was never started has sent nothing. */
	return settle(injector, status, status == PEP_NOT_FOUND ? PEP_NOT_SENT : PEP_DOUBTFUL, ret, err);
}

void injector_forget(struct injector *injector, const struct pep_identity *id)
{
	if (!injector->ops->forget)
		return;
	if (injector->slot.is_serial)
		(void)gate_enter(&injector->gate, -1);
	injector->ops->forget(injector->injector, id);
	leave(injector);
}
