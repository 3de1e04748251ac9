/* SPDX-License-Identifier: Apache-2.0
 *
 * no_orders.c - the provisioner of these tests has no orders: nobody may ask for one. tests/unit/orders has them.
 */
#include "core/service/grants.h"
#include "core/service/orders.h"

#include <stdlib.h>

const struct order_field order_fields[ORDER_FIELD_COUNT];

pep_status orders_admit(struct orders *orders, struct arena *arena, const char *serial, enum orders_verdict *ret_verdict,
			struct orders_place *ret_place, struct pep_error *err)
{
	(void)orders, (void)arena, (void)serial, (void)ret_verdict, (void)ret_place, (void)err;
	abort();
}

pep_status orders_hold(struct orders *orders, const struct orders_place *place, const char *serial, uint32_t attempt,
		       enum orders_verdict *ret_verdict, struct pep_error *err)
{
	(void)orders, (void)place, (void)serial, (void)attempt, (void)ret_verdict, (void)err;
	abort();
}

void orders_settle(struct orders *orders, const struct orders_place *place, const char *serial)
{
	(void)orders, (void)place, (void)serial;
	abort();
}

pep_status orders_recover(struct orders *orders, struct pep_error *err)
{
	(void)orders, (void)err;
	abort();
}

pep_status grants_find(struct storage *storage, const char *serial, const char *enrollment_id, json_t **ret_grant,
		       struct pep_error *err)
{
	(void)storage, (void)serial, (void)enrollment_id, (void)ret_grant, (void)err;
	abort();
}
