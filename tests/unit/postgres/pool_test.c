/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool without a server: connections that are opened, answer, are lost or hang as the test says, and a clock that stands still.
 */
#include "plugins/storage/postgres/pool.h"
#include "plugins/storage/postgres/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_MAX 4u

struct session {
	pep_status result; /* of the next statement */
	bool again;
};

/* The world of one test; sessions have no other way to it. */
static struct {
	unsigned opened, closed;
	pep_status open_status;
} world;

int64_t wire_now_ms(void)
{
	return 1000; /* no pause ever ends by itself */
}

pep_status session_open(struct connect_settings *settings, struct session **ret_session, struct pep_error *err)
{
	(void)settings;
	if (world.open_status != PEP_OK)
		return pep_fail(err, world.open_status, 0, "cannot connect");
	world.opened++;
	*ret_session = calloc(1, sizeof(struct session));
	return PEP_OK;
}

void session_close(struct session *session)
{
	world.closed += session != NULL;
	free(session);
}

bool session_is_well(struct session *session)
{
	return session != NULL;
}

pep_status session_run(struct session *session, const struct session_call *call, int64_t timeout_ms, PGresult **ret_result,
		       bool *ret_again, struct pep_error *err)
{
	(void)call;
	(void)timeout_ms;
	*ret_result = NULL;
	*ret_again = session->again;
	return session->result == PEP_OK ? PEP_OK : pep_fail(err, session->result, 0, "as the test says");
}

static struct pool *open_pool(struct connect_settings *settings)
{
	struct pool *pool = NULL;

	memset(&world, 0, sizeof(world));
	assert_int_equal(pool_new(settings, COUNT_MAX, 100, &pool, NULL), PEP_OK);
	return pool;
}

/* All of its connections, idle. The first one is taken next. */
static void fill(struct pool *pool, struct session *sessions[COUNT_MAX])
{
	for (unsigned i = 0; i < COUNT_MAX; i++)
		assert_int_equal(pool_take(pool, &sessions[i], NULL), PEP_OK);
	for (unsigned i = COUNT_MAX; i > 0; i--)
		pool_give(pool, sessions[i - 1], false);
}

static pep_status run(struct pool *pool, enum pool_kind kind)
{
	const struct session_call call = {.number = QUERY_NOW};
	PGresult *result = NULL;

	return pool_run(pool, kind, &call, &result, NULL);
}

static void connections_are_used_again(void **state)
{
	struct connect_settings settings = {0};
	struct pool *pool = open_pool(&settings);

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(run(pool, POOL_WRITE), PEP_OK);
	assert_int_equal(world.opened, 1);
	pool_free(pool);
	assert_int_equal(world.closed, 1);
}

static void a_read_is_tried_on_another_connection(void **state)
{
	struct connect_settings settings = {0};
	struct pool *pool = open_pool(&settings);
	struct session *sessions[COUNT_MAX];

	(void)state;
	fill(pool, sessions);
	sessions[0]->result = PEP_UNKNOWN;
	sessions[0]->again = true;
	assert_int_equal(run(pool, POOL_READ), PEP_OK);
	assert_int_equal(world.closed, 1);
	sessions[1]->result = PEP_UNKNOWN;
	sessions[1]->again = true;
	assert_int_equal(run(pool, POOL_WRITE), PEP_UNKNOWN);
	assert_int_equal(world.closed, 2);
	pool_free(pool);
}

/* Else each of them would have to be waited for. */
static void one_that_hangs_takes_the_idle_ones_with_it(void **state)
{
	struct connect_settings settings = {0};
	struct pool *pool = open_pool(&settings);
	struct session *sessions[COUNT_MAX], *busy = NULL;

	(void)state;
	fill(pool, sessions);
	for (unsigned i = 0; i < COUNT_MAX; i++)
		sessions[i]->result = PEP_UNKNOWN;
	assert_int_equal(pool_take(pool, &busy, NULL), PEP_OK);
	assert_int_equal(run(pool, POOL_READ), PEP_UNAVAILABLE);
	assert_int_equal(world.closed, COUNT_MAX - 1); /* not the one that somebody has */
	assert_int_equal(run(pool, POOL_READ), PEP_OK);
	assert_int_equal(world.opened, COUNT_MAX + 1);
	pool_give(pool, busy, false);
	pool_free(pool);
}

static void a_server_that_is_down_is_left_alone_for_a_while(void **state)
{
	struct connect_settings settings = {0};
	struct pool *pool = open_pool(&settings);

	(void)state;
	world.open_status = PEP_UNAVAILABLE;
	assert_int_equal(run(pool, POOL_READ), PEP_UNAVAILABLE);
	world.open_status = PEP_OK;
	assert_int_equal(run(pool, POOL_READ), PEP_UNAVAILABLE);
	assert_int_equal(world.opened, 0);
	pool_free(pool);
}

/* "Ready" on one connection, and "cannot connect" for those that need another one? */
static void an_answer_ends_the_pause(void **state)
{
	struct connect_settings settings = {0};
	struct pool *pool = open_pool(&settings);
	struct session *busy = NULL, *other = NULL;

	(void)state;
	assert_int_equal(pool_take(pool, &busy, NULL), PEP_OK);
	world.open_status = PEP_UNAVAILABLE;
	assert_int_equal(run(pool, POOL_READ), PEP_UNAVAILABLE);
	world.open_status = PEP_OK;
	assert_int_equal(run(pool, POOL_READ), PEP_UNAVAILABLE);
	pool_give(pool, busy, false);
	assert_int_equal(pool_take(pool, &busy, NULL), PEP_OK);
	assert_int_equal(pool_take(pool, &other, NULL), PEP_OK);
	pool_give(pool, busy, false);
	pool_give(pool, other, false);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_used_again),
		cmocka_unit_test(a_read_is_tried_on_another_connection),
		cmocka_unit_test(one_that_hangs_takes_the_idle_ones_with_it),
		cmocka_unit_test(a_server_that_is_down_is_left_alone_for_a_while),
		cmocka_unit_test(an_answer_ends_the_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
