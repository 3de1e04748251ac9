/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/subject.h"

#include "core/base/cleanup.h"
#include "fcc-sim/der.h"

#define ATTRIBUTES_MAX 32u
#define VALUE_MAX_SIZE 255u

struct attribute_type {
	const char *name;
	const char *oid; /* DER, without tag and length */
	enum der_tag tag;
};

#define X520(last) "\x55\x04" last
#define EMAIL "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
#define DOMAIN "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"

static const struct attribute_type types[] = {
	{"CN", X520("\x03"), DER_UTF8},
	{"commonName", X520("\x03"), DER_UTF8},
	{"C", X520("\x06"), DER_PRINTABLE},
	{"countryName", X520("\x06"), DER_PRINTABLE},
	{"O", X520("\x0a"), DER_UTF8},
	{"organizationName", X520("\x0a"), DER_UTF8},
	{"L", X520("\x07"), DER_UTF8},
	{"locality", X520("\x07"), DER_UTF8},
	{"R", EMAIL, DER_IA5},
	{"OU", X520("\x0b"), DER_UTF8},
	{"organizationalUnitName", X520("\x0b"), DER_UTF8},
	{"ST", X520("\x08"), DER_UTF8},
	{"stateOrProvinceName", X520("\x08"), DER_UTF8},
	{"emailAddress", EMAIL, DER_IA5},
	{"serialNumber", X520("\x05"), DER_PRINTABLE},
	{"postalAddress", X520("\x10"), DER_PRINTABLE},
	{"postalCode", X520("\x11"), DER_PRINTABLE},
	{"dnQualifier", X520("\x2e"), DER_PRINTABLE},
	{"title", X520("\x0c"), DER_UTF8},
	{"surName", X520("\x04"), DER_UTF8},
	{"SN", X520("\x04"), DER_UTF8},
	{"givenName", X520("\x2a"), DER_UTF8},
	{"GN", X520("\x2a"), DER_UTF8},
	{"initials", X520("\x2b"), DER_UTF8},
	{"pseudonym", X520("\x41"), DER_UTF8},
	{"generationQualifier", X520("\x2c"), DER_UTF8},
	{"domainComponent", DOMAIN, DER_IA5},
	{"DC", DOMAIN, DER_IA5},
};

struct attribute {
	const struct attribute_type *type;
	size_t size;
	uint8_t value[VALUE_MAX_SIZE];
};

struct attributes {
	size_t count;
	struct attribute list[ATTRIBUTES_MAX];
};

static const struct attribute_type *find_type(struct span name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_equal(name, span_text(types[i].name)))
			return &types[i];
	return NULL;
}

/* An attribute that is there already is written over. NULL: too many. */
static struct attribute *place_for(struct attributes *attributes, const struct attribute_type *type)
{
	for (size_t i = 0; i < attributes->count; i++)
		if (strcmp(attributes->list[i].type->oid, type->oid) == 0)
			return &attributes->list[i];
	return attributes->count < ATTRIBUTES_MAX ? &attributes->list[attributes->count++] : NULL;
}

/* From behind the '=' to the comma or the end; `text` then begins behind the comma. */
static bool take_value(struct span *text, struct attribute *attribute)
{
	attribute->size = 0;
	while (text->size > 0) {
		uint8_t byte = *text->data++;

		text->size--;
		if (byte == ',')
			return true;
		if (byte == '\\') {
			if (text->size == 0 || *text->data != ',')
				return false;
			byte = *text->data++;
			text->size--;
		}
		if (attribute->size == VALUE_MAX_SIZE)
			return false;
		attribute->value[attribute->size++] = byte;
	}
	return true;
}

static bool read_attributes(struct span text, struct attributes *attributes)
{
	while (text.size > 0) {
		const uint8_t *equals;
		const struct attribute_type *type;
		struct attribute *attribute;

		while (attributes->count > 0 && text.size > 0 && *text.data == ' ') {
			text.data++;
			text.size--;
		}
		equals = text.size > 0 ? memchr(text.data, '=', text.size) : NULL;
		if (!equals)
			return true;
		type = find_type((struct span){text.data, (size_t)(equals - text.data)});
		attribute = type ? place_for(attributes, type) : NULL;
		if (!attribute)
			return false;
		attribute->type = type;
		text.size -= (size_t)(equals + 1 - text.data);
		text.data = equals + 1;
		if (!take_value(&text, attribute))
			return false;
	}
	return true;
}

static void put_attribute(struct buffer *out, const struct attribute *attribute, const char *common_name)
{
	AUTO(buffer_fini) struct buffer pair;
	AUTO(buffer_fini) struct buffer sequence;
	bool replaced = common_name && strcmp(attribute->type->oid, types[0].oid) == 0;

	buffer_init(&pair, 4096);
	buffer_init(&sequence, 4096);
	der_put(&pair, DER_OID, span_text(attribute->type->oid));
	der_put(&pair, attribute->type->tag, replaced ? span_text(common_name) : (struct span){attribute->value, attribute->size});
	der_put_buffer(&sequence, DER_SEQUENCE, &pair);
	der_put_buffer(out, DER_SET, &sequence);
}

bool subject_put(struct buffer *out, struct span text, const char *common_name)
{
	AUTO(free_ptr) struct attributes *attributes = calloc(1, sizeof(*attributes));
	AUTO(buffer_fini) struct buffer names;

	buffer_init(&names, 16384);
	if (!attributes || !read_attributes(text, attributes))
		return false;
	for (size_t i = 0; i < attributes->count; i++)
		put_attribute(&names, &attributes->list[i], common_name);
	der_put_buffer(out, DER_SEQUENCE, &names);
	return !out->failed;
}
