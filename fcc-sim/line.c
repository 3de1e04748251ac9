/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/line.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "fcc-sim/ask.h"
#include "fcc-sim/crew.h"
#include "fcc-sim/print.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <sys/eventfd.h>

enum { CODES_MAX = 32 };

struct tally {
	char code[65];
	size_t count;
};

struct line {
	const struct options *options;
	int stop_fd;
	pthread_mutex_t mutex; /* guards what follows */
	size_t next, provisioned, failed;
	bool has_told;
	struct tally tallies[CODES_MAX];
	size_t tally_count;
};

/* False: every unit is taken. */
static bool take_unit(struct line *line, size_t *ret_index)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&line->mutex);

	(void)lock;
	if (line->next == line->options->count || wire_wait(-1, 0, (const int[]){line->stop_fd, -1}, 0) == WIRE_STOPPED)
		return false;
	*ret_index = line->next++;
	return true;
}

static void count_failure(struct line *line, const char *code)
{
	size_t i = 0;

	line->failed++;
	while (i < line->tally_count && strcmp(line->tallies[i].code, code) != 0)
		i++;
	if (i == CODES_MAX)
		return;
	if (i == line->tally_count) {
		(void)snprintf(line->tallies[i].code, sizeof(line->tallies[i].code), "%s", code);
		line->tally_count++;
	}
	line->tallies[i].count++;
}

/* `failure`: NULL if there is none. A reason in words, if any, is told of the first only. */
static void count_unit(struct line *line, const char *failure, const char *why)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&line->mutex);

	(void)lock;
	if (!failure)
		line->provisioned++;
	else
		count_failure(line, failure);
	if (!*why || line->has_told)
		return;
	line->has_told = true;
	(void)fprintf(stderr, "pep-fcc-sim: %s\n", why);
}

/* What the gateway knows of it: pep may be wrong. NULL: it was provisioned. */
static const char *judge(const struct ask_reply *reply, const struct crew_member *member)
{
	char id[PRINT_ENROLLMENT_SIZE];

	print_enrollment(&member->device.gateway.store, id);
	if (reply->failure[0])
		return reply->failure;
	if (member->device.last_status != 0)
		return "not_at_the_gateway";
	return strcasecmp(id, reply->enrollment_id) == 0 ? NULL : "other_identity";
}

/* NULL, or the reason of its failure. */
static const char *do_unit(const struct line *line, size_t index, struct asker *asker, struct crew_member *member,
			   struct ask_reply *reply)
{
	AUTO(close_fd) int done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const int stop_fds[WIRE_STOPS] = {line->stop_fd, done_fd};
	const char *failure;

	if (done_fd < 0 || !crew_start(line->options, index, stop_fds, member)) {
		(void)snprintf(reply->why, sizeof(reply->why), "gateway %zu cannot be started: %s", index + 1, strerror(errno));
		return "gateway_not_started";
	}
	ask_provision(asker, member->serial, member->device.ip, member->device.port, reply);
	/* A gateway that got all it wants has ended by itself; one that still waits would wait for ever. */
	(void)eventfd_write(done_fd, 1);
	crew_join(member);
	failure = judge(reply, member);
	device_close(&member->device);
	return failure;
}

static void *work(void *data)
{
	struct line *line = data;
	AUTO(free_ptr) struct crew_member *member = calloc(1, sizeof(*member));
	struct asker *asker = ask_open(line->options->provision_url, line->options->timeout_s, line->stop_fd);
	size_t index;

	while (take_unit(line, &index)) {
		struct ask_reply reply = {0};
		const char *failure = asker && member ? do_unit(line, index, asker, member, &reply) : "no_memory";

		count_unit(line, failure, reply.why);
	}
	ask_close(asker);
	return NULL;
}

static void print_numbers(const struct line *line, int64_t took_ms)
{
	double seconds = (double)(took_ms > 0 ? took_ms : 1) / 1000;
	double per_hour = (double)line->provisioned * 3600 / seconds;

	if (!line->options->json) {
		(void)printf("%zu units, %zu provisioned, %zu failed in %.2f s: %.0f units per hour\n",
			     line->provisioned + line->failed, line->provisioned, line->failed, seconds, per_hour);
		for (size_t i = 0; i < line->tally_count; i++)
			(void)printf("failed: %s %zu\n", line->tallies[i].code, line->tallies[i].count);
		return;
	}
	(void)printf("{\"event\":\"line\",\"units\":%zu,\"provisioned\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"unitsPerHour\":%.0f,"
		     "\"failures\":{",
		     line->provisioned + line->failed, line->provisioned, line->failed, seconds, per_hour);
	for (size_t i = 0; i < line->tally_count; i++)
		(void)printf("%s\"%s\":%zu", i ? "," : "", line->tallies[i].code, line->tallies[i].count);
	(void)printf("}}\n");
}

static size_t start_stations(struct line *line, pthread_t *threads, size_t count)
{
	size_t started = 0;

	while (started < count && pthread_create(&threads[started], NULL, work, line) == 0)
		started++;
	return started;
}

int line_run(const struct options *options, int stop_fd)
{
	struct line line = {.options = options, .stop_fd = stop_fd, .mutex = PTHREAD_MUTEX_INITIALIZER};
	size_t count = options->station_count < options->count ? options->station_count : options->count;
	AUTO(free_ptr) pthread_t *threads = calloc(count, sizeof(*threads));
	int64_t start_ms = clock_boot_ms();
	size_t started;

	if (!threads || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)fprintf(stderr, "pep-fcc-sim: the line cannot be started: out of memory\n");
		return DEVICE_EXIT_ERROR;
	}
	started = start_stations(&line, threads, count);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	print_numbers(&line, clock_boot_ms() - start_ms);
	if (started == 0)
		(void)fprintf(stderr, "pep-fcc-sim: no station could be started: no threads left\n");
	curl_global_cleanup();
	return line.provisioned == options->count ? DEVICE_EXIT_GOOD : DEVICE_EXIT_ERROR;
}
