/* SPDX-License-Identifier: Apache-2.0 */

/* An exporter in good order, but for one fault, which the suite must find: a macro for each. */
#include <pep/exporter.h>

#include <stdlib.h>
#include <string.h>

enum {
	NONE,
	KEEPS_TEXT,         /* what it was lent, until the next record */
	SHARES_RUNS,        /* a counter at file scope in the output, which begin() sets back */
	IGNORES_SINK,       /* goes on when the reader has left */
	HIDES_STATUS,       /* tells another status than the sink's */
	LEAKS_RUN,          /* no drop() */
	GROWS,              /* a list of all records */
	TRUSTS_TEXT,        /* no quoting */
	TRUSTS_PRESENCE,    /* reads a text that may be absent */
	TRUSTS_MALLOC,      /* does not look at what it returned */
	SAYS_NOTHING,       /* fails without a message */
	CUTS,               /* writes the first half of what is too long, and calls it done */
	EXITS,              /* ends the process */
	SETS_LOCALE,        /* changes the process */
	CONSTRUCTS,         /* runs when it is loaded */
	EXPORTS,            /* a second symbol */
	FORGETS_END,        /* a file that is not closed */
	RACES,              /* claims to be parallel, and is not */
	CHECKS_OTHERWISE,   /* check() says yes, record() no */
	CRASHES_WHEN_ALONE, /* needs the first instance */
};

struct run {
	const char *kept;
	struct node *list;
	size_t list_size;
};
struct node {
	struct node *next;
};

/* What the faults share. */
static volatile unsigned counter;
static char shared[64];
static int instances;

#ifdef WITH_EXPORTS
PEP_EXPORT int second_symbol(void);
int second_symbol(void)
{
	return 2;
}
#endif

static pep_status naughty_open(const struct pep_host *host, const union pep_value *values, void **ret_exporter,
			       struct pep_error *err)
{
	char *exporter = malloc(16);

	(void)host;
	(void)values;
	if (!exporter)
		return pep_fail(err, PEP_NO_MEMORY, 0, "naughty: out of memory");
	exporter[0] = instances++ == 0;
	*ret_exporter = exporter;
	return PEP_OK;
}

static void naughty_close(void *exporter)
{
	if (FAULT == CRASHES_WHEN_ALONE && --instances > 0)
		abort();
	free(exporter);
}

static pep_status naughty_begin(void *exporter, struct pep_sink *sink, void **ret_run, struct pep_error *err)
{
	struct run *run = calloc(1, sizeof(*run));
	pep_status status;

	(void)exporter;
	counter = 0;
	if (FAULT == TRUSTS_MALLOC)
		((volatile struct run *)run)->list_size = 0;
	if (!run)
		return FAULT == SAYS_NOTHING ? PEP_NO_MEMORY : pep_fail(err, PEP_NO_MEMORY, 0, "naughty: out of memory");
	status = sink->write(sink, "[", 1);
	if (status != PEP_OK && FAULT != IGNORES_SINK) {
		free(run);
		return status;
	}
	*ret_run = run;
	return PEP_OK;
}

/* JSON without escapes: what needs them becomes a question mark. */
static size_t clean(const char *text, char *room, size_t size)
{
	size_t used = 0;

	for (; text && *text && used < size; text++)
		room[used++] = FAULT != TRUSTS_TEXT && (*text < ' ' || *text > '~' || *text == '"' || *text == '\\') ? '?' : *text;
	return used;
}

static pep_status put(struct pep_sink *sink, const char *text, size_t size)
{
	pep_status status = sink->write(sink, text, size);

	if (FAULT == IGNORES_SINK)
		return PEP_OK;
	return FAULT == HIDES_STATUS && status == PEP_CANCELLED ? PEP_INTERNAL : status;
}

static pep_status naughty_record(void *data, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	struct run *run = data;
	const char *serial = FAULT == KEEPS_TEXT && run->kept ? run->kept : id->serial;
	char line[512] = "\"", *end = line + 1;
	size_t size;

	if (FAULT == EXITS)
		exit(0);
	if (FAULT == SAYS_NOTHING && !id->category)
		return PEP_INVALID;
	if (FAULT == CHECKS_OTHERWISE && !id->category)
		return pep_fail(err, PEP_INVALID, 0, "naughty: serial %.64s has no category", id->serial);
	if (FAULT == TRUSTS_PRESENCE && strlen(id->led_config) > 1000)
		return pep_fail(err, PEP_LIMIT, 0, "naughty: long");
	if (strlen(serial) > 400 && FAULT != CUTS)
		return pep_fail(err, PEP_LIMIT, 0, "naughty: serial %.64s is over 400 bytes", id->serial);
	run->kept = id->serial;
	if (FAULT == GROWS) {
		struct node *node = malloc(sizeof(*node));

		if (!node)
			return pep_fail(err, PEP_NO_MEMORY, 0, "naughty: out of memory");
		node->next = run->list;
		run->list = node;
	}
	size = clean(serial, end, 400);
	if (FAULT == RACES) {
		memcpy(shared, end, size < sizeof(shared) ? size : sizeof(shared));
		for (volatile unsigned i = 0; i < 20000; i++)
			;
		memcpy(end, shared, size < sizeof(shared) ? size : sizeof(shared));
	}
	end += size;
	if (FAULT == SHARES_RUNS)
		*end++ = (char)('a' + counter++ % 26);
	if (FAULT == CUTS && size == 400)
		return put(sink, line, 200);
	memcpy(end, "\",", 2);
	return put(sink, line, (size_t)(end - line) + 2);
}

static pep_status naughty_check(void *run, const struct pep_identity *id, struct pep_error *err)
{
	(void)run;
	(void)id;
	(void)err;
	return FAULT == CHECKS_OTHERWISE ? PEP_OK : PEP_UNSUPPORTED;
}

static pep_status naughty_end(void *run, struct pep_sink *sink, struct pep_error *err)
{
	(void)run;
	(void)err;
	return FAULT == FORGETS_END ? PEP_OK : put(sink, "0]", 2);
}

static void naughty_drop(void *data)
{
	struct run *run = data;

	if (FAULT == LEAKS_RUN)
		return;
	while (run->list) {
		struct node *next = run->list->next;

		free(run->list);
		run->list = next;
	}
	free(run);
}

#ifdef WITH_CONSTRUCTS
__attribute__((constructor)) static void when_loaded(void)
{
	counter = 1;
}
#endif

#ifdef WITH_SETS_LOCALE
#include <locale.h>
__attribute__((used)) static void set_locale(void)
{
	(void)setlocale(LC_ALL, "C");
}
#endif

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.media_type = "application/json",
	.suffix = "json",
	.record = naughty_record,
	.open = naughty_open,
	.close = naughty_close,
	.begin = naughty_begin,
	.end = naughty_end,
	.drop = naughty_drop,
	.check = naughty_check,
};
static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = FILE_NAME,
	.version = "1.0.0",
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
