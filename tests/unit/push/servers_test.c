/* SPDX-License-Identifier: Apache-2.0
 *
 * servers_test.c - several servers on one store: one tells, the others wait; and random histories in which nothing may be missed.
 */
#include "world.h"

#include "core/service/dispatch.h"

#define SERVERS 3

static int set_up(void **state)
{
	struct world *world = world_new();

	world->store.flags = PEP_STORAGE_SHARED;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	world_free(*state);
	return 0;
}

static struct subscriber *start(struct world *world, const char *owner)
{
	const struct subscriber_setup setup = world_setup(world, owner);

	return world_subscriber(&setup);
}

static void turn(struct subscriber *subscriber)
{
	bool is_patient;

	(void)subscriber_turn(subscriber, &is_patient);
}

static void one_tells_the_other_waits(void **state)
{
	struct world *world = *state;
	struct subscriber *a = start(world, "line-a/1"), *b = start(world, "line-b/1");

	for (unsigned i = 0; i < 600; i++) {
		char serial[16];

		(void)snprintf(serial, sizeof(serial), "S%u", i);
		world_deploy(world, serial, world_now_ms);
		turn(a);
		turn(b);
		world_now_ms += 1000;
	}
	assert_int_equal(world->exporter.told_count, 600);
	world_expect_state(a, SUBSCRIBER_OK);
	world_expect_state(b, SUBSCRIBER_STANDBY);
	/* An orderly stop: the other goes on at once, and tells nothing again. */
	subscriber_leave(a);
	subscriber_free(a);
	world_deploy(world, "LAST", world_now_ms);
	turn(b);
	world_expect_state(b, SUBSCRIBER_OK);
	assert_int_equal(world->exporter.told_count, 601);
	subscriber_free(b);
}

static void after_a_kill_the_other_takes_over(void **state)
{
	struct world *world = *state;
	struct subscriber *a = start(world, "line-a/1"), *b = start(world, "line-b/1");

	world_deploy_many(world, "A", 3);
	(void)world_run(a, 1000);
	turn(b);
	world_deploy_many(world, "B", 3);
	(void)world_run(b, 85000);
	assert_int_equal(world->exporter.told_count, 3);
	(void)world_run(b, 10000);
	assert_int_equal(world->exporter.told_count, 6);
	/* The first was only asleep: it learns that it is not its turn before it tells anybody. */
	world_deploy_many(world, "C", 3);
	turn(a);
	world_expect_state(a, SUBSCRIBER_STANDBY);
	assert_int_equal(world->exporter.told_count, 6);
	(void)world_run(b, 1000);
	assert_int_equal(world->exporter.told_count, 9);
	/* And it is there when its turn comes again. */
	subscriber_free(b);
	world_deploy_many(world, "D", 3);
	(void)world_run(a, 120000);
	assert_int_equal(world->exporter.told_count, 12);
	subscriber_free(a);
}

static void a_new_start_of_the_same_server_does_not_wait(void **state)
{
	struct world *world = *state;
	struct subscriber *a = start(world, "line-a/1");

	(void)world_run(a, 0);
	subscriber_free(a); /* killed */
	world_deploy_many(world, "A", 3);
	a = start(world, "line-a/2");
	(void)world_run(a, 0);
	assert_int_equal(world->exporter.told_count, 3);
	subscriber_free(a);
	/* Another name that begins alike is another server. */
	a = start(world, "line-a2/1");
	turn(a);
	world_expect_state(a, SUBSCRIBER_STANDBY);
	subscriber_free(a);
}

/* --- random histories --- */

struct history {
	struct world *world;
	struct subscriber *servers[SERVERS];
	char owners[SERVERS][24];
	unsigned starts;
	uint64_t seed;
	struct writer {
		bool is_busy;
		char serial[16], dispatch_id[25];
		size_t record;
		int64_t commit_ms;
	} writers[6];
	unsigned made;
};

static unsigned dice(struct history *history, unsigned sides)
{
	history->seed = history->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(history->seed >> 33) % sides;
}

static pep_status answer_by_chance(struct exporter *exporter, const struct pep_identity *id, int64_t *ret_wait_ms)
{
	(void)ret_wait_ms;
	if (exporter->poison && strcmp(exporter->poison, id->serial) == 0)
		return PEP_INVALID;
	if (exporter->is_moody && exporter->calls % 3 == 0)
		return PEP_UNAVAILABLE; /* in the middle of a batch, too */
	if (!exporter->failures)
		return PEP_OK;
	exporter->failures--;
	return exporter->failures % 2 ? PEP_TIMEOUT : PEP_UNAVAILABLE;
}

/* A gateway is given its identity: the dispatch id is made while the lease holds, and is seen when the write arrives. */
static void write_one(struct history *history, struct writer *writer)
{
	struct storage *store = &history->world->store;

	if (!writer->is_busy && store->record_count < WORLD_RECORDS && dice(history, 3) == 0) {
		struct world_record *record = &store->records[store->record_count];

		*record = (struct world_record){.state = PEP_ISSUED, .lease_until_ms = world_now_ms + WORLD_LEASE_MS};
		(void)snprintf(record->serial, sizeof(record->serial), "S%u", history->made);
		*writer = (struct writer){
			.is_busy = true, .record = store->record_count, .commit_ms = world_now_ms + dice(history, WORLD_LEASE_MS)};
		world_id(world_now_ms + 1, history->made++, writer->dispatch_id);
		store->record_count++;
	} else if (writer->is_busy && world_now_ms >= writer->commit_ms) {
		struct world_record *record = &store->records[writer->record];

		record->state = PEP_DEPLOYED;
		record->lease_until_ms = 0;
		memcpy(record->dispatch_id, writer->dispatch_id, sizeof(record->dispatch_id));
		writer->is_busy = false;
	}
}

static void start_server(struct history *history, unsigned i)
{
	(void)snprintf(history->owners[i], sizeof(history->owners[i]), "line-%u/%x", i, ++history->starts);
	history->servers[i] = start(history->world, history->owners[i]);
}

static void disturb(struct history *history)
{
	struct world *world = history->world;
	unsigned i = dice(history, SERVERS);

	switch (dice(history, 60)) {
	case 0: /* killed */
		subscriber_free(history->servers[i]);
		start_server(history, i);
		break;
	case 1: /* stopped */
		subscriber_leave(history->servers[i]);
		subscriber_free(history->servers[i]);
		start_server(history, i);
		break;
	case 2:
		world->exporter.failures = dice(history, 6);
		break;
	case 3:
		world->store.write_fault = WRITE_AWAY + dice(history, 3);
		break;
	case 4:
		world->store.is_away = !world->store.is_away;
		break;
	case 5: /* everybody sleeps */
		world_now_ms += dice(history, 100000);
		break;
	default:
		break;
	}
}

static void run_history(struct world *world, uint64_t seed)
{
	struct history history = {.world = world, .seed = seed};

	world->exporter.answer = answer_by_chance;
	world->exporter.is_moody = true;
	for (unsigned i = 0; i < SERVERS; i++)
		start_server(&history, i);
	for (unsigned step = 0; step < 1500; step++) {
		for (unsigned i = 0; i < 6; i++)
			write_one(&history, &history.writers[i]);
		disturb(&history);
		turn(history.servers[dice(&history, SERVERS)]);
		world_now_ms += dice(&history, 400);
	}
	/* Calm. */
	world->store.is_away = false;
	world->store.write_fault = WRITE_WELL;
	world->exporter.failures = 0;
	world->exporter.is_moody = false;
	for (unsigned i = 0; i < 6; i++)
		if (history.writers[i].is_busy) {
			history.writers[i].commit_ms = 0;
			write_one(&history, &history.writers[i]);
		}
	for (unsigned step = 0; step < 700; step++) {
		turn(history.servers[step % SERVERS]);
		world_now_ms += 1000;
	}
	for (unsigned i = 0; i < SERVERS; i++)
		subscriber_free(history.servers[i]);
}

static void nothing_is_missed_in_random_histories(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct world *world = world_new();

		world->store.flags = PEP_STORAGE_SHARED;
		run_history(world, seed);
		for (size_t i = 0; i < world->store.record_count; i++)
			if (!world_times(world, world->store.records[i].serial))
				fail_msg("seed %u: %s was never told", (unsigned)seed, world->store.records[i].serial);
		world_free(world);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_tells_the_other_waits),
		TEST(after_a_kill_the_other_takes_over),
		TEST(a_new_start_of_the_same_server_does_not_wait),
		cmocka_unit_test(nothing_is_missed_in_random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
