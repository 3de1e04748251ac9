/* SPDX-License-Identifier: Apache-2.0 */
#include "parameters.h"

#include "rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *read_number(const char *text, int64_t *ret_number)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (!strchr("-0123456789", *text) || end == text || *end || errno)
		return "what follows :int= must be a whole number of 64 bits";
	*ret_number = number;
	return NULL;
}

/* In place: bytes are shorter than their digits. */
static const char *read_bytes(char *text, struct blob *ret_bytes)
{
	size_t size = strlen(text) / 2;

	if (strlen(text) % 2)
		return "what follows :hex= must be pairs of hex digits";
	for (size_t i = 0; i < size; i++) {
		int high = rules_hex_value(text[2 * i]), low = rules_hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return "what follows :hex= must be pairs of hex digits";
		text[i] = (char)(high << 4 | low);
	}
	*ret_bytes = (struct blob){.data = (uint8_t *)text, .size = size};
	return NULL;
}

static const char *read_value(struct parameter *parameter, const char *kind, char *value)
{
	parameter->data = (struct blob){.data = (uint8_t *)value, .size = strlen(value)};
	if (!kind)
		return NULL;
	if (strcmp(kind, "int") == 0) {
		parameter->kind = PARAMETER_NUMBER;
		return read_number(value, &parameter->number);
	}
	parameter->kind = PARAMETER_BYTES;
	return strcmp(kind, "hex") == 0 ? read_bytes(value, &parameter->data) : "behind its name stands neither :int nor :hex";
}

/* NULL: good; else what is wrong with the line. */
static const char *read_line(struct parameters *parameters, char *line)
{
	struct parameter parameter = {.name = line};
	char *value = strchr(line, '='), *kind;
	const char *fault;

	if (!value)
		return "it is not NAME=text, NAME:int=number or NAME:hex=digits";
	*value++ = '\0';
	kind = strchr(line, ':');
	if (kind)
		*kind++ = '\0';
	fault = rules_parameter_fault(line);
	if (!fault)
		fault = read_value(&parameter, kind, value);
	for (size_t i = 0; !fault && i < parameters->count; i++)
		if (strcmp(parameters->list[i].name, parameter.name) == 0)
			fault = "it has the name of an earlier one, which every gateway refuses";
	if (!fault)
		parameters->list[parameters->count++] = parameter;
	return fault;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

pep_status parameters_read(const char *what, const char *text, struct parameters *ret_parameters, struct pep_error *err)
{
	struct parameters parameters = {.text = strdup(text), .list = calloc(count_lines(text), sizeof(struct parameter))};
	char *rest = parameters.text, *line;
	pep_status status = PEP_OK;

	if (!parameters.text || !parameters.list)
		status = pep_fail(err, PEP_NO_MEMORY, 0, "fcc: no memory for the settings");
	for (unsigned number = 1; status == PEP_OK && (line = strsep(&rest, "\n")) != NULL; number++) {
		const char *fault = *line ? read_line(&parameters, line) : NULL;

		if (fault)
			status = pep_fail(err, PEP_INVALID, 0, "fcc: %s, line %u: %s", what, number, fault);
	}
	if (status != PEP_OK) {
		parameters_free(&parameters);
		return status;
	}
	*ret_parameters = parameters;
	return PEP_OK;
}

void parameters_free(struct parameters *parameters)
{
	free(parameters->text);
	free(parameters->list);
	*parameters = (struct parameters){0};
}
