/* SPDX-License-Identifier: Apache-2.0
 *
 * Many threads, few serials, and, where the store can be shared, several instances of it: is all that they were answered what one
 * register per serial would have answered?
 */
#include "storage_cases.h"

#include "storage_history.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREAD_COUNT 18u
#define STEP_COUNT 150u
#define SERIAL_COUNT 5u
#define INSTANCE_COUNT 3u
/* A step is a read and a write. */
#define EVENTS_MAX (THREAD_COUNT * STEP_COUNT * 2 + SERIAL_COUNT * INSTANCE_COUNT)

struct scene {
	struct store_driver *instances[INSTANCE_COUNT];
	struct store_driver more[INSTANCE_COUNT - 1];
	unsigned instance_count;
	pthread_barrier_t barrier;
	atomic_ullong clock;
	atomic_uint odd; /* statuses that nobody expects */
	struct history_event *events;
	atomic_size_t event_count;
};

struct actor {
	struct scene *scene;
	struct store_driver *driver;
	unsigned number, random;
	int64_t known[SERIAL_COUNT]; /* a revision of each serial that this thread has seen once */
	pthread_t thread;
};

static bool is_shared(const struct store_driver *driver)
{
	return (driver->facts->flags & PEP_STORAGE_SHARED) != 0;
}

static struct scene *scene_new(struct store_driver *driver, unsigned instance_count)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->events = calloc(EVENTS_MAX, sizeof(*scene->events));
	assert_non_null(scene->events);
	assert_int_equal(pthread_barrier_init(&scene->barrier, NULL, THREAD_COUNT), 0);
	scene->instance_count = instance_count;
	scene->instances[0] = driver;
	for (unsigned i = 1; i < instance_count; i++) {
		store_open(&scene->more[i - 1], driver->facts, driver->number);
		scene->instances[i] = &scene->more[i - 1];
	}
	return scene;
}

static void scene_free(struct scene *scene)
{
	for (unsigned i = 1; i < scene->instance_count; i++)
		store_close(scene->instances[i]);
	(void)pthread_barrier_destroy(&scene->barrier);
	free(scene->events);
	free(scene);
}

static void scene_run(struct scene *scene, void *(*work)(void *))
{
	struct actor actors[THREAD_COUNT];

	for (unsigned i = 0; i < THREAD_COUNT; i++) {
		actors[i] = (struct actor){
			.scene = scene, .driver = scene->instances[i % scene->instance_count], .number = i, .random = i * 7919 + 1};
		assert_int_equal(pthread_create(&actors[i].thread, NULL, work, &actors[i]), 0);
	}
	for (unsigned i = 0; i < THREAD_COUNT; i++)
		assert_int_equal(pthread_join(actors[i].thread, NULL), 0);
	assert_int_equal(scene->odd, 0);
}

static void note(struct scene *scene, struct history_event event)
{
	size_t at = atomic_fetch_add(&scene->event_count, 1);

	if (at >= EVENTS_MAX)
		abort();
	event.end = atomic_fetch_add(&scene->clock, 1);
	scene->events[at] = event;
}

static void name_serial(char serial[16], unsigned number)
{
	(void)snprintf(serial, 16, "serial %u", number);
}

static int64_t read_one(struct scene *scene, struct store_driver *driver, unsigned number)
{
	struct history_event event = {.kind = HISTORY_READ, .serial = number, .begin = atomic_fetch_add(&scene->clock, 1)};
	struct arena arena = {0};
	const struct pep_identity *found;
	char serial[16];

	name_serial(serial, number);
	found = store_get(driver, &arena, serial);
	if (found) {
		event.revision = found->revision;
		event.value = found->attempt;
	}
	arena_fini(&arena);
	note(scene, event);
	return event.revision;
}

static void write_one(struct scene *scene, struct store_driver *driver, unsigned number, int64_t revision, uint32_t value)
{
	struct history_event event = {.serial = number, .value = value, .begin = atomic_fetch_add(&scene->clock, 1)};
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_CLAIMED, .revision = revision, .attempt = value};
	char serial[16];
	pep_status status;

	name_serial(serial, number);
	id.serial = serial;
	status = revision ? store_update(driver, &id) : store_insert(driver, &id);
	scene->odd += status != PEP_OK && status != PEP_CONFLICT;
	event.kind = status == PEP_OK ? HISTORY_WON : HISTORY_LOST;
	event.revision = status == PEP_OK ? revision + 1 : revision;
	note(scene, event);
}

static void *claim_and_move(void *arg)
{
	struct actor *actor = arg;
	struct scene *scene = actor->scene;

	(void)pthread_barrier_wait(&scene->barrier);
	for (unsigned step = 0; step < STEP_COUNT; step++) {
		unsigned dice = (actor->random = actor->random * 1103515245u + 12345u) / 65536;
		unsigned number = dice % SERIAL_COUNT, what = dice / SERIAL_COUNT % 6;
		uint32_t value = actor->number * STEP_COUNT + step + 1; /* nobody else writes it */

		/* One in six only reads, one writes at a revision that is probably old. */
		if (what != 0)
			actor->known[number] = read_one(scene, actor->driver, number);
		if (what != 1)
			write_one(scene, actor->driver, number, actor->known[number], value);
	}
	return NULL;
}

static void check_history(struct scene *scene)
{
	struct history_event bad = {0};
	const char *problem;
	size_t won = 0;

	/* All instances agree in the end. */
	for (unsigned i = 0; i < scene->instance_count; i++)
		for (unsigned number = 0; number < SERIAL_COUNT; number++)
			(void)read_one(scene, scene->instances[i], number);
	for (size_t i = 0; i < scene->event_count; i++)
		won += scene->events[i].kind == HISTORY_WON;
	problem = history_check(scene->events, scene->event_count, &bad);
	if (problem)
		fail_msg("%s: kind %d, serial %u, revision %lld, value %u, time %llu to %llu", problem, (int)bad.kind, bad.serial,
			 (long long)bad.revision, bad.value, (unsigned long long)bad.begin, (unsigned long long)bad.end);
	/* There was something to check. */
	assert_true(won > (size_t)SERIAL_COUNT * 10);
	assert_true(scene->event_count - won > (size_t)THREAD_COUNT * STEP_COUNT / 4);
}

static void claims_are_linearizable(void **state)
{
	struct scene *scene = scene_new(*state, 1);

	scene_run(scene, claim_and_move);
	check_history(scene);
	scene_free(scene);
}

static void claims_of_many_servers_are_linearizable(void **state)
{
	struct scene *scene;

	if (!is_shared(*state))
		return;
	scene = scene_new(*state, INSTANCE_COUNT);
	scene_run(scene, claim_and_move);
	check_history(scene);
	scene_free(scene);
}

/* What one server was told is done, the next one sees at once: by serial, by key, in a walk. */
static void servers_see_each_other(void **state)
{
	struct pep_identity id = {
		.struct_size = sizeof(id), .state = PEP_DEPLOYED, .serial = "ball", .dispatch_id = "d", .idempotency_key = "k"};
	struct scene *scene;

	if (!is_shared(*state))
		return;
	scene = scene_new(*state, INSTANCE_COUNT);
	assert_int_equal(store_insert(scene->instances[0], &id), PEP_OK);
	for (id.revision = 1; id.revision < 100; id.revision++) {
		struct store_driver *driver = scene->instances[id.revision % INSTANCE_COUNT];
		struct arena arena = {0};
		const struct pep_identity *found = store_get(driver, &arena, "ball");

		assert_non_null(found);
		assert_int_equal(found->revision, id.revision);
		arena_fini(&arena);
		assert_int_equal(store_insert(driver, &id), PEP_CONFLICT);
		assert_int_equal(store_count(driver, SCAN_QUERY(.idempotency_key = "k")), 1);
		assert_int_equal(store_update(driver, &id), PEP_OK);
	}
	scene_free(scene);
}

/* A dispatch id and an enrollment id for one record of the store, whichever server writes it. */
static void *take_keys(void *arg)
{
	struct actor *actor = arg;
	char serial[32], key[16];
	struct pep_identity id = {.struct_size = sizeof(id), .state = PEP_ISSUED, .serial = serial};

	for (unsigned round = 0; round < 20; round++) {
		pep_status status;

		(void)snprintf(serial, sizeof(serial), "round %u of %u", round, actor->number);
		(void)snprintf(key, sizeof(key), "key %u", round);
		id.dispatch_id = round % 2 ? NULL : key;
		id.enrollment_id = round % 2 ? key : NULL;
		(void)pthread_barrier_wait(&actor->scene->barrier);
		status = store_insert(actor->driver, &id);
		actor->scene->odd += status != PEP_OK && status != PEP_CONFLICT;
		(void)atomic_fetch_add(&actor->scene->event_count, status == PEP_OK);
	}
	return NULL;
}

static void servers_share_unique_keys(void **state)
{
	struct scene *scene;

	if (!is_shared(*state))
		return;
	scene = scene_new(*state, INSTANCE_COUNT);
	scene_run(scene, take_keys);
	assert_int_equal(scene->event_count, 20);
	assert_int_equal(store_count(scene->instances[1], SCAN_QUERY(.limit = 0)), 20);
	scene_free(scene);
}

const struct storage_case storage_order_cases[] = {
	{"claims_are_linearizable", claims_are_linearizable},
	{"claims_of_many_servers_are_linearizable", claims_of_many_servers_are_linearizable},
	{"servers_see_each_other", servers_see_each_other},
	{"servers_share_unique_keys", servers_share_unique_keys},
	{NULL, NULL},
};
