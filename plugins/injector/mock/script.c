/* SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

#include <stddef.h>
#include <string.h>

#define LONGEST_MS 86400000

static const struct {
	const char *prefix;
	enum script_act act;
} acts[] = {
	{"MOCK-REFUSE", SCRIPT_REFUSE}, {"MOCK-UNREACHABLE", SCRIPT_UNREACHABLE}, {"MOCK-TIMEOUT", SCRIPT_TIMEOUT},
	{"MOCK-FAIL", SCRIPT_FAIL},     {"MOCK-INDOUBT", SCRIPT_IN_DOUBT},
};

static int64_t read_delay(const char *serial)
{
	static const char prefix[] = "MOCK-SLOW-";
	const char *digit = serial + sizeof(prefix) - 1;
	int64_t delay_ms = 0;

	if (strncmp(serial, prefix, sizeof(prefix) - 1) != 0 || *digit < '0' || *digit > '9')
		return -1;
	for (; *digit >= '0' && *digit <= '9' && delay_ms < LONGEST_MS; digit++)
		delay_ms = delay_ms * 10 + (*digit - '0');
	return delay_ms < LONGEST_MS ? delay_ms : LONGEST_MS;
}

struct script script_read(const char *serial)
{
	struct script script = {.act = SCRIPT_DELIVER, .delay_ms = read_delay(serial)};

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strncmp(serial, acts[i].prefix, strlen(acts[i].prefix)) == 0)
			script.act = acts[i].act;
	return script;
}
