/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { CONFIG_SIZE_MAX = 1 << 20 };

struct config {
	const struct pep_host *host;
	const char *path;
	char *const *environment;
	char *text; /* CONFIG_SIZE_MAX + 1 bytes, zeroed at first */
	size_t size;
};

static bool is_given(char *const *environment, const char *name, size_t size)
{
	for (; *environment; environment++)
		if (strncmp(*environment, name, size) == 0 && (*environment)[size] == '=')
			return true;
	return false;
}

static void warn(const struct config *config, size_t line, const char *name, size_t size)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "fcu: %.300s:%zu uses %.*s, which the tool is not given; add it to environment",
		       config->path, line, (int)(size < 64 ? size : 64), name);
	config->host->log(config->host, 4, text);
}

/* <%= ENV['NAME'] %> at `at`, up to `end`. */
static void check_variable(const struct config *config, const char *at, const char *end, size_t line)
{
	static const char before[] = "ENV['";
	const char *name = memmem(at, (size_t)(end - at), before, sizeof(before) - 1);
	const char *quote;

	if (!name)
		return;
	name += sizeof(before) - 1;
	quote = memchr(name, '\'', (size_t)(end - name));
	/* Whether it needs this one at every gateway, the tool alone knows. */
	if (quote && !is_given(config->environment, name, (size_t)(quote - name)))
		warn(config, line, name, (size_t)(quote - name));
}

/* The tool fills its templates in before it reads YAML, and their quotes need not fit ours. */
static void fill_templates(struct config *config)
{
	bool is_comment = false;
	size_t line = 1;

	for (char *at = config->text; *at; at++) {
		char *end;

		if (*at == '\n') {
			line++;
			is_comment = false;
		}
		is_comment = is_comment || *at == '#';
		if (strncmp(at, "<%=", 3) != 0)
			continue;
		end = strstr(at, "%>");
		if (!end || memchr(at, '\n', (size_t)(end - at)))
			continue;
		if (!is_comment)
			check_variable(config, at, end, line);
		memset(at, 'x', (size_t)(end + 2 - at));
		at = end + 1;
	}
}

static pep_status fail_at(const struct config *config, const yaml_mark_t *mark, const char *what, struct pep_error *err)
{
	return pep_fail(err, PEP_INVALID, 0, "fcu: config %s:%zu:%zu: %s; correct it", config->path, mark->line + 1,
			mark->column + 1, what);
}

static pep_status parse(const struct config *config, yaml_parser_t *parser, struct pep_error *err)
{
	bool is_first = true;

	for (;;) {
		yaml_event_t event;
		yaml_event_type_t type;
		yaml_mark_t mark;

		if (!yaml_parser_parse(parser, &event))
			return fail_at(config, &parser->problem_mark, parser->problem ? parser->problem : "it is not YAML", err);
		type = event.type;
		mark = event.start_mark;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return is_first ? fail_at(config, &mark, "it says nothing", err) : PEP_OK;
		if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT)
			continue;
		if (is_first && type != YAML_MAPPING_START_EVENT)
			return fail_at(config, &mark, "it does not begin with a key", err);
		is_first = false;
	}
}

static pep_status read_config(struct config *config, struct pep_error *err)
{
	FILE *file = fopen(config->path, "re");
	int reason = errno;

	if (file) {
		config->size = fread(config->text, 1, CONFIG_SIZE_MAX + 1, file);
		reason = ferror(file) ? errno : 0;
		(void)fclose(file);
	}
	if (!file || reason)
		return pep_fail(err, PEP_INVALID, reason, "fcu: config %s cannot be read: %s", config->path, strerror(reason));
	if (config->size > CONFIG_SIZE_MAX)
		return pep_fail(err, PEP_INVALID, 0, "fcu: config %s has over %d bytes; is it the right file?", config->path,
				CONFIG_SIZE_MAX);
	return PEP_OK; /* the text ends with the NUL that calloc() gave */
}

pep_status config_check(const struct pep_host *host, const char *path, char *const *environment, struct pep_error *err)
{
	struct config config = {.host = host, .path = path, .environment = environment, .text = calloc(1, CONFIG_SIZE_MAX + 1)};
	yaml_parser_t parser;
	pep_status status;

	if (!config.text || !yaml_parser_initialize(&parser)) {
		free(config.text);
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcu: no memory to read config %s", path);
	}
	status = read_config(&config, err);
	if (status == PEP_OK) {
		fill_templates(&config);
		yaml_parser_set_input_string(&parser, (const unsigned char *)config.text, config.size);
		status = parse(&config, &parser, err);
	}
	yaml_parser_delete(&parser);
	free(config.text);
	return status;
}
