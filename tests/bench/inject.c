/* SPDX-License-Identifier: Apache-2.0
 *
 * inject.c - an injector without its server: no HTTP, no store, a witness that always agrees.
 *
 *     pep-bench-inject PLUGIN GATEWAY_PORT SECONDS THREADS KEY=VALUE...   prints how many injections a second
 *
 * KEY=VALUE are options of the plugin, as in a configuration. Each injection has a gateway of its own, at 127.x.y.z.
 */
#include "core/config/value.h"

#include <dlfcn.h>
#include <pep/injector.h>
#include <pep/plugin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUTE_MS 60000
#define OPTIONS_MAX 128
#define ADDRESSES 0xfffffeU /* 127.0.0.1 and on */

struct work {
	const struct pep_injector_ops *ops;
	void *injector;
	uint16_t port;
	struct timespec end;
	atomic_uint begun, done;
};

static void demand(bool holds, const char *what, const char *why)
{
	if (holds)
		return;
	(void)fprintf(stderr, "inject: %s: %s\n", what, why);
	exit(1);
}

static void on_log(const struct pep_host *host, int32_t level, const char *line)
{
	(void)host;
	(void)level;
	(void)line;
}

static bool on_stopping(const struct pep_host *host)
{
	(void)host;
	return false;
}

static pep_status on_contacted(struct pep_witness *witness, struct pep_error *err)
{
	(void)witness;
	(void)err;
	return PEP_OK;
}

static pep_status on_issued(struct pep_witness *witness, const char *enrollment_id, struct pep_error *err)
{
	(void)witness;
	(void)enrollment_id;
	(void)err;
	return PEP_OK;
}

static bool on_cancelled(struct pep_witness *witness)
{
	(void)witness;
	return false;
}

/* What was given for this option, else its default. */
static const char *text_of(const struct pep_option *option, int count, char **given)
{
	size_t size = strlen(option->key);

	for (int i = 0; i < count; i++)
		if (strncmp(given[i], option->key, size) == 0 && given[i][size] == '=')
			return given[i] + size + 1;
	demand(option->fallback, option->key, "must be given");
	return option->fallback;
}

static void take_value(const struct pep_option *option, const char *text, union pep_value *ret_value)
{
	bool good = true;

	if (option->type == PEP_INT)
		good = value_int(text, &ret_value->number);
	else if (option->type == PEP_MILLISECONDS)
		good = value_span(text, &ret_value->number);
	else if (option->type == PEP_BOOL)
		good = value_bool(text, &ret_value->flag);
	else
		ret_value->text = text;
	demand(good, option->key, "cannot be read");
}

static const struct pep_plugin *load(const char *file)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const struct pep_plugin *(*probe)(uint16_t) = NULL;
	const struct pep_plugin *plugin;

	demand(library, file, library ? "" : dlerror());
	*(void **)&probe = dlsym(library, "pep_plugin_probe");
	demand(probe, file, "is no plugin");
	plugin = probe(PEP_ABI_MAJOR);
	demand(plugin && plugin->kind == PEP_INJECTOR, file, "is no injector");
	return plugin;
}

static void inject_once(struct work *work, unsigned number)
{
	char serial[32], ip[32];
	const struct pep_identity id = {.struct_size = sizeof(id),
					.state = PEP_CLAIMED,
					.revision = 1,
					.attempt = 1,
					.serial = serial,
					.hardware_version = "hw",
					.nonce = "0123456789abcdef0123456789abcdef"};
	const struct pep_target target = {.struct_size = sizeof(target), .ip = ip, .port = work->port};
	struct pep_witness witness = {
		.struct_size = sizeof(witness), .contacted = on_contacted, .issued = on_issued, .cancelled = on_cancelled};
	struct pep_injection injection = {.struct_size = sizeof(injection)};
	struct pep_error err = {0};
	unsigned host = number % ADDRESSES + 1;
	pep_status status;

	(void)snprintf(serial, sizeof(serial), "LINE-%08u", number);
	(void)snprintf(ip, sizeof(ip), "127.%u.%u.%u", host >> 16 & 255, host >> 8 & 255, host & 255);
	status = work->ops->inject(work->injector, &target, &id, MINUTE_MS, &witness, &injection, &err);
	demand(status == PEP_OK && injection.outcome == PEP_DELIVERED, serial, err.message);
}

static void *work(void *argument)
{
	struct work *work = argument;
	struct timespec now;

	do {
		inject_once(work, atomic_fetch_add(&work->begun, 1));
		(void)atomic_fetch_add(&work->done, 1);
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < work->end.tv_sec || (now.tv_sec == work->end.tv_sec && now.tv_nsec < work->end.tv_nsec));
	return NULL;
}

static double run(struct work *shared, unsigned thread_count, unsigned seconds)
{
	pthread_t *threads = calloc(thread_count, sizeof(*threads));

	demand(threads, "threads", "no memory");
	(void)clock_gettime(CLOCK_MONOTONIC, &shared->end);
	shared->end.tv_sec += (time_t)seconds;
	for (unsigned i = 0; i < thread_count; i++)
		demand(pthread_create(&threads[i], NULL, work, shared) == 0, "threads", "cannot be started");
	for (unsigned i = 0; i < thread_count; i++)
		(void)pthread_join(threads[i], NULL);
	free(threads);
	return (double)atomic_load(&shared->done) / seconds;
}

static unsigned number_of(const char *text, unsigned max)
{
	int64_t number = 0;

	demand(value_int(text, &number) && number > 0 && number <= max, text, "is no number, or too large");
	return (unsigned)number;
}

int main(int argc, char **argv)
{
	const struct pep_host host = {.struct_size = sizeof(host), .log = on_log, .stopping = on_stopping};
	union pep_value values[OPTIONS_MAX];
	const struct pep_plugin *plugin;
	struct work shared = {0};
	struct pep_error err = {0};

	demand(argc >= 5, "usage", "pep-bench-inject PLUGIN GATEWAY_PORT SECONDS THREADS KEY=VALUE...");
	plugin = load(argv[1]);
	for (size_t i = 0; plugin->options[i].key; i++) {
		demand(i < OPTIONS_MAX, argv[1], "has too many options");
		take_value(&plugin->options[i], text_of(&plugin->options[i], argc - 5, argv + 5), &values[i]);
	}
	shared.ops = plugin->ops;
	shared.port = (uint16_t)number_of(argv[2], 65535);
	demand(shared.ops->open(&host, values, &shared.injector, &err) == PEP_OK, "open", err.message);
	demand(shared.ops->self_test(shared.injector, &err) == PEP_OK, "self_test", err.message);
	printf("%.1f\n", run(&shared, number_of(argv[4], 1024), number_of(argv[3], 3600)));
	shared.ops->close(shared.injector);
	return 0;
}
