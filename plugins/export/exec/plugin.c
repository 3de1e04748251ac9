/* SPDX-License-Identifier: Apache-2.0
 *
 * The exec exporter: any program in any language. One JSON object a line goes to its standard input, its standard output is the file.
 */
#include "object.h"
#include "pump.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 65536u

enum { OPT_COMMAND, OPT_ENVIRONMENT, OPT_MEDIA_TYPE, OPT_SUFFIX, OPT_SILENCE, OPT_TIMEOUT };
static const struct pep_option options[] = {
	[OPT_COMMAND] = {"command", NULL,
			 "the program by its whole path, and arguments, with blanks between them; no shell, no quotes", 2, 4096,
			 PEP_STRING},
	[OPT_ENVIRONMENT] = {"environment", "", "NAME=VALUE words; beside them it has PATH and LANG", 0, 4096, PEP_STRING},
	[OPT_MEDIA_TYPE] = {"media_type", "application/octet-stream", "of what it writes", 3, 128, PEP_STRING},
	[OPT_SUFFIX] = {"suffix", "txt", "of the file's name, without the dot: letters and digits", 1, 16, PEP_STRING},
	[OPT_SILENCE] = {"silence", "30s", "it neither reads nor writes for so long while the server waits for it: it is killed",
			 100, 600000, PEP_MILLISECONDS},
	[OPT_TIMEOUT] = {"timeout", "10m", "the server waits for it for so long, in all, for one file: then it is killed", 100,
			 86400000, PEP_MILLISECONDS},
	{0},
};

struct exporter {
	const struct pep_host *host;
	char **command, **environment;
	const char *media_type, *suffix;
	int64_t silence_ms, limit_ms;
};

struct run {
	struct pump pump;
	char line[LINE_SIZE];
};

static void exec_close(void *opaque)
{
	struct exporter *exporter = opaque;

	free(exporter->command);
	free(exporter->environment);
	free(exporter);
}

static pep_status check_words(const struct exporter *exporter, struct pep_error *err)
{
	if (!exporter->command || !exporter->environment)
		return pep_fail(err, PEP_INVALID, 0, "exec: command or environment has over %d words, or memory ran out",
				WORDS_MAX - 2);
	if (!exporter->command[0] || exporter->command[0][0] != '/')
		return pep_fail(err, PEP_INVALID, 0,
				"exec: command must begin with the whole path of a program, as /usr/bin/python3");
	for (char **word = exporter->environment; *word; word++)
		if (**word == '=' || !strchr(*word, '='))
			return pep_fail(err, PEP_INVALID, 0, "exec: environment must be NAME=VALUE words");
	return PEP_OK;
}

static char **make_environment(const char *more)
{
	char *text = NULL;
	char **words;

	if (asprintf(&text, "PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 %s", more) < 0)
		return NULL;
	words = words_split(text);
	free(text);
	return words;
}

static pep_status exec_open(const struct pep_host *host, const union pep_value *values, void **ret_exporter, struct pep_error *err)
{
	struct exporter *exporter = calloc(1, sizeof(*exporter));
	pep_status status;

	if (!exporter)
		return pep_fail(err, PEP_NO_MEMORY, 0, "exec: out of memory");
	*exporter = (struct exporter){.host = host,
				      .command = words_split(values[OPT_COMMAND].text),
				      .environment = make_environment(values[OPT_ENVIRONMENT].text),
				      .media_type = values[OPT_MEDIA_TYPE].text,
				      .suffix = values[OPT_SUFFIX].text,
				      .silence_ms = values[OPT_SILENCE].number,
				      .limit_ms = values[OPT_TIMEOUT].number};
	status = check_words(exporter, err);
	if (status != PEP_OK) {
		exec_close(exporter);
		return status;
	}
	*ret_exporter = exporter;
	return PEP_OK;
}

static void exec_describe(void *opaque, const char **ret_media_type, const char **ret_suffix)
{
	const struct exporter *exporter = opaque;

	*ret_media_type = exporter->media_type;
	*ret_suffix = exporter->suffix;
}

static pep_status exec_begin(void *opaque, struct pep_sink *sink, void **ret_run, struct pep_error *err)
{
	struct exporter *exporter = opaque;
	struct run *run = malloc(sizeof(*run));
	pep_status status;

	(void)sink;
	if (!run)
		return pep_fail(err, PEP_NO_MEMORY, 0, "exec: out of memory");
	run->pump = (struct pump){.host = exporter->host,
				  .silence_ms = exporter->silence_ms,
				  .limit_ms = exporter->limit_ms,
				  .path = exporter->command[0],
				  .line = run->line};
	status = child_start(exporter->command, exporter->environment, &run->pump.child, err);
	if (status != PEP_OK) {
		free(run);
		return status;
	}
	*ret_run = run;
	return PEP_OK;
}

/* What the program does not read at once, and what does not fit, is for rest(). */
static pep_status exec_rest(void *opaque, struct pep_sink *sink, bool *ret_more, struct pep_error *err)
{
	struct run *run = opaque;

	return pump_move(&run->pump, sink, ret_more, err);
}

static pep_status exec_record(void *opaque, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	struct run *run = opaque;
	struct json_object object = {.next = run->line, .end = run->line + sizeof(run->line)};
	bool more;

	object_write(&object, id);
	member_bytes(&object, "\n", 1);
	if (object.full)
		return pep_fail(err, PEP_LIMIT, 0, "exec: the object of serial %.64s is over %u bytes; look at its record",
				id->serial, LINE_SIZE);
	run->pump.line_start = 0;
	run->pump.line_size = (size_t)(object.next - run->line);
	return pump_move(&run->pump, sink, &more, err);
}

static pep_status exec_end(void *opaque, struct pep_sink *sink, struct pep_error *err)
{
	struct run *run = opaque;
	bool more;

	run->pump.is_ending = true;
	return pump_move(&run->pump, sink, &more, err);
}

static void exec_drop(void *opaque)
{
	struct run *run = opaque;

	(void)child_end(&run->pump.child);
	free(run);
}

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.media_type = "application/octet-stream",
	.suffix = "txt",
	.record = exec_record,
	.open = exec_open,
	.close = exec_close,
	.begin = exec_begin,
	.end = exec_end,
	.drop = exec_drop,
	.rest = exec_rest,
	.describe = exec_describe,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = "exec",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
