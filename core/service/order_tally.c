/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/order_tally.h"

#include "core/base/cleanup.h"
#include "core/base/json.h"

#include <string.h>

static void drop_json(json_t **json)
{
	json_decref(*json);
}

void tally_fini(struct tally *tally)
{
	free(tally->held);
	*tally = (struct tally){0};
}

static bool read_place(const char *serial, const json_t *claims, struct tally_place *place)
{
	json_int_t first = json_integer_value(json_array_get(claims, 0));
	json_int_t last = json_integer_value(json_array_get(claims, 1));

	if (strlen(serial) >= sizeof(place->serial) || first < 1 || last < first || last > UINT32_MAX)
		return false;
	(void)snprintf(place->serial, sizeof(place->serial), "%s", serial);
	place->first = (uint32_t)first;
	place->last = (uint32_t)last;
	return true;
}

static bool read_places(json_t *held, struct tally *tally)
{
	const char *serial;
	json_t *claims;

	json_object_foreach(held, serial, claims)
	{
		if (!read_place(serial, claims, &tally->held[tally->held_count]))
			return false;
		tally->held_count++;
	}
	return true;
}

pep_status tally_read(const char *text, struct tally *ret_tally, struct pep_error *err)
{
	AUTO(drop_json) json_t *json = NULL;
	struct tally tally = {0};
	pep_status status = *text ? json_parse_text(text, strlen(text), &json, err) : PEP_OK;
	json_t *held;

	if (status != PEP_OK)
		return status;
	held = json_object_get(json, "held");
	if (json && (!json_is_integer(json_object_get(json, "used")) || json_object_size(held) > TALLY_HELD_MAX))
		return pep_fail(err, PEP_INVALID, 0, "the count of an order is not one");
	tally.used = json_integer_value(json_object_get(json, "used"));
	tally.held = calloc(TALLY_HELD_MAX, sizeof(*tally.held));
	if (!tally.held)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	if (tally.used < 0 || !read_places(held, &tally)) {
		tally_fini(&tally);
		return pep_fail(err, PEP_INVALID, 0, "the count of an order is not one");
	}
	*ret_tally = tally;
	return PEP_OK;
}

void tally_write(const struct tally *tally, struct buffer *text)
{
	buffer_text(text, "{\"used\":");
	buffer_number(text, tally->used);
	buffer_text(text, ",\"held\":{");
	for (size_t i = 0; i < tally->held_count; i++) {
		const struct tally_place *place = &tally->held[i];

		if (i)
			buffer_byte(text, ',');
		buffer_json_text(text, place->serial);
		buffer_format(text, ":[%u,%u]", (unsigned)place->first, (unsigned)place->last);
	}
	buffer_text(text, "}}");
}

static struct tally_place *find(const struct tally *tally, const char *serial)
{
	for (size_t i = 0; i < tally->held_count; i++)
		if (strcmp(tally->held[i].serial, serial) == 0)
			return &tally->held[i];
	return NULL;
}

const struct tally_place *tally_find(const struct tally *tally, const char *serial)
{
	return find(tally, serial);
}

enum tally_answer tally_hold(struct tally *tally, int64_t quantity, const char *serial, uint32_t attempt)
{
	struct tally_place *place = find(tally, serial);

	if (place) {
		if (place->last < attempt)
			place->last = attempt;
		return TALLY_HELD;
	}
	if (tally->used + (int64_t)tally->held_count >= quantity)
		return TALLY_FULL;
	if (tally->held_count == TALLY_HELD_MAX)
		return TALLY_UNSETTLED;
	place = &tally->held[tally->held_count++];
	*place = (struct tally_place){.first = attempt, .last = attempt};
	(void)snprintf(place->serial, sizeof(place->serial), "%s", serial);
	return TALLY_HELD;
}

static void remove_place(struct tally *tally, struct tally_place *place)
{
	*place = tally->held[--tally->held_count];
}

bool tally_deployed(struct tally *tally, const char *serial, uint32_t contacted)
{
	struct tally_place *place = find(tally, serial);

	if (!place)
		return false;
	/* What was deployed late by an attempt of before the order took no place of it. */
	if (contacted >= place->first)
		tally->used++;
	remove_place(tally, place);
	return true;
}

bool tally_release(struct tally *tally, const char *serial, uint32_t attempt)
{
	struct tally_place *place = find(tally, serial);

	if (!place || place->last != attempt)
		return false;
	remove_place(tally, place);
	return true;
}
