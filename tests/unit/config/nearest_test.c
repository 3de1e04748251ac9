/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

static void distance_counts_changes(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("port", "port"), 0);
	assert_int_equal(nearest_distance("prot", "port"), 1); /* two neighbours swapped */
	assert_int_equal(nearest_distance("pot", "port"), 1);
	assert_int_equal(nearest_distance("poort", "port"), 1);
	assert_int_equal(nearest_distance("pork", "port"), 1);
	assert_int_equal(nearest_distance("", "port"), 4);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("listen", "lsiten_"), 2);
}

static void long_words_are_far_away(void **state)
{
	char word[80];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_true(nearest_distance(word, "a") == SIZE_MAX);
	assert_true(nearest_distance("a", word) == SIZE_MAX);
	word[64] = '\0';
	assert_int_equal(nearest_distance(word, "a"), 63);
}

static const char *best(const char *word)
{
	static const char *const known[] = {"listen", "port", "workers", "worker_queue", "os", "x"};
	struct nearest nearest;

	nearest_init(&nearest, word);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		nearest_offer(&nearest, known[i]);
	return nearest.best;
}

static void only_near_words_are_offered(void **state)
{
	(void)state;
	assert_string_equal(best("prot"), "port");
	assert_string_equal(best("lisen"), "listen");
	assert_string_equal(best("worker_que"), "worker_queue");
	assert_null(best("banana"));
	assert_null(best("q")); /* every word of one letter is one change away */
	assert_null(best(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_counts_changes),
		cmocka_unit_test(long_words_are_far_away),
		cmocka_unit_test(only_near_words_are_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
