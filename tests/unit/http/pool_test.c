/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/pool.h"

#include "core/base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scene {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned started, finished, running, most;
	bool is_open;
	struct pool *pool;
};

struct task {
	struct pool_job job; /* the first member */
	struct scene *scene;
	unsigned again; /* how often it goes back into the queue */
};

static void run(struct pool_job *job)
{
	struct task *task = (struct task *)job;
	struct scene *scene = task->scene;
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&scene->mutex);

	scene->started++;
	if (++scene->running > scene->most)
		scene->most = scene->running;
	(void)pthread_cond_broadcast(&scene->changed);
	while (!scene->is_open)
		(void)pthread_cond_wait(&scene->changed, lock);
	scene->running--;
	scene->finished++;
	if (task->again) {
		task->again--;
		pool_continue(scene->pool, &task->job);
	}
}

static void set_scene(struct scene *scene, unsigned threads, unsigned queue)
{
	struct pep_error err = {0};

	*scene = (struct scene){0};
	(void)pthread_mutex_init(&scene->mutex, NULL);
	(void)pthread_cond_init(&scene->changed, NULL);
	assert_int_equal(pool_start(threads, queue, &scene->pool, &err), PEP_OK);
}

static void strike_scene(struct scene *scene)
{
	pool_stop(scene->pool);
	(void)pthread_cond_destroy(&scene->changed);
	(void)pthread_mutex_destroy(&scene->mutex);
}

static void open_gate(struct scene *scene)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&scene->mutex);

	(void)lock;
	scene->is_open = true;
	(void)pthread_cond_broadcast(&scene->changed);
}

static void wait_started(struct scene *scene, unsigned started)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&scene->mutex);

	while (scene->started < started)
		(void)pthread_cond_wait(&scene->changed, lock);
}

static void test_threads_and_queue_are_bounded(void **state)
{
	struct scene scene;
	struct task tasks[8];
	unsigned taken = 0;

	(void)state;
	set_scene(&scene, 3, 2);
	for (size_t i = 0; i < 8; i++) {
		tasks[i] = (struct task){.job.run = run, .scene = &scene};
		taken += pool_submit(scene.pool, &tasks[i].job);
	}
	assert_int_equal(taken, 5);
	wait_started(&scene, 3);
	open_gate(&scene);
	pool_settle(scene.pool);
	assert_int_equal(scene.finished, 5);
	assert_int_equal(scene.most, 3);
	assert_true(pool_submit(scene.pool, &tasks[7].job)); /* there is room again */
	pool_settle(scene.pool);
	assert_int_equal(scene.finished, 6);
	strike_scene(&scene);
}

static void test_continued_jobs_are_not_refused(void **state)
{
	struct scene scene;
	struct task tasks[2];

	(void)state;
	set_scene(&scene, 1, 1);
	for (size_t i = 0; i < 2; i++) {
		tasks[i] = (struct task){.job.run = run, .scene = &scene, .again = 100};
		assert_true(pool_submit(scene.pool, &tasks[i].job));
	}
	open_gate(&scene);
	pool_settle(scene.pool);
	assert_int_equal(scene.finished, 202);
	assert_int_equal(scene.most, 1);
	strike_scene(&scene);
}

static void test_stop_works_off_what_is_queued(void **state)
{
	struct scene scene;
	struct task tasks[6];

	(void)state;
	set_scene(&scene, 2, 4);
	for (size_t i = 0; i < 6; i++) {
		tasks[i] = (struct task){.job.run = run, .scene = &scene, .again = 5};
		assert_true(pool_submit(scene.pool, &tasks[i].job));
	}
	open_gate(&scene);
	pool_stop(scene.pool);
	scene.pool = NULL;
	assert_int_equal(scene.finished, 36);
	strike_scene(&scene);
}

static void remember(struct pool_job *job)
{
	struct task *task = (struct task *)job;

	task->again = ++task->scene->finished; /* one thread only */
}

static void test_oldest_first(void **state)
{
	struct scene scene;
	struct task gate = {.job.run = run, .scene = &scene};
	struct task tasks[10];

	(void)state;
	set_scene(&scene, 1, 10);
	assert_true(pool_submit(scene.pool, &gate.job));
	wait_started(&scene, 1);
	for (size_t i = 0; i < 10; i++) {
		tasks[i] = (struct task){.job.run = remember, .scene = &scene};
		assert_true(pool_submit(scene.pool, &tasks[i].job));
	}
	open_gate(&scene);
	pool_settle(scene.pool);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(tasks[i].again, i + 2);
	strike_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_and_queue_are_bounded),
		cmocka_unit_test(test_continued_jobs_are_not_refused),
		cmocka_unit_test(test_stop_works_off_what_is_queued),
		cmocka_unit_test(test_oldest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
