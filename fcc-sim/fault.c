/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/fault.h"

#include "core/base/text.h"
#include "fcc-sim/outcome.h"

#include <string.h>

#define TEXT_MAX_SIZE 63u
#define DEVICES_MAX 1000000
#define MESSAGES_MAX 1000
#define SLOW_MAX_MS 3600000
#define DROP_MAX_SIZE 65536
#define ARGUMENTS_MAX 2u

static bool number_in(const char *text, int64_t min, int64_t max, uint32_t *ret_number)
{
	int64_t number;

	if (!text_to_number(text, min, max, &number))
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

static bool read_devices(char *text, size_t number, bool *ret_meant)
{
	uint32_t first, last;
	char *dash;

	if (text[0] == '*') {
		if (!number_in(text + 1, 1, DEVICES_MAX, &first))
			return false;
		*ret_meant = number % first == 0;
		return true;
	}
	dash = strchr(text, '-');
	if (dash)
		*dash = '\0';
	if (!number_in(text, 1, DEVICES_MAX, &first) || !number_in(dash ? dash + 1 : text, first, DEVICES_MAX, &last))
		return false;
	*ret_meant = first <= number && number <= last;
	return true;
}

/* What stands behind the colons; absent arguments keep what *ret_number holds. */
static bool read_arguments(char *const *arguments, size_t count, size_t at, int64_t min, int64_t max, uint32_t *ret_number)
{
	return at >= count || number_in(arguments[at], min, max, ret_number);
}

static bool read_flag(const char *name, size_t argument_count, struct fault *fault)
{
	if (argument_count > 0)
		return false;
	if (strcmp(name, "wrong-cn") == 0)
		return fault->wrong_name = true;
	if (strcmp(name, "double") == 0)
		return fault->twice = true;
	if (strcmp(name, "disabled") == 0)
		return fault->disabled = true;
	return false;
}

static bool read_fault(const char *name, char *const *arguments, size_t count, struct fault *fault)
{
	if (strcmp(name, "refuse") == 0) {
		fault->refuse_status = STATUS_ERROR;
		fault->refuse_message = 1;
		return read_arguments(arguments, count, 0, 1, STATUS_MAX, &fault->refuse_status) &&
		       read_arguments(arguments, count, 1, 1, MESSAGES_MAX, &fault->refuse_message);
	}
	if (strcmp(name, "slow") == 0)
		return count == 1 && number_in(arguments[0], 0, SLOW_MAX_MS, &fault->slow_ms);
	if (strcmp(name, "drop") == 0) {
		fault->drop = true;
		fault->drop_message = 1;
		return count >= 1 && number_in(arguments[0], 0, DROP_MAX_SIZE, &fault->drop_size) &&
		       read_arguments(arguments, count, 1, 1, MESSAGES_MAX, &fault->drop_message);
	}
	if (strcmp(name, "no-answer") == 0) {
		fault->silent_message = 1;
		return count <= 1 && read_arguments(arguments, count, 0, 1, MESSAGES_MAX, &fault->silent_message);
	}
	return read_flag(name, count, fault);
}

bool fault_add(const char *text, size_t number, struct fault *fault)
{
	struct fault changed = *fault;
	char copy[TEXT_MAX_SIZE + 1];
	char *arguments[ARGUMENTS_MAX];
	size_t size = strlen(text), count = 0;
	char *name = copy, *equals;
	bool meant = true;

	if (size > TEXT_MAX_SIZE)
		return false;
	memcpy(copy, text, size + 1);
	equals = strchr(copy, '=');
	if (equals) {
		*equals = '\0';
		name = equals + 1;
		if (!read_devices(copy, number, &meant))
			return false;
	}
	for (char *colon = strchr(name, ':'); colon; colon = strchr(colon + 1, ':')) {
		if (count == ARGUMENTS_MAX)
			return false;
		*colon = '\0';
		arguments[count++] = colon + 1;
	}
	if (!read_fault(name, arguments, count, &changed))
		return false;
	if (meant)
		*fault = changed;
	return true;
}
