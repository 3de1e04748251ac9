/* SPDX-License-Identifier: Apache-2.0
 *
 * vitals_test.c - what is looked at is told as it is, also while the store keeps a look waiting. All neighbours are stubs.
 */
#include "core/service/vitals.h"

#include "core/base/cleanup.h"
#include "core/service/audit.h"
#include "core/service/certificate_end.h"
#include "core/service/push.h"
#include "core/service/spool.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What the stubs play: they have no other way to the test. */
static atomic_bool is_away, is_held, is_audited, is_failing;
static atomic_uint spooled, changes, looks;
static atomic_int done;

pep_status storage_ping(struct storage *storage, struct pep_error *err)
{
	(void)storage;
	atomic_fetch_add(&looks, 1);
	while (atomic_load(&is_held))
		(void)sched_yield();
	return atomic_load(&is_away) ? pep_fail(err, PEP_UNAVAILABLE, 0, "the store is away") : PEP_OK;
}

pep_status storage_count(struct storage *storage, const struct pep_scan_query *query, int64_t *ret_count, struct pep_error *err)
{
	(void)storage;
	if (atomic_load(&is_away))
		return pep_fail(err, PEP_UNAVAILABLE, 0, "the store is away");
	*ret_count = INT64_C(10) * query->state;
	return PEP_OK;
}

unsigned spool_count(const struct spool *spool)
{
	(void)spool;
	return atomic_load(&spooled);
}

void audit_report(struct audit *audit, struct audit_report *ret_report)
{
	(void)audit;
	*ret_report = (struct audit_report){.is_well = atomic_load(&is_audited)};
}

size_t push_count(const struct push *push)
{
	(void)push;
	return 1;
}

void push_report(struct push *push, size_t i, struct subscriber_report *ret_report)
{
	(void)push;
	assert_int_equal(i, 0);
	*ret_report =
		(struct subscriber_report){.name = "mes", .state = atomic_load(&is_failing) ? SUBSCRIBER_FAILING : SUBSCRIBER_OK};
}

static pep_status list_orders(void *context, json_t **ret_list, struct pep_error *err)
{
	(void)context;
	(void)err;
	*ret_list = json_pack("[{s:s, s:i}]", "name", "first", "done", atomic_load(&done));
	return PEP_OK;
}

static void changed(void *context)
{
	(void)context;
	atomic_fetch_add(&changes, 1);
}

static struct vitals *start(int64_t interval_ms)
{
	const struct vitals_settings settings = {.data_dir = "/tmp",
						 .list_orders = list_orders,
						 .changed = changed,
						 .tls_path = "/nonexistent/tls.pem",
						 .interval_ms = interval_ms};
	struct vitals *vitals = NULL;
	struct pep_error err = {0};

	atomic_store(&is_away, false);
	atomic_store(&is_held, false);
	atomic_store(&is_audited, true);
	atomic_store(&is_failing, false);
	atomic_store(&spooled, 0);
	atomic_store(&done, 0);
	atomic_store(&changes, 0);
	assert_int_equal(vitals_new(&settings, &vitals, &err), PEP_OK);
	return vitals;
}

static bool is_ok(struct vitals *vitals, const char *name)
{
	struct vitals_report report;

	vitals_report(vitals, &report);
	for (size_t i = 0; i < report.check_count; i++)
		if (strcmp(report.checks[i].name, name) == 0)
			return report.checks[i].is_ok;
	fail_msg("no check %s", name);
	return false;
}

static void wait_until(struct vitals *vitals, const char *name, bool ok)
{
	while (is_ok(vitals, name) != ok)
		(void)sched_yield();
}

static void checks(void **state)
{
	struct vitals *vitals = start(5);
	struct vitals_report report;

	(void)state;
	/* The first look is over when the server starts. */
	assert_true(is_ok(vitals, "storage"));
	assert_true(is_ok(vitals, "spool"));
	assert_true(is_ok(vitals, "audit"));
	assert_true(is_ok(vitals, "push mes"));
	assert_false(is_ok(vitals, "tls")); /* there is no such file */
	do
		vitals_report(vitals, &report);
	while (!report.has_units);
	assert_int_equal(report.units[PEP_DEPLOYED], PEP_DEPLOYED * 10);
	atomic_store(&spooled, 3);
	wait_until(vitals, "spool", false);
	atomic_store(&is_audited, false);
	wait_until(vitals, "audit", false);
	atomic_store(&is_failing, true);
	wait_until(vitals, "push mes", false);
	atomic_store(&is_away, true);
	wait_until(vitals, "storage", false);
	vitals_report(vitals, &report);
	assert_false(report.has_units);
	assert_true(atomic_load(&changes) >= 4);
	atomic_store(&is_away, false);
	wait_until(vitals, "storage", true);
	vitals_free(vitals);
}

/* Nobody who asks waits with it. */
static void a_store_that_hangs(void **state)
{
	struct vitals *vitals = start(5);
	struct vitals_report report;

	(void)state;
	do
		vitals_report(vitals, &report);
	while (!report.has_units);
	atomic_store(&is_held, true);
	wait_until(vitals, "storage", false);
	vitals_report(vitals, &report);
	assert_non_null(strstr(report.checks[0].detail, "has not answered"));
	assert_false(report.has_units);
	atomic_store(&is_held, false);
	wait_until(vitals, "storage", true);
	vitals_free(vitals);
}

static void news_of_orders(void **state)
{
	struct vitals *vitals = start(1);
	json_t *orders = vitals_orders(vitals);
	unsigned before;
	unsigned seen;

	(void)state;
	assert_int_equal(json_array_size(orders), 1);
	json_decref(orders);
	/* Nothing new: nobody is told. */
	before = atomic_load(&changes);
	seen = atomic_load(&looks);
	while (atomic_load(&looks) < seen + 3)
		(void)sched_yield();
	assert_int_equal(atomic_load(&changes), before);
	atomic_store(&done, 1);
	while (atomic_load(&changes) == before)
		(void)sched_yield();
	orders = vitals_orders(vitals);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(orders, 0), "done")), 1);
	json_decref(orders);
	vitals_free(vitals);
}

static void room_on_the_disk(void **state)
{
	(void)state;
	assert_true(vitals_disk_free("/tmp") > 0);
	assert_int_equal(vitals_disk_free("/nonexistent"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks),
		cmocka_unit_test(a_store_that_hangs),
		cmocka_unit_test(news_of_orders),
		cmocka_unit_test(room_on_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
