/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_SIZE 128
#define MAC_BYTES_MAX 8

enum field_kind { FIELD_TEXT, FIELD_MAC, FIELD_INT64, FIELD_UINT32, FIELD_DATE };

#define MEMBER(kind_, name_, member_)                                                              \
	{                                                                                          \
		.name = (name_), .kind = (kind_), .offset = offsetof(struct pep_identity, member_) \
	}
static const struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
} fields[] = {
	MEMBER(FIELD_TEXT, "serialNumber", serial),
	MEMBER(FIELD_TEXT, "hardwareVersion", hardware_version),
	MEMBER(FIELD_TEXT, "radioConfig", radio_config),
	MEMBER(FIELD_TEXT, "ledConfig", led_config),
	MEMBER(FIELD_TEXT, "category", category),
	MEMBER(FIELD_TEXT, "gatewayServicesAddress", gateway_services_address),
	MEMBER(FIELD_TEXT, "apiAddress", api_address),
	MEMBER(FIELD_TEXT, "verificationKey", verification_key),
	MEMBER(FIELD_TEXT, "OU", ou),
	MEMBER(FIELD_TEXT, "deviceID", device_id),
	MEMBER(FIELD_MAC, "ethernetMAC", ethernet_mac),
	MEMBER(FIELD_MAC, "sixBMAC", sixb_mac),
	MEMBER(FIELD_DATE, "createdAt", created_ms),
	MEMBER(FIELD_TEXT, "enrollmentID", enrollment_id),
	MEMBER(FIELD_INT64, "revision", revision),
	MEMBER(FIELD_UINT32, "state", state),
	MEMBER(FIELD_TEXT, "dispatchID", dispatch_id),
	MEMBER(FIELD_INT64, "deployedMs", deployed_ms),
	MEMBER(FIELD_INT64, "leaseUntilMs", lease_until_ms),
	MEMBER(FIELD_UINT32, "attempt", attempt),
	MEMBER(FIELD_UINT32, "contacted", contacted),
	MEMBER(FIELD_UINT32, "before", before),
	MEMBER(FIELD_UINT32, "generation", generation),
	MEMBER(FIELD_TEXT, "nonce", nonce),
	MEMBER(FIELD_TEXT, "owner", owner),
	MEMBER(FIELD_TEXT, "idempotencyKey", idempotency_key),
	MEMBER(FIELD_TEXT, "requestDigest", request_digest),
	MEMBER(FIELD_TEXT, "station", station),
	MEMBER(FIELD_TEXT, "requestID", request_id),
	MEMBER(FIELD_TEXT, "reason", reason),
	MEMBER(FIELD_TEXT, "history", history),
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static const char *text_of(const struct pep_identity *id, const struct field *field)
{
	return *(const char *const *)(const void *)((const char *)id + field->offset);
}

static bool is_text(const struct field *field)
{
	return field->kind == FIELD_TEXT || field->kind == FIELD_MAC;
}

/* Is the text what a list of numbers would be read as? Then it is stored as the original stores it. */
static size_t read_mac(const char *text, int32_t *ret_bytes)
{
	size_t count = 0;

	for (const char *next = text;; next++) {
		int32_t number = 0;
		size_t digits = strspn(next, "0123456789");

		if (digits < 1 || digits > 3 || count == MAC_BYTES_MAX || (digits > 1 && *next == '0'))
			return 0;
		for (; digits > 0; digits--, next++)
			number = number * 10 + (*next - '0');
		if (number > 255)
			return 0;
		ret_bytes[count++] = number;
		if (!*next)
			return count;
		if (*next != ',')
			return 0;
	}
}

static bool append_mac(bson_t *document, const char *name, const char *text)
{
	static const char *const keys[MAC_BYTES_MAX] = {"0", "1", "2", "3", "4", "5", "6", "7"};
	int32_t bytes[MAC_BYTES_MAX];
	size_t count = read_mac(text, bytes);
	bool good = true;
	bson_t list;

	if (count == 0)
		return BSON_APPEND_UTF8(document, name, text);
	if (!BSON_APPEND_ARRAY_BEGIN(document, name, &list))
		return false;
	for (size_t i = 0; i < count && good; i++)
		good = BSON_APPEND_INT32(&list, keys[i], bytes[i]);
	return bson_append_array_end(document, &list) && good;
}

static bool append_field(bson_t *document, const struct pep_identity *id, const struct field *field)
{
	const void *member = (const char *)id + field->offset;

	switch (field->kind) {
	case FIELD_INT64:
		return BSON_APPEND_INT64(document, field->name, *(const int64_t *)member);
	case FIELD_UINT32:
		return BSON_APPEND_INT64(document, field->name, *(const uint32_t *)member);
	case FIELD_DATE:
		return BSON_APPEND_DATE_TIME(document, field->name, *(const int64_t *)member);
	case FIELD_MAC:
		return !text_of(id, field) || append_mac(document, field->name, text_of(id, field));
	case FIELD_TEXT:
		break;
	}
	return !text_of(id, field) || BSON_APPEND_UTF8(document, field->name, text_of(id, field));
}

static char *join(char first, const char *text)
{
	size_t size = strlen(text);
	char *key = malloc(RECORD_KEY_SIZE(size));

	if (key) {
		key[0] = first;
		memcpy(key + 1, text, size + 1);
	}
	return key;
}

char *record_order_of(const char *dispatch_id)
{
	return join('0', dispatch_id);
}

char *record_order(const struct pep_identity *id)
{
	return id->dispatch_id ? join('0', id->dispatch_id) : join('1', id->serial);
}

static bool append_derived(bson_t *document, const struct pep_identity *id)
{
	char *order = record_order(id);
	char *key = id->enrollment_id ? join('0', id->enrollment_id) : join('1', id->serial);
	bool good = order && key && BSON_APPEND_UTF8(document, RECORD_LIST_ORDER, order) &&
		    BSON_APPEND_UTF8(document, RECORD_ENROLLMENT_KEY, key);

	free(order);
	free(key);
	/* For whoever reads the collection as the original left it. */
	if (good && id->gateway_services_address)
		good = BSON_APPEND_UTF8(document, "cloudAddress", id->gateway_services_address);
	return good && BSON_APPEND_BOOL(document, "deployed", id->state == PEP_DEPLOYED);
}

bool record_append(bson_t *document, const struct pep_identity *id)
{
	bool good = true;

	for (size_t i = 0; i < FIELD_COUNT && good; i++)
		good = append_field(document, id, &fields[i]);
	return good && append_derived(document, id);
}

bool record_append_absent(bson_t *document, const struct pep_identity *id)
{
	bool good = true;

	for (size_t i = 0; i < FIELD_COUNT && good; i++) {
		if (is_text(&fields[i]) && !text_of(id, &fields[i]))
			good = BSON_APPEND_UTF8(document, fields[i].name, "");
	}
	if (good && !id->gateway_services_address)
		good = BSON_APPEND_UTF8(document, "cloudAddress", "");
	return good;
}

/* What is being read: the texts go behind the struct. */
struct reading {
	struct pep_identity *id;
	char *texts; /* where the next one goes */
	char *why;
};

static bool refuse(const struct reading *reading, const struct field *field, const char *what)
{
	(void)snprintf(reading->why, WHY_SIZE, "its %s is %s", field->name, what);
	return false;
}

static void keep_text(struct reading *reading, const struct field *field, size_t size)
{
	const char **member = (const char **)(void *)((char *)reading->id + field->offset);

	*member = reading->texts;
	reading->texts[size] = '\0';
	reading->texts += size + 1;
}

static bool read_text(struct reading *reading, const struct field *field, const bson_iter_t *iter)
{
	uint32_t size;
	const char *text = bson_iter_utf8(iter, &size);

	if (!bson_utf8_validate(text, size, false))
		return refuse(reading, field, "no UTF-8 text, or has a NUL in it");
	memcpy(reading->texts, text, size);
	keep_text(reading, field, size);
	return true;
}

/* A number of up to three digits takes more room in the document than here. */
static bool read_list(struct reading *reading, const struct field *field, const bson_iter_t *iter)
{
	size_t size = 0;
	bson_iter_t item;

	if (!bson_iter_recurse(iter, &item))
		return refuse(reading, field, "damaged");
	while (bson_iter_next(&item)) {
		int64_t number = BSON_ITER_HOLDS_NUMBER(&item) ? bson_iter_as_int64(&item) : -1;

		if (number < 0 || number > 255)
			return refuse(reading, field, "no list of numbers from 0 to 255");
		size += (size_t)snprintf(reading->texts + size, 5, "%s%d", size ? "," : "", (int)number);
	}
	if (size > 0) /* the original stores an empty list where none was given */
		keep_text(reading, field, size);
	return true;
}

static bool read_number(struct reading *reading, const struct field *field, const bson_iter_t *iter)
{
	void *member = (char *)reading->id + field->offset;
	int64_t number;

	if (field->kind == FIELD_DATE && BSON_ITER_HOLDS_DATE_TIME(iter))
		number = bson_iter_date_time(iter);
	else if (field->kind != FIELD_DATE && BSON_ITER_HOLDS_INT(iter))
		number = bson_iter_as_int64(iter);
	else
		return refuse(reading, field, field->kind == FIELD_DATE ? "no date" : "no whole number");
	if (field->kind == FIELD_UINT32 && (number < 0 || number > UINT32_MAX))
		return refuse(reading, field, "out of range");
	if (field->kind == FIELD_UINT32)
		*(uint32_t *)member = (uint32_t)number;
	else
		*(int64_t *)member = number;
	return true;
}

static bool read_field(struct reading *reading, const struct field *field, const bson_iter_t *iter)
{
	if (BSON_ITER_HOLDS_NULL(iter))
		return true;
	if (!is_text(field))
		return read_number(reading, field, iter);
	if (BSON_ITER_HOLDS_UTF8(iter))
		return read_text(reading, field, iter);
	if (field->kind == FIELD_MAC && BSON_ITER_HOLDS_ARRAY(iter))
		return read_list(reading, field, iter);
	return refuse(reading, field, "no text");
}

/* Most documents have the fields in the order of the table, so the search begins behind the last one found. */
static const struct field *find_field(const char *name, size_t *start)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		size_t at = (*start + i) % FIELD_COUNT;

		if (strcmp(fields[at].name, name) == 0) {
			*start = at + 1;
			return &fields[at];
		}
	}
	return NULL;
}

bool record_read(const bson_t *document, struct pep_identity **ret_id, char *ret_why)
{
	struct pep_identity *id = malloc(sizeof(*id) + document->len);
	struct reading reading = {.id = id, .texts = (char *)(id + 1), .why = ret_why};
	bson_iter_t iter;
	size_t start = 0;
	bool good = true;

	*ret_id = NULL;
	if (!id)
		return true;
	*id = (struct pep_identity){.struct_size = sizeof(*id)};
	if (!bson_iter_init(&iter, document)) {
		(void)snprintf(ret_why, WHY_SIZE, "it is damaged");
		good = false;
	}
	while (good && bson_iter_next(&iter)) {
		const struct field *field = find_field(bson_iter_key(&iter), &start);

		if (field)
			good = read_field(&reading, field, &iter);
	}
	if (good && !id->serial) {
		(void)snprintf(ret_why, WHY_SIZE, "it has no serialNumber");
		good = false;
	}
	if (!good) {
		free(id);
		return false;
	}
	*ret_id = id;
	return true;
}
