/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/host.h"

#include "core/base/log.h"

#include <string.h>

#define LINE_LIMIT 2048u /* bytes of a plugin's line, so that time and names always fit beside it */

/* At most LINE_LIMIT bytes, without half a character at the end. */
static size_t cut(const char *line)
{
	size_t size = strnlen(line, LINE_LIMIT + 1);

	if (size <= LINE_LIMIT)
		return size;
	size = LINE_LIMIT;
	while (size && ((unsigned char)line[size] & 0xc0) == 0x80)
		size--;
	return size;
}

static void host_log(const struct pep_host *api, int32_t syslog_level, const char *line)
{
	const struct host *host = api->ctx;
	int level = syslog_level < LOG_ERR ? LOG_ERR : syslog_level > LOG_DEBUG ? LOG_DEBUG : (int)syslog_level;
	char text[LINE_LIMIT + 1];
	size_t size;

	if (!line || !log_enabled(level))
		return;
	size = cut(line);
	memcpy(text, line, size);
	text[size] = '\0';
	log_event(level, text, LOG_TEXT("plugin", host->instance));
}

static bool host_stopping(const struct pep_host *api)
{
	const struct host *host = api->ctx;

	return host->stopping && atomic_load_explicit(host->stopping, memory_order_relaxed);
}

void host_init(struct host *host, const char *instance, const atomic_bool *stopping)
{
	*host = (struct host){
		.api = {.struct_size = sizeof(host->api), .ctx = host, .log = host_log, .stopping = host_stopping},
		.instance = instance,
		.stopping = stopping,
	};
}
