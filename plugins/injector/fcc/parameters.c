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

/* NULL: good; else what is wrong with the entry. */
static const char *read_entry(struct parameters *parameters, char *entry)
{
	struct parameter parameter = {.name = entry};
	char *value = strchr(entry, '='), *kind;
	const char *fault;

	if (!value)
		return "it is not NAME=text, NAME:int=number or NAME:hex=digits";
	*value++ = '\0';
	kind = strchr(entry, ':');
	if (kind)
		*kind++ = '\0';
	fault = rules_parameter_fault(entry);
	if (!fault)
		fault = read_value(&parameter, kind, value);
	for (size_t i = 0; !fault && i < parameters->count; i++)
		if (strcmp(parameters->list[i].name, parameter.name) == 0)
			fault = "it has the name of an earlier one, which every gateway refuses";
	if (!fault)
		parameters->list[parameters->count++] = parameter;
	return fault;
}

static char *trim(char *entry)
{
	size_t size;

	entry += strspn(entry, " ");
	size = strlen(entry);
	while (size && entry[size - 1] == ' ')
		entry[--size] = '\0';
	return entry;
}

static size_t count_entries(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ';';
	return count;
}

pep_status parameters_read(const char *what, const char *text, struct parameters *ret_parameters, struct pep_error *err)
{
	struct parameters parameters = {.text = strdup(text), .list = calloc(count_entries(text), sizeof(struct parameter))};
	char *rest = parameters.text, *entry;
	pep_status status = PEP_OK;

	if (!parameters.text || !parameters.list) {
		parameters_free(&parameters);
		return pep_fail(err, PEP_NO_MEMORY, 0, "fcc: no memory for the settings");
	}
	for (unsigned number = 1; status == PEP_OK && (entry = strsep(&rest, ";")) != NULL; number++) {
		const char *fault;

		entry = trim(entry);
		fault = *entry ? read_entry(&parameters, entry) : NULL;
		if (fault)
			status = pep_fail(err, PEP_INVALID, 0, "fcc: %s, number %u: %s", what, number, fault);
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
