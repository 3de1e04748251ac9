/* SPDX-License-Identifier: Apache-2.0 */
#include "injector_driver.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "plugin_table.h"
#include "poison.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_MS 60000

void injector_driver_open(struct injector_driver *driver, const struct injector_facts *facts)
{
	struct pep_error err = {0};

	*driver = (struct injector_driver){.facts = facts, .host = plugin_table_host()};
	driver->ops = plugin_table_load(facts->file, PEP_INJECTOR)->ops;
	assert_int_equal(pthread_mutex_init(&driver->one_at_a_time, NULL), 0);
	if (driver->ops->open(&driver->host, facts->values, &driver->injector, &err) != PEP_OK)
		fail_msg("open: %s", err.message);
	if (driver->ops->self_test(driver->injector, &err) != PEP_OK)
		fail_msg("self_test: %s", err.message);
}

void injector_driver_close(struct injector_driver *driver)
{
	driver->ops->close(driver->injector);
	assert_int_equal(pthread_mutex_destroy(&driver->one_at_a_time), 0);
}

static pep_status on_contacted(struct pep_witness *witness, struct pep_error *err)
{
	struct injector_attempt *attempt = witness->ctx;

	if (attempt->contacted || attempt->issued)
		attempt->in_order = false;
	attempt->contacted++;
	return attempt->refuse_contacted ? pep_fail(err, attempt->refuse_contacted, 0, "the witness says no") : PEP_OK;
}

static pep_status on_issued(struct pep_witness *witness, const char *enrollment_id, struct pep_error *err)
{
	struct injector_attempt *attempt = witness->ctx;

	if (attempt->issued || attempt->refuse_contacted)
		attempt->in_order = false;
	attempt->issued++;
	(void)snprintf(attempt->issued_id, sizeof(attempt->issued_id), "%s", enrollment_id);
	return attempt->refuse_issued ? pep_fail(err, attempt->refuse_issued, 0, "the witness says no") : PEP_OK;
}

static bool on_cancelled(struct pep_witness *witness)
{
	struct injector_attempt *attempt = witness->ctx;

	return atomic_fetch_add(&attempt->questions, 1) + 1 >= attempt->cancel_at && attempt->cancel_at;
}

void injector_driver_run(struct injector_driver *driver, const char *serial, struct injector_attempt *attempt)
{
	char nonce[33];
	struct pep_identity id = {.struct_size = sizeof(id),
				  .state = PEP_CLAIMED,
				  .revision = 1,
				  .attempt = attempt->number ? attempt->number : 1,
				  .serial = serial,
				  .hardware_version = "hw",
				  .radio_config = "00",
				  .led_config = "01",
				  .category = "production",
				  .api_address = "https://api.example",
				  .gateway_services_address = "https://gateways.example",
				  .nonce = nonce};
	struct pep_identity *copy;
	char *ip = strdup(driver->facts->target.ip);
	struct pep_target target = driver->facts->target;
	struct pep_witness witness = {.struct_size = sizeof(witness),
				      .ctx = attempt,
				      .contacted = on_contacted,
				      .issued = on_issued,
				      .cancelled = on_cancelled};
	int64_t start_ms = clock_boot_ms();

	text_random(16, nonce); /* each attempt has its own */
	copy = poison_copy(&id);
	if (!copy || !ip)
		abort();
	target.ip = ip;
	if (attempt->port)
		target.port = attempt->port;
	attempt->in_order = true;
	attempt->result.struct_size = sizeof(attempt->result);
	if (driver->ops->threads == PEP_THREADS_SERIAL)
		(void)pthread_mutex_lock(&driver->one_at_a_time);
	attempt->status =
		driver->ops->inject(driver->injector, &target, copy, attempt->timeout_ms ? attempt->timeout_ms : MINUTE_MS,
				    &witness, &attempt->result, &attempt->err);
	if (driver->ops->threads == PEP_THREADS_SERIAL)
		(void)pthread_mutex_unlock(&driver->one_at_a_time);
	attempt->took_ms = clock_boot_ms() - start_ms;
	memset(ip, 0xa5, strlen(ip));
	free(ip);
	memset(&witness, 0xa5, sizeof(witness));
	poison_free(copy);
}
