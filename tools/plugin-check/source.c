/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include "core/base/cleanup.h"
#include "core/base/identity.h"
#include "core/base/text.h"
#include "sample.h"
#include "tests/conformance/golden_records.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

struct source {
	int64_t next, count; /* count: of made-up records, or of the suite's */
	bool is_suite;
	struct sample sample;
	/* of a file: */
	const char *path;
	FILE *file;
	char *line;
	size_t line_room;
	json_t *object; /* owns the texts of `id` */
	struct pep_identity id;
	char macs[2][64];
};

static pep_status open_file(struct source *source, const char *path, struct pep_error *err)
{
	source->path = path;
	source->file = fopen(path, "re");
	if (!source->file)
		return pep_fail(err, PEP_NOT_FOUND, errno, "%s cannot be opened: %s", path, strerror(errno));
	return PEP_OK;
}

static pep_status read_data(struct source *source, const char *data, struct pep_error *err)
{
	source->is_suite = strcmp(data, "suite") == 0;
	source->count = GOLDEN_RECORD_COUNT;
	if (!source->is_suite && (strncmp(data, "sample:", 7) != 0 || !text_to_number(data + 7, 0, 1000000000, &source->count)))
		return pep_fail(err, PEP_INVALID, 0, "--data %s: write sample:N, N up to 1000000000, or suite", data);
	return PEP_OK;
}

pep_status source_open(const char *data, const char *path, struct source **ret_source, struct pep_error *err)
{
	struct source *source = calloc(1, sizeof(*source));
	pep_status status;

	if (!source)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = path ? open_file(source, path, err) : read_data(source, data, err);
	if (status != PEP_OK) {
		source_close(source);
		return status;
	}
	*ret_source = source;
	return PEP_OK;
}

static const struct {
	const char *key;
	size_t offset; /* of a text in the record */
} texts[] = {
	{"_id", offsetof(struct pep_identity, dispatch_id)},
	{"serialNumber", offsetof(struct pep_identity, serial)},
	{"enrollmentID", offsetof(struct pep_identity, enrollment_id)},
	{"hardwareVersion", offsetof(struct pep_identity, hardware_version)},
	{"radioConfig", offsetof(struct pep_identity, radio_config)},
	{"ledConfig", offsetof(struct pep_identity, led_config)},
	{"category", offsetof(struct pep_identity, category)},
	{"apiAddress", offsetof(struct pep_identity, api_address)},
	{"gatewayServicesAddress", offsetof(struct pep_identity, gateway_services_address)},
	{"OU", offsetof(struct pep_identity, ou)},
	{"deviceID", offsetof(struct pep_identity, device_id)},
	{"ethernetMAC", offsetof(struct pep_identity, ethernet_mac)},
	{"sixBMAC", offsetof(struct pep_identity, sixb_mac)},
	{"station", offsetof(struct pep_identity, station)},
	{"reason", offsetof(struct pep_identity, reason)},
};

/* [0,1,2] as "0,1,2", which is how a record keeps it. */
static const char *join_numbers(const json_t *array, char room[64])
{
	size_t used = 0, i;
	json_t *number;

	json_array_foreach(array, i, number)
	{
		json_int_t value = json_integer_value(number);

		if (!json_is_integer(number) || value < 0 || value > 255 || used > 56)
			return NULL;
		used += (size_t)snprintf(room + used, 64 - used, "%s%" JSON_INTEGER_FORMAT, i ? "," : "", value);
	}
	return used ? room : NULL;
}

/* NULL: done, else what is wrong with the member. */
static const char *read_text(struct source *source, const char *key, const json_t *value, bool *ret_is_text)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = json_string_value(value);
		bool is_sixb = strcmp(key, "sixBMAC") == 0;

		if (strcmp(texts[i].key, key) != 0)
			continue;
		*ret_is_text = true;
		if (json_is_array(value) && (is_sixb || strcmp(key, "ethernetMAC") == 0))
			text = join_numbers(value, source->macs[is_sixb]);
		if (!text && !json_is_null(value))
			return "is not of the type that it has in an export";
		*(const char **)(void *)((char *)&source->id + texts[i].offset) = text;
		return NULL;
	}
	return NULL;
}

static const char *read_number(struct source *source, const char *key, const json_t *value)
{
	int64_t number = json_integer_value(value);

	if (strcmp(key, "deployed") == 0) {
		if (json_is_true(value))
			source->id.state = PEP_DEPLOYED;
		return json_is_boolean(value) ? NULL : "is neither true nor false";
	}
	if (strcmp(key, "state") == 0) {
		source->id.state = json_is_string(value) ? identity_state_from_name(json_string_value(value)) : 0;
		return source->id.state ? NULL : "is no state";
	}
	if (strcmp(key, "cloudAddress") == 0) /* gatewayServicesAddress once more */
		return NULL;
	if (!json_is_integer(value) && !json_is_null(value))
		return "is unknown; the members are those of the jsonl exporter, deployedAt, attempt, generation, station, reason";
	if (strcmp(key, "createdAt") == 0)
		source->id.created_ms = number;
	else if (strcmp(key, "deployedAt") == 0)
		source->id.deployed_ms = number;
	else if (strcmp(key, "attempt") == 0)
		source->id.attempt = (uint32_t)number;
	else if (strcmp(key, "generation") == 0)
		source->id.generation = (uint32_t)number;
	else
		return "is unknown; the members are those of the jsonl exporter, deployedAt, attempt, generation, station, reason";
	return NULL;
}

static pep_status read_object(struct source *source, struct pep_error *err)
{
	const char *key;
	json_t *value;

	source->id = (struct pep_identity){.struct_size = sizeof(source->id), .state = PEP_CLAIMED, .attempt = 1};
	json_object_foreach(source->object, key, value)
	{
		bool is_text = false;
		const char *why = read_text(source, key, value, &is_text);

		if (!is_text)
			why = read_number(source, key, value);
		if (why)
			return pep_fail(err, PEP_INVALID, 0, "%s:%" PRId64 ": member \"%.64s\" %s", source->path, source->next, key,
					why);
	}
	if (!source->id.serial || !*source->id.serial)
		return pep_fail(err, PEP_INVALID, 0, "%s:%" PRId64 ": there is no serialNumber", source->path, source->next);
	return PEP_OK;
}

static pep_status read_line(struct source *source, const struct pep_identity **ret_id, struct pep_error *err)
{
	json_error_t why;
	pep_status status;

	json_decref(source->object);
	source->object = NULL;
	errno = 0;
	if (getline(&source->line, &source->line_room, source->file) < 0) {
		*ret_id = NULL;
		return ferror(source->file) ? pep_fail(err, PEP_INTERNAL, errno, "%s: %s", source->path, strerror(errno)) : PEP_OK;
	}
	source->next++;
	source->object = json_loads(source->line, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(source->object))
		return pep_fail(err, PEP_INVALID, 0, "%s:%" PRId64 ": not a JSON object: %s", source->path, source->next,
				source->object ? "another value" : why.text);
	status = read_object(source, err);
	if (status == PEP_OK)
		*ret_id = &source->id;
	return status;
}

pep_status source_next(struct source *source, const struct pep_identity **ret_id, struct pep_error *err)
{
	if (source->file)
		return read_line(source, ret_id, err);
	if (source->next == source->count) {
		*ret_id = NULL;
		return PEP_OK;
	}
	source->next++;
	if (source->is_suite) {
		*ret_id = golden_records[source->next - 1];
		return PEP_OK;
	}
	sample_make(source->next, &source->sample);
	*ret_id = &source->sample.id;
	return PEP_OK;
}

pep_status source_rewind(struct source *source, struct pep_error *err)
{
	source->next = 0;
	if (source->file && fseek(source->file, 0, SEEK_SET) != 0)
		return pep_fail(err, PEP_INVALID, errno, "%s cannot be read twice: %s; name a regular file", source->path,
				strerror(errno));
	return PEP_OK;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	if (source->file)
		(void)fclose(source->file);
	json_decref(source->object);
	free(source->line);
	free(source);
}
