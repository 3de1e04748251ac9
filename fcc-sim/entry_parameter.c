/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/entry.h"

#include "core/base/clock.h"

/* FCC takes no clock from before 1 January 2017, 10:00 UTC. */
#define CLOCK_MIN_S 1483264800u

#define SMALL_NUMBER_SIZE 4u
#define TAG_BIGNUM 2u

struct parameter {
	struct span name, data;
	bool has_number;
	uint64_t number;
};

/* Text, bytes, or an integer as 8 bytes in the device's order; a bignum counts as its bytes. */
static bool set_variant(struct reader_item value, struct parameter *parameter)
{
	if (value.kind == READER_TAG && (value.number != TAG_BIGNUM || !reader_take(&value.inside, &value)))
		return false;
	switch (value.kind) {
	case READER_UINT:
	case READER_NEGINT:
		parameter->has_number = true;
		parameter->number = value.kind == READER_UINT ? value.number : ~value.number;
		parameter->data = (struct span){(const uint8_t *)&parameter->number, sizeof(parameter->number)};
		return true;
	case READER_BYTES:
	case READER_TEXT:
		parameter->data = value.string;
		return true;
	default:
		return false;
	}
}

static bool read_parameter(struct reader inside, struct parameter *ret_parameter, struct outcome *outcome)
{
	struct span name;
	struct reader_item value;

	while (!reader_at_end(&inside)) {
		if (!entry_take_field(&inside, &name, &value, outcome))
			return false;
		if (span_begins_word(name, "Name")) {
			if (!entry_set(&value, READER_TEXT, &ret_parameter->name, outcome))
				return false;
		} else if (!span_begins_word(name, "Data")) {
			return outcome_fail_plain(outcome, STATUS_NOT_SUPPORTED);
		} else if (!set_variant(value, ret_parameter)) {
			return ret_parameter->name.data ? outcome_fail(outcome, STATUS_BUNDLE, NULL, ret_parameter->name)
							: outcome_fail_plain(outcome, STATUS_BUNDLE);
		}
	}
	return ret_parameter->name.data || outcome_fail_plain(outcome, STATUS_BUNDLE);
}

static bool set_clock(struct gateway *gateway, const struct parameter *parameter, struct outcome *outcome)
{
	/* Without an integer FCC takes a number that lay in its memory; here that is always 0. */
	if (!parameter->has_number || parameter->number < CLOCK_MIN_S)
		return outcome_fail_plain(outcome, STATUS_ERROR);
	gateway->clock_s = parameter->number;
	gateway->clock_set_ms = clock_boot_ms();
	return true;
}

static bool is_small_number(struct span name)
{
	return span_begins_word(name, "mbed.UseBootstrap") || span_begins_word(name, "mbed.MemoryTotalKB") ||
	       span_begins_word(name, "mbed.FirstToClaim");
}

/* FCC copies 4 bytes from wherever the value lies, also if it is a shorter text; here never from behind the message. */
static void shorten(struct parameter *parameter, const uint8_t *end, uint8_t room[SMALL_NUMBER_SIZE])
{
	size_t size = parameter->has_number ? parameter->data.size : (size_t)(end - parameter->data.data);

	memset(room, 0, SMALL_NUMBER_SIZE);
	memcpy(room, parameter->data.data, size < SMALL_NUMBER_SIZE ? size : SMALL_NUMBER_SIZE);
	parameter->data = (struct span){room, SMALL_NUMBER_SIZE};
}

bool entry_parameter(struct gateway *gateway, struct reader inside, const uint8_t *end, struct outcome *outcome)
{
	struct parameter parameter = {0};
	uint8_t small_number[SMALL_NUMBER_SIZE];

	if (!read_parameter(inside, &parameter, outcome))
		return false;
	if (span_begins_word(parameter.name, "mbed.CurrentTime"))
		return set_clock(gateway, &parameter, outcome);
	if (is_small_number(parameter.name)) {
		if (!parameter.data.data)
			return outcome_fail(outcome, STATUS_KCM, NULL, parameter.name);
		shorten(&parameter, end, small_number);
	}
	return entry_stored(outcome, store_add(&gateway->store, STORE_PARAMETER, parameter.name, &parameter.data, 1),
			    parameter.name);
}
