/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_aligned_and_apart(void **state)
{
	struct arena arena = {0};
	unsigned char *pieces[400];

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		pieces[i] = arena_alloc(&arena, i % 97);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		memset(pieces[i], (int)(i % 251), i % 97);
	}
	for (size_t i = 0; i < 400; i++)
		for (size_t j = 0; j < i % 97; j++)
			assert_int_equal(pieces[i][j], i % 251);
	arena_fini(&arena);
}

static void large_pieces_do_not_waste_the_block(void **state)
{
	struct arena arena;
	char *before;
	char *after;
	char *large;

	(void)state;
	arena_init(&arena);
	before = arena_alloc(&arena, 16);
	large = arena_alloc(&arena, 1000000);
	after = arena_alloc(&arena, 16);
	assert_non_null(large);
	memset(large, 1, 1000000);
	assert_ptr_equal(after, before + 16);
	arena_fini(&arena);
}

static void a_large_piece_may_be_the_first(void **state)
{
	struct arena arena = {0};
	char *large = arena_alloc(&arena, 100000);
	char *small = arena_alloc(&arena, 1);

	(void)state;
	memset(large, 1, 100000);
	*small = 2;
	assert_int_equal(large[99999], 1);
	arena_fini(&arena);
	assert_null(arena.blocks);
	assert_null(arena.next);
}

static void sizes_at_the_edges(void **state)
{
	static const size_t edges[] = {0, 1, 15, 16, 17, 1023, 1024, 1025, 4079, 4080, 4081, 4096};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		unsigned char *piece = arena_zalloc(&arena, edges[i]);

		assert_non_null(piece);
		for (size_t j = 0; j < edges[i]; j++)
			assert_int_equal(piece[j], 0);
		memset(piece, 0xff, edges[i]);
	}
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 8));
	assert_null(arena_zalloc(&arena, SIZE_MAX / 2 + 1));
	arena_fini(&arena);
}

static void texts(void **state)
{
	struct arena arena = {0};
	char *copy = arena_copy(&arena, "abcdef", 3);

	(void)state;
	assert_string_equal(copy, "abc");
	assert_string_equal(arena_copy(&arena, NULL, 0), "");
	assert_string_equal(arena_text(&arena, ""), "");
	assert_string_equal(arena_text(&arena, "text"), "text");
	assert_null(arena_text(&arena, NULL));
	assert_memory_equal(arena_copy(&arena, "a\0b", 3), "a\0b", 4);
	assert_string_equal(arena_format(&arena, "%s-%d", "x", 7), "x-7");
	assert_string_equal(arena_format(&arena, "%s", ""), "");
	assert_int_equal(strlen(arena_format(&arena, "%9000d", 1)), 9000);
	arena_fini(&arena);
}

static void an_arena_may_be_used_again(void **state)
{
	struct arena arena = {0};

	(void)state;
	arena_fini(&arena);
	for (int i = 0; i < 3; i++) {
		assert_non_null(arena_alloc(&arena, 3000));
		assert_non_null(arena_alloc(&arena, 30));
		arena_fini(&arena);
		assert_null(arena.blocks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_apart),
		cmocka_unit_test(large_pieces_do_not_waste_the_block),
		cmocka_unit_test(a_large_piece_may_be_the_first),
		cmocka_unit_test(sizes_at_the_edges),
		cmocka_unit_test(texts),
		cmocka_unit_test(an_arena_may_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
