/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/profile.h"

#include "core/base/buffer.h"
#include "core/base/cleanup.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((size_t)64 << 10)

/* What a template may ask for: the members of a reply, and the second names that `edge` gives them. */
static const char *const field_names[] = {
	"serialNumber",
	"hardwareVersion",
	"radioConfig",
	"ledConfig",
	"category",
	"gatewayServicesAddress",
	"apiAddress",
	"OU",
	"deviceID",
	"ethernetMAC",
	"sixBMAC",
	"deployed",
	"cloudAddress",
	"createdAt",
	"enrollmentID",
	"apiServerAddress",
	"edgek8sServicesAddress",
	"containerServicesAddress",
};

static void drop_json(json_t **json)
{
	json_decref(*json);
}

static bool is_field(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(field_names) / sizeof(field_names[0]); i++)
		if (strlen(field_names[i]) == size && memcmp(field_names[i], name, size) == 0)
			return true;
	return false;
}

/* The next ${NAME} of a text: where it begins, its name. NULL: no more. */
static const char *next_field(const char *text, const char **ret_name, size_t *ret_size)
{
	const char *begin = strstr(text, "${"), *end = begin ? strchr(begin, '}') : NULL;

	if (!end)
		return NULL;
	*ret_name = begin + 2;
	*ret_size = (size_t)(end - begin) - 2;
	return begin;
}

/* The first field that there is not, anywhere in a template; NULL: all are known. */
static const char *unknown_field(const json_t *value)
{
	const char *name, *found = NULL, *text = json_string_value(value);
	size_t size;
	const char *key;
	json_t *member;

	while (text && (text = next_field(text, &name, &size))) {
		if (!is_field(name, size))
			return name;
		text = name + size;
	}
	json_object_foreach((json_t *)value, key, member) if (!found) found = unknown_field(member);
	for (size_t i = 0; !found && i < json_array_size(value); i++)
		found = unknown_field(json_array_get(value, i));
	return found;
}

int profile_load(const char *name, const char *file, struct profile *ret_profile, struct failure *err)
{
	bool custom = strcmp(name, "custom") == 0;
	AUTO(drop_json) json_t *template = NULL;
	json_error_t error;
	const char *unknown;

	*ret_profile = (struct profile){.name = name};
	if (custom != (file != NULL))
		return failure_set(err, EXIT_USAGE, "usage", "--template and --profile custom need each other");
	if (!custom)
		return EXIT_OK;
	template = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(template))
		return failure_set(err, EXIT_CONFIGURATION, "configuration", "the template %s is no JSON object: line %d: %s", file,
				   error.line, template ? "it is something else" : error.text);
	unknown = unknown_field(template);
	if (unknown)
		return failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "the template %s asks for ${%.*s}; pep-cli(1) lists the fields there are", file,
				   (int)strcspn(unknown, "}"), unknown);
	ret_profile->template = TAKE(template);
	return EXIT_OK;
}

void profile_fini(struct profile *profile)
{
	json_decref(profile->template);
	profile->template = NULL;
}

/* "https://gateways.REST" with another first label; any other address as it is. */
static json_t *sibling(const char *given, const char *gateways, const char *label)
{
	static const char known[] = "://gateways.";
	const char *at = gateways ? strstr(gateways, known) : NULL;

	if (given)
		return json_string(given);
	if (!at)
		return gateways ? json_string(gateways) : NULL;
	return json_sprintf("%.*s://%s.%s", (int)(at - gateways), gateways, label, at + strlen(known));
}

/* Gives the reply's members the names that today's software reads; what is there stays. */
static void add_names(const struct profile *profile, json_t *identity)
{
	const char *gateways = json_string_value(json_object_get(identity, "gatewayServicesAddress"));
	json_t *api = json_object_get(identity, "apiAddress");

	if (api)
		(void)json_object_set(identity, "apiServerAddress", api);
	if (gateways || profile->k8s_address)
		(void)json_object_set_new(identity, "edgek8sServicesAddress", sibling(profile->k8s_address, gateways, "edge-k8s"));
	if (gateways || profile->container_address)
		(void)json_object_set_new(identity, "containerServicesAddress",
					  sibling(profile->container_address, gateways, "containers"));
}

/* The text of a value inside of another text; NULL: none. The caller frees it. */
static char *text_of(const json_t *value)
{
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
}

/* A text of the template, filled in. NULL: a field is absent. */
static json_t *fill_text(const char *text, json_t *identity)
{
	AUTO(buffer_fini) struct buffer out;
	const char *begin, *name;
	size_t size;

	buffer_init(&out, FILE_LIMIT);
	while ((begin = next_field(text, &name, &size))) {
		AUTO(free_ptr) char *key = strndup(name, size);
		AUTO(free_ptr) char *value = NULL;
		json_t *field = key ? json_object_get(identity, key) : NULL;

		/* Alone, it keeps its kind: a list stays a list. */
		if (begin == text && !name[size + 1] && !out.size)
			return json_incref(field);
		value = text_of(field);
		if (!value)
			return NULL;
		buffer_append(&out, text, (size_t)(begin - text));
		buffer_text(&out, value);
		text = name + size + 1;
	}
	buffer_text(&out, text);
	return out.failed ? NULL : json_stringn(out.data ? out.data : "", out.size);
}

static json_t *fill(const json_t *value, json_t *identity)
{
	json_t *made, *member;
	const char *key;

	if (json_is_string(value))
		return fill_text(json_string_value(value), identity);
	if (json_is_array(value)) {
		made = json_array();
		for (size_t i = 0; i < json_array_size(value); i++) {
			member = fill(json_array_get(value, i), identity);
			if (member)
				(void)json_array_append_new(made, member);
		}
		return made;
	}
	if (!json_is_object(value))
		return json_deep_copy(value);
	made = json_object();
	json_object_foreach((json_t *)value, key, member)
	{
		json_t *filled = fill(member, identity);

		if (filled)
			(void)json_object_set_new(made, key, filled);
	}
	return made;
}

int profile_make(const struct profile *profile, const void *reply, size_t size, char **ret_text, struct failure *err)
{
	AUTO(drop_json) json_t *identity = json_loadb(reply, size, 0, NULL);
	AUTO(drop_json) json_t *made = NULL;
	char *text = NULL;

	if (strcmp(profile->name, "legacy") == 0) {
		text = strndup(reply, size);
	} else {
		add_names(profile, identity);
		made = profile->template ? fill(profile->template, identity) : json_incref(identity);
		text = made ? json_dumps(made, JSON_COMPACT) : NULL;
	}
	if (!text)
		return failure_set(err, EXIT_SERVER, "bad_reply",
				   "identity.json cannot be made of the reply: out of memory, or no JSON");
	*ret_text = text;
	return EXIT_OK;
}
