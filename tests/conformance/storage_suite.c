/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_suite.h"

#include "plugin_table.h"
#include "storage_cases.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* What a test starts from. */
struct start {
	const struct storage_facts *facts;
	unsigned *next_number; /* two stores for each test: the second for those that open another */
};

static int set_up(void **state)
{
	const struct start *start = *state;
	struct store_driver *driver = malloc(sizeof(*driver));

	if (!driver)
		return -1;
	store_open(driver, start->facts, *start->next_number);
	*start->next_number += 2;
	*state = driver;
	return 0;
}

static int tear_down(void **state)
{
	struct store_driver *driver = *state;

	store_close(driver);
	free(driver);
	return 0;
}

static int run_group(const char *name, const struct storage_case *cases, struct start *start)
{
	struct CMUnitTest *tests;
	size_t count = 0;
	int failed;

	while (cases[count].name)
		count++;
	tests = calloc(count + 1, sizeof(*tests));
	if (!tests)
		return 1;
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){cases[i].name, cases[i].run, set_up, tear_down, start};
	failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
	free(tests);
	return failed;
}

int storage_suite_run(const struct storage_facts *facts)
{
	unsigned next_number = 0;
	struct start start = {facts, &next_number};
	const struct pep_storage_ops *ops = plugin_table_load(facts->file, PEP_STORAGE)->ops;
	bool has_notes = ops->struct_size >= sizeof(*ops) && ops->note_read;

	return run_group("storage: writes", storage_write_cases, &start) +
	       run_group("storage: values", storage_value_cases, &start) + run_group("storage: walks", storage_walk_cases, &start) +
	       run_group("storage: threads", storage_thread_cases, &start) +
	       run_group("storage: order", storage_order_cases, &start) + run_group("storage: large", storage_large_cases, &start) +
	       (has_notes ? run_group("storage: notes", storage_note_cases, &start) : 0);
}
