/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/fcu_yml.h"

#include "core/config/parse.h"
#include "core/config/place.h"
#include "core/config/value.h"
#include "plugins/injector/fcc/rules.h" /* the same rules for both, and nothing else of the plugin */

#include <stddef.h>
#include <string.h>

enum kind {
	TEXT,
	COUNTRY,
	FLAG,
	NUMBER,
	DEPTH,
	DAYS,
	YEARS,
	UUID,
	OFFSET,
	URI,
	URI_TO_CLAIM,
	URI_DIRECT,
	MODE,
	CERTIFICATE,
	IGNORED
};

/* A key of the file, wherever it stands; some have changed their names between releases. */
struct mapping {
	const char *name;
	enum kind kind;
	size_t offset; /* in struct fcu_yml */
};
#define AT(member) offsetof(struct fcu_yml, member)

#define TEXT_LIMIT 256u /* bytes, of the injector's options */

static const struct mapping mappings[] = {
	{"use-bootstrap", FLAG, AT(use_bootstrap)},
	{"first-to-claim", FLAG, AT(first_to_claim)},
	{"time-sync", FLAG, AT(time_sync)},
	{"verify-on-device", FLAG, AT(verify_on_device)},
	{"bootstrap-server-uri", URI, AT(uri)},
	{"bootstrap-server-uri-first-to-claim", URI_TO_CLAIM, AT(uri)},
	{"lwm2m-server-uri", URI_DIRECT, AT(uri)},
	{"bootstrap-server-ca-certificate-file", CERTIFICATE, AT(server_ca)},
	{"bootstrap-server-ca-cert-file", CERTIFICATE, AT(server_ca)},
	{"update-auth-certificate-file", CERTIFICATE, AT(update_certificate)},
	{"vendor-id", UUID, AT(vendor_id)},
	{"class-id", UUID, AT(class_id)},
	{"device-key-generation-mode", MODE, AT(key_mode)},
	{"entropy-generation-mode", MODE, AT(entropy)},
	{"device-certificate-chain-depth", DEPTH, AT(chain_depth)},
	{"manufacturer", TEXT, AT(manufacturer)},
	{"manufacturer-name", TEXT, AT(manufacturer)},
	{"model-number", TEXT, AT(model_number)},
	{"device-type", TEXT, AT(device_type)},
	{"hardware-version", TEXT, AT(hardware_version)},
	{"memory-total-kb", NUMBER, AT(memory_total_kb)},
	{"memory-size", NUMBER, AT(memory_total_kb)},
	{"timezone", TEXT, AT(timezone)},
	{"device-timezone", TEXT, AT(timezone)},
	{"utc-offset", OFFSET, AT(utc_offset)},
	{"country", COUNTRY, AT(country)},
	{"country-name", COUNTRY, AT(country)},
	{"state", TEXT, AT(state)},
	{"state-or-province-name", TEXT, AT(state)},
	{"locality", TEXT, AT(locality)},
	{"locality-name", TEXT, AT(locality)},
	{"organization", TEXT, AT(organization)},
	{"organization-name", TEXT, AT(organization)},
	{"organizational-unit", TEXT, AT(unit)},
	{"organizational-unit-name", TEXT, AT(unit)},
	{"validity-days", DAYS, AT(validity_days)},
	{"validity-years", YEARS, AT(validity_days)},
	/* our authority comes from the keystore, and the gateway's store is the gateway's matter */
	{"certificate-authority", IGNORED, 0},
	{"secure-storage-type", IGNORED, 0},
	{"secure-hardware-components", IGNORED, 0},
	{"device-private-keys-in-field-generation", IGNORED, 0},
};

#define MAPPING_COUNT (sizeof(mappings) / sizeof(mappings[0]))

struct reader {
	fcu_yml_tell tell;
	struct fcu_yml *yml;
	const struct parse_node *taken[MAPPING_COUNT];
	const struct parse_node *uris[3]; /* of URI, URI_TO_CLAIM and URI_DIRECT: which one counts is known at the end */
};

/* One line about a place. */
static void tell(const struct reader *reader, const struct config_place *place, const char *what, const char *detail)
{
	struct pep_error err = {0};

	(void)place_fail(&err, PEP_INVALID, place, "%s%s", what, detail);
	reader->tell(err.message);
}

static void fault(struct reader *reader, const struct parse_node *node, const char *what)
{
	char key[128];

	(void)snprintf(key, sizeof(key), "\"%.100s\" ", node->key);
	tell(reader, &node->place, key, what);
	reader->yml->fault_count++;
}

static const struct mapping *find(const char *name)
{
	for (size_t i = 0; i < MAPPING_COUNT; i++)
		if (strcmp(mappings[i].name, name) == 0)
			return &mappings[i];
	return NULL;
}

static void take_flag(struct reader *reader, const struct parse_node *node, int *ret_flag)
{
	bool flag;

	if (!value_bool(node->text, &flag))
		fault(reader, node, "must be true or false");
	else
		*ret_flag = flag;
}

/* The ranges are those of the injector's options. */
static void take_number(struct reader *reader, const struct parse_node *node, enum kind kind, int64_t *ret_number)
{
	int64_t number;
	bool is_number = value_int(node->text, &number);

	if (kind == NUMBER && (!is_number || number < 0 || number > INT32_MAX))
		fault(reader, node, "must be a whole number that is not negative");
	else if (kind == DEPTH && (!is_number || number < 1 || number > 5))
		fault(reader, node, "must be a number of certificates, 1 to 5");
	else if (kind == DAYS && (!is_number || number < 1 || number > 36525))
		fault(reader, node, "must be a number of days, 1 to 36525");
	else if (kind == YEARS && (!is_number || number < 1 || number > 100))
		fault(reader, node, "must be a number of years, 1 to 100");
	else
		*ret_number = kind == YEARS ? number * 365 : number;
}

/* NULL: the injector takes it. */
static const char *text_fault(enum kind kind, const char *text)
{
	uint8_t uuid[16];

	if (kind == UUID && !rules_uuid(text, uuid))
		return "is not a UUID; write 8-4-4-4-12 hex digits";
	if (kind == OFFSET && !rules_utc_offset(text))
		return "must be +hh:mm or -hh:mm";
	/* by_device and by_tool are ours, too */
	if (kind == MODE && strcmp(text, "by_device") != 0 && strcmp(text, "by_tool") != 0)
		return "must be by_device or by_tool: the fcc injector takes no keys or seeds from elsewhere";
	if (kind == COUNTRY && strlen(text) != 2)
		return "must be two letters";
	if (strlen(text) > TEXT_LIMIT)
		return "must not be longer than 256 bytes";
	return NULL;
}

static void take_text(struct reader *reader, const struct parse_node *node, enum kind kind, const char **ret_text)
{
	const char *why = text_fault(kind, node->text);

	if (why)
		fault(reader, node, why);
	else
		*ret_text = node->text;
}

static void take(struct reader *reader, const struct parse_node *node, const struct mapping *mapping)
{
	void *place = (char *)reader->yml + mapping->offset;

	switch (mapping->kind) {
	case FLAG:
		take_flag(reader, node, place);
		break;
	case NUMBER:
	case DEPTH:
	case DAYS:
	case YEARS:
		take_number(reader, node, mapping->kind, place);
		break;
	case URI:
	case URI_TO_CLAIM:
	case URI_DIRECT:
		reader->uris[mapping->kind - URI] = node;
		break;
	case CERTIFICATE:
		*(const struct parse_node **)place = node;
		break;
	default:
		take_text(reader, node, mapping->kind, place);
	}
}

/* Only of the name of a file the tool's environment is known: its folder does not matter. */
static bool has_placeholder(const struct parse_node *node, enum kind kind)
{
	const char *slash = kind == CERTIFICATE ? strrchr(node->text, '/') : NULL;

	return strstr(slash ? slash : node->text, "<%") || strstr(slash ? slash : node->text, "%>");
}

/* Two names of one thing: which one the tool would believe is not known. */
static bool is_said_before(const struct reader *reader, const struct mapping *mapping)
{
	for (size_t i = 0; i < MAPPING_COUNT; i++)
		if (reader->taken[i] && mappings[i].offset == mapping->offset &&
		    (mapping->offset != AT(uri) || mappings[i].kind == mapping->kind))
			return true;
	return false;
}

static void take_known(struct reader *reader, const struct parse_node *node, const struct mapping *mapping)
{
	if (node->kind != PARSE_TEXT)
		fault(reader, node, "must be a single value");
	else if (is_said_before(reader, mapping))
		fault(reader, node, "is said for the second time; take one out");
	else if (has_placeholder(node, mapping->kind))
		fault(reader, node, "holds a placeholder of the tool's environment; write what it stands for");
	else
		take(reader, node, mapping);
	reader->taken[mapping - mappings] = node;
}

/* YAML's ways to say nothing. */
static bool is_empty(const struct parse_node *node)
{
	if (node->kind != PARSE_TEXT)
		return !node->first;
	return !*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

/* A map's keys, and those of the maps in it: device-info, device-certificate. */
static void read_map(struct reader *reader, const struct parse_node *map)
{
	for (const struct parse_node *node = map->first; node; node = node->next) {
		const struct mapping *mapping = find(node->key);

		if (!mapping && node->kind == PARSE_MAP)
			read_map(reader, node);
		else if (!mapping)
			tell(reader, &node->key_place, "not taken over: the fcc injector has no option for ", node->key);
		else if (is_empty(node))
			continue;
		else if (mapping->kind == IGNORED)
			tell(reader, &node->key_place, "not taken over: it does not concern the fcc injector: ", node->key);
		else
			take_known(reader, node, mapping);
	}
}

/* A fault of the file as a whole. */
static void fault_of_file(struct reader *reader, const struct parse_node *root, const char *what)
{
	tell(reader, &(struct config_place){.file = root->place.file}, what, "");
	reader->yml->fault_count++;
}

/* Which address counts, and whether gateways take it. */
static void choose_uri(struct reader *reader, const struct parse_node *root)
{
	struct fcu_yml *yml = reader->yml;
	bool is_direct = yml->use_bootstrap == 0;
	bool to_claim = yml->first_to_claim == 1;
	const struct parse_node *node = reader->uris[is_direct ? 2 : to_claim ? 1 : 0];
	const char *why;

	if (is_direct && to_claim)
		fault_of_file(reader, root, "first-to-claim needs use-bootstrap: every gateway would refuse the two together");
	for (size_t i = 0; i < sizeof(reader->uris) / sizeof(reader->uris[0]); i++)
		if (reader->uris[i] && reader->uris[i] != node)
			tell(reader, &reader->uris[i]->key_place,
			     "not taken over: use-bootstrap and first-to-claim ask for another address than ",
			     reader->uris[i]->key);
	if (!node) {
		fault_of_file(reader, root,
			      is_direct  ? "no server address: lwm2m-server-uri is not set"
			      : to_claim ? "no server address: bootstrap-server-uri-first-to-claim is not set"
					 : "no server address: bootstrap-server-uri is not set");
		return;
	}
	why = rules_uri_fault(node->text, to_claim);
	if (why)
		fault(reader, node, why);
	yml->uri = node->text;
}

pep_status fcu_yml_read(struct arena *arena, const char *path, fcu_yml_tell tell_line, struct fcu_yml *ret_yml,
			struct pep_error *err)
{
	struct fcu_yml yml = {.use_bootstrap = -1,
			      .first_to_claim = -1,
			      .time_sync = -1,
			      .verify_on_device = -1,
			      .chain_depth = -1,
			      .validity_days = -1,
			      .memory_total_kb = -1};
	struct reader reader = {.tell = tell_line, .yml = &yml};
	struct parse_node *root;
	pep_status status = parse_file(arena, path, &root, err);

	if (status != PEP_OK)
		return status;
	read_map(&reader, root);
	choose_uri(&reader, root);
	*ret_yml = yml;
	return PEP_OK;
}
