/* SPDX-License-Identifier: Apache-2.0
 *
 * machine_memory_test.c - every allocation fails once: the verdict is MACHINE_NO_MEMORY, nothing is written, nothing leaks.
 */
#include "tests/unit/service/records.h"

#include "core/service/history.h"

#include <jansson.h>
#include <stdlib.h>

/* The linker sends every malloc() of this program here, jansson's by way of core/base/json.c; it has to be static data. */
static unsigned long allocations; /* so far */
static unsigned long fail_at;     /* this one fails; 0: none */
static bool fail_on;              /* and every later one */
static long alive;                /* not yet freed */

void *__real_malloc(size_t size); /* NOLINT(bugprone-reserved-identifier): the linker's names */
void *__wrap_malloc(size_t size); /* NOLINT(bugprone-reserved-identifier) */
void __real_free(void *memory);   /* NOLINT(bugprone-reserved-identifier) */
void __wrap_free(void *memory);   /* NOLINT(bugprone-reserved-identifier) */

void *__wrap_malloc(size_t size) /* NOLINT(bugprone-reserved-identifier) */
{
	void *memory;

	allocations++;
	if (fail_at && (allocations == fail_at || (fail_on && allocations > fail_at)))
		return NULL;
	memory = __real_malloc(size);
	alive += memory != NULL;
	return memory;
}

void __wrap_free(void *memory) /* NOLINT(bugprone-reserved-identifier) */
{
	alive -= memory != NULL;
	__real_free(memory);
}

static void arm(unsigned long at)
{
	allocations = 0;
	fail_at = at;
}

/* One event on one record; the verdict. */
typedef enum machine_verdict act(struct arena *arena, struct pep_identity *ret_next);

static enum machine_verdict act_contact(struct arena *arena, struct pep_identity *ret_next)
{
	struct pep_identity record = record_claimed_over(PEP_DEPLOYED);
	struct pep_identity fields = request_fields();
	struct machine_contact event = {.by = holder(), .fields = &fields, .now_ms = NOW, .lease_ms = LEASE};

	record.history = "[{\"attempt\":1,\"enrollmentID\":\"A-1\",\"ended\":\"in_doubt\"}]";
	return machine_contact(arena, &record, &event, ret_next);
}

static enum machine_verdict act_deliver(struct arena *arena, struct pep_identity *ret_next)
{
	struct pep_identity record = record_in(PEP_ISSUED);
	struct machine_delivery event = {.attempt = 1, .enrollment_id = "A-1", .dispatch_id = "dispatch-new", .now_ms = NOW};

	record.history = "[{\"attempt\":1,\"ended\":\"in_doubt\"}]";
	return machine_deliver(arena, &record, &event, ret_next);
}

static enum machine_verdict act_deliver_first(struct arena *arena, struct pep_identity *ret_next)
{
	struct pep_identity record = record_in(PEP_ISSUED);
	struct machine_delivery event = {.attempt = 1, .enrollment_id = "A-1", .dispatch_id = "dispatch-new", .now_ms = NOW};

	return machine_deliver(arena, &record, &event, ret_next);
}

/* Whatever fails: MACHINE_NO_MEMORY and an untouched output, or (where jansson can do without) all as if nothing had been. */
static void fail_each(act *run, bool on)
{
	unsigned long failed = 0;

	fail_on = on;
	for (unsigned long at = 1;; at++) {
		struct arena arena = {0};
		struct pep_identity next = untouched();
		enum machine_verdict verdict;
		unsigned long count;

		arm(at);
		verdict = run(&arena, &next);
		count = allocations;
		arm(0);
		if (verdict == MACHINE_NO_MEMORY) {
			failed++;
			assert_untouched(&next);
		} else {
			assert_int_equal(verdict, MACHINE_WRITE);
			assert_non_null(next.history);
		}
		arena_fini(&arena);
		assert_int_equal(alive, 0);
		if (count < at)
			break;
	}
	assert_true(failed > 2);
	fail_on = false;
}

static void contact_without_memory(void **state)
{
	(void)state;
	fail_each(act_contact, false);
	fail_each(act_contact, true);
}

static void delivery_without_memory(void **state)
{
	(void)state;
	fail_each(act_deliver, false);
	fail_each(act_deliver, true);
	fail_each(act_deliver_first, false);
	fail_each(act_deliver_first, true);
}

/* A spooled outcome is removed only when it is known to be there. */
static void unreadable_is_not_delivered(void **state)
{
	struct pep_identity record = record_in(PEP_ISSUED);

	(void)state;
	record.history = "[{\"attempt\":1,\"ended\":\"delivered\"}]";
	fail_on = true;
	arm(1);
	assert_false(machine_has_delivery(&record, 1));
	arm(0);
	fail_on = false;
	assert_true(machine_has_delivery(&record, 1));
	assert_int_equal(alive, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contact_without_memory),
		cmocka_unit_test(delivery_without_memory),
		cmocka_unit_test(unreadable_is_not_delivered),
	};

	json_object_seed(1); /* once, before allocations are counted */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
