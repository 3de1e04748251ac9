/* SPDX-License-Identifier: Apache-2.0
 *
 * identity_sim.c - random schedules of every fault against core/service/machine.c: arguments, processes, progress.
 *
 *     identity_sim [--schedules N] [--seed S] [--jobs J] [--mutant NAME] [--trace]
 *     identity_sim --mutants [--schedules N] [--seed S]   every mutant has to be noticed
 *
 * Schedule i has the seed S + i, so that `--seed X --schedules 1 --trace` plays again what went wrong.
 */
#include "tests/sim/world.h"

#include "core/base/text.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_JOBS = 256 };

struct options {
	uint64_t seed, schedules;
	unsigned jobs;
	enum mutant mutant;
	bool trace, mutants;
};

/* What the processes tell each other. */
struct progress {
	_Atomic uint64_t schedules, events;
	_Atomic uint64_t violated; /* the first schedule that was, counted from 1; 0: none */
};

static void play_share(const struct options *options, const struct names *names, unsigned job, struct progress *progress)
{
	struct world *world = malloc(sizeof(*world));

	if (!world)
		_exit(2);
	for (uint64_t i = job; i < options->schedules; i += options->jobs) {
		uint64_t first = atomic_load(&progress->violated);
		bool good;

		if (first && first <= i + 1)
			break;
		good = schedule_play(world, names, options->seed + i, options->mutant, false);
		atomic_fetch_add(&progress->schedules, 1);
		atomic_fetch_add(&progress->events, world->events);
		if (good)
			continue;
		while ((first == 0 || first > i + 1) && !atomic_compare_exchange_weak(&progress->violated, &first, i + 1))
			;
		break;
	}
	free(world);
}

static void show_progress(const struct options *options, const struct progress *progress)
{
	uint64_t done = atomic_load(&progress->schedules);

	(void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " schedules", done, options->schedules);
}

/* False: a process ended otherwise than by itself. */
static bool wait_for_jobs(const struct options *options, const struct progress *progress)
{
	bool tty = isatty(STDERR_FILENO) && !options->mutants;
	unsigned left = options->jobs;
	bool good = true;

	while (left) {
		int status;
		pid_t pid = waitpid(-1, &status, tty ? WNOHANG : 0);

		if (pid > 0) {
			left--;
			good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
		} else if (pid < 0 && errno != EINTR) {
			return false;
		} else {
			show_progress(options, progress);
			(void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		}
	}
	if (tty)
		(void)fprintf(stderr, "\r%60s\r", "");
	return good;
}

/* Plays all schedules in `jobs` processes. False: one of them crashed. */
static bool play_all(const struct options *options, const struct names *names, struct progress *progress)
{
	(void)fflush(NULL);
	for (unsigned job = 0; job < options->jobs; job++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("identity_sim: fork");
			_exit(2);
		}
		if (pid == 0) {
			play_share(options, names, job, progress);
			_exit(0);
		}
	}
	return wait_for_jobs(options, progress);
}

/* Plays one schedule in this process, to show it. */
static bool play_here(const struct options *options, const struct names *names, uint64_t seed)
{
	struct world *world = malloc(sizeof(*world));
	bool good;

	if (!world)
		return false;
	(void)printf("schedule %" PRIu64 ", mutant %s:\n", seed, mutant_names[options->mutant]);
	good = schedule_play(world, names, seed, options->mutant, true);
	(void)printf("%s\n", good ? "no violation" : world->violation);
	free(world);
	return good;
}

static int run(const struct options *options, const struct names *names, struct progress *progress)
{
	struct timespec start;
	struct timespec end;
	uint64_t violated;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (!play_all(options, names, progress)) {
		(void)printf("identity_sim: a process crashed between seed %" PRIu64 " and %" PRIu64
			     ": run with --jobs 1 under a debugger\n",
			     options->seed, options->seed + options->schedules - 1);
		return 1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	(void)printf("seed %" PRIu64 ": %" PRIu64 " schedules, %" PRIu64 " events, %.1f s\n", options->seed,
		     atomic_load(&progress->schedules), atomic_load(&progress->events),
		     (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	violated = atomic_load(&progress->violated);
	if (violated == 0)
		return 0;
	(void)play_here(options, names, options->seed + violated - 1);
	(void)printf("VIOLATION in schedule %" PRIu64 "; again: identity_sim --seed %" PRIu64 " --schedules 1 --trace%s%s\n",
		     options->seed + violated - 1, options->seed + violated - 1, options->mutant ? " --mutant " : "",
		     options->mutant ? mutant_names[options->mutant] : "");
	return 1;
}

static void reset(struct progress *progress)
{
	atomic_store(&progress->schedules, 0);
	atomic_store(&progress->events, 0);
	atomic_store(&progress->violated, 0);
}

/* Each mutant has to be caught, or the simulation proves nothing. */
static int run_mutants(struct options *options, const struct names *names, struct progress *progress)
{
	int missed = 0;

	for (options->mutant = MUTANT_NONE + 1; options->mutant < MUTANTS; options->mutant++) {
		uint64_t violated;
		struct world world;

		reset(progress);
		if (!play_all(options, names, progress))
			return 1;
		violated = atomic_load(&progress->violated);
		if (violated) {
			(void)schedule_play(&world, names, options->seed + violated - 1, options->mutant, false);
			(void)printf("caught %-20s in schedule %6" PRIu64 ": %s\n", mutant_names[options->mutant], violated,
				     world.violation);
		} else {
			(void)printf("MISSED %s in %" PRIu64 " schedules\n", mutant_names[options->mutant], options->schedules);
			missed++;
		}
	}
	(void)printf("%d caught, %d missed\n", MUTANTS - 1 - missed, missed);
	return missed ? 1 : 0;
}

static bool find_mutant(const char *name, enum mutant *ret_mutant)
{
	for (int mutant = 0; mutant < MUTANTS; mutant++) {
		if (text_equal(name, mutant_names[mutant])) {
			*ret_mutant = (enum mutant)mutant;
			return true;
		}
	}
	return false;
}

static bool number(const char *text, int64_t min, int64_t max, uint64_t *ret_number)
{
	int64_t value;

	if (!text_to_number(text, min, max, &value))
		return false;
	*ret_number = (uint64_t)value;
	return true;
}

static bool parse_option(int option, struct options *ret_options)
{
	uint64_t jobs = 0;

	switch (option) {
	case 's':
		return number(optarg, 0, INT64_MAX / 2, &ret_options->seed);
	case 'n':
		return number(optarg, 1, INT64_MAX / 2, &ret_options->schedules);
	case 'j':
		if (!number(optarg, 1, MAX_JOBS, &jobs))
			return false;
		ret_options->jobs = (unsigned)jobs;
		return true;
	case 'm':
		return find_mutant(optarg, &ret_options->mutant);
	case 't':
		ret_options->trace = true;
		return true;
	case 'a':
		ret_options->mutants = true;
		return true;
	default:
		return false;
	}
}

static bool parse_options(int argc, char **argv, struct options *ret_options)
{
	static const struct option names[] = {
		{"seed", required_argument, NULL, 's'},
		{"schedules", required_argument, NULL, 'n'},
		{"jobs", required_argument, NULL, 'j'},
		{"mutant", required_argument, NULL, 'm'},
		{"trace", no_argument, NULL, 't'},
		{"mutants", no_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!parse_option(option, ret_options))
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct options options = {.schedules = 100000, .jobs = cores > 0 && cores <= MAX_JOBS ? (unsigned)cores : 1};
	uint32_t chance;
	struct names names;
	struct progress *progress;

	if (getrandom(&chance, sizeof(chance), 0) == sizeof(chance))
		options.seed = chance;
	if (!parse_options(argc, argv, &options)) {
		(void)fprintf(stderr,
			      "usage: identity_sim [--schedules N] [--seed S] [--jobs J] [--mutant NAME | --mutants] [--trace]\n");
		return 2;
	}
	names_init(&names);
	if (options.trace && options.schedules == 1)
		return play_here(&options, &names, options.seed) ? 0 : 1;
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED) {
		perror("identity_sim: mmap");
		return 2;
	}
	return options.mutants ? run_mutants(&options, &names, progress) : run(&options, &names, progress);
}
