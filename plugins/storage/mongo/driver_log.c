/* SPDX-License-Identifier: Apache-2.0 */
#include "driver_log.h"

#include <mongoc/mongoc.h>
#include <pthread.h>

/* At file scope because the driver's handler is the process's. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct driver_log *listeners;

static int32_t syslog_level(mongoc_log_level_t level)
{
	if (level == MONGOC_LOG_LEVEL_ERROR || level == MONGOC_LOG_LEVEL_CRITICAL)
		return 3;
	if (level == MONGOC_LOG_LEVEL_WARNING)
		return 4;
	return level == MONGOC_LOG_LEVEL_MESSAGE || level == MONGOC_LOG_LEVEL_INFO ? 6 : 7;
}

static void handle(mongoc_log_level_t level, const char *domain, const char *message, void *ignored)
{
	char line[512];

	(void)ignored;
	(void)snprintf(line, sizeof(line), "driver %s: %s", domain, message);
	for (char *at = line; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == '\x7f')
			*at = ' ';
	}
	(void)pthread_mutex_lock(&mutex);
	if (listeners)
		listeners->host->log(listeners->host, syslog_level(level), line);
	(void)pthread_mutex_unlock(&mutex);
}

void driver_log_start(struct driver_log *log, const struct pep_host *host)
{
	log->host = host;
	(void)pthread_mutex_lock(&mutex);
	log->next = listeners;
	listeners = log;
	(void)pthread_mutex_unlock(&mutex);
	mongoc_log_set_handler(handle, NULL);
}

void driver_log_stop(struct driver_log *log)
{
	(void)pthread_mutex_lock(&mutex);
	for (struct driver_log **at = &listeners; *at; at = &(*at)->next) {
		if (*at == log) {
			*at = log->next;
			break;
		}
	}
	(void)pthread_mutex_unlock(&mutex);
}
