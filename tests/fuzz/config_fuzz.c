/* SPDX-License-Identifier: Apache-2.0 */

/* A configuration of any bytes: read, typed, its plugins' options read by a list, printed, and what was printed read again. */
#include "core/config/apply.h"
#include "core/config/options.h"
#include "core/config/parse.h"
#include "core/config/print.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static const struct pep_option options[] = {
	{.key = "path", .fallback = "pep.db", .type = PEP_PATH},
	{.key = "count", .fallback = "5", .min = -9, .max = 9, .type = PEP_INT},
	{.key = "wait", .fallback = "5s", .min = 1, .max = 60000, .type = PEP_MILLISECONDS},
	{.key = "fast", .fallback = "false", .type = PEP_BOOL},
	{.key = "note", .fallback = "", .min = 2, .max = 16, .type = PEP_STRING},
	{.key = NULL},
};

static struct config *read_bytes(const char *data, size_t size)
{
	struct config *config = calloc(1, sizeof(*config));
	struct parse_node *root = NULL;
	struct pep_error err = {0};
	pep_status status;

	if (!config)
		abort();
	status = parse_text(&config->arena, "fuzz.yaml", data, size, &root, &err);
	if (status == PEP_OK)
		status = apply_tree(root, config, &err);
	if (status == PEP_OK)
		return config;
	/* A refusal is one line, and ends. */
	if (!err.message[0] || strchr(err.message, '\n') || !memchr(err.message, '\0', sizeof(err.message)))
		abort();
	config_free(config);
	return NULL;
}

static void read_options(const struct config_instance *instance)
{
	struct option_values *values = NULL;
	struct pep_error err = {0};

	if (options_read(instance, options, "/data", &values, &err) == PEP_OK)
		options_free(values);
	else if (!err.message[0])
		abort();
}

static char *print_all(const struct config *config, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	if (!out)
		abort();
	print_sections(out, config);
	if (fclose(out))
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = read_bytes((const char *)data, size);
	struct config *again;
	size_t text_size;
	char *text;

	if (!config)
		return 0;
	read_options(&config->storage);
	for (size_t i = 0; i < config->exporter_count; i++)
		read_options(&config->exporters[i]);
	/* What is printed says the same when it is read. */
	text = print_all(config, &text_size);
	again = read_bytes(text, text_size);
	if (!again || again->port != config->port || again->lease_ms != config->lease_ms ||
	    again->network_count != config->network_count || strcmp(again->category, config->category) != 0)
		abort();
	free(text);
	config_free(again);
	config_free(config);
	return 0;
}
