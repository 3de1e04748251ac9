/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/progress.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"

#include <inttypes.h>
#include <stdio.h>

#define TERMINAL_MS 1000
#define OTHER_MS 30000
#define CLEAR_LINE "\r\033[K"

void progress_begin(struct progress *progress, const char *doing, int64_t total)
{
	*progress = (struct progress){
		.doing = doing, .total = total, .begin_ms = clock_boot_ms(), .is_terminal = isatty(STDERR_FILENO)};
	(void)pthread_mutex_init(&progress->mutex, NULL);
	progress->next_ms = progress->begin_ms + (progress->is_terminal ? TERMINAL_MS : OTHER_MS);
}

static void show(struct progress *progress, int64_t now_ms)
{
	int64_t took_ms = now_ms - progress->begin_ms;
	int64_t per_second = took_ms > 0 ? progress->done * 1000 / took_ms : 0;

	(void)fprintf(stderr, "%spep-server: %s: %" PRId64, progress->is_terminal ? CLEAR_LINE : "", progress->doing,
		      progress->done);
	if (progress->total > 0)
		(void)fprintf(stderr, " of %" PRId64 " (%" PRId64 "%%)", progress->total, progress->done * 100 / progress->total);
	(void)fprintf(stderr, " records, %" PRId64 " a second%s", per_second, progress->is_terminal ? "" : "\n");
	(void)fflush(stderr);
	progress->has_line = progress->is_terminal;
}

void progress_step(struct progress *progress)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&progress->mutex);
	int64_t now_ms;

	(void)lock;
	progress->done++;
	/* A walk makes a million steps a second; not each has to know the time. */
	if (!progress->doing || (!progress->is_terminal && progress->done % 16 != 0))
		return;
	now_ms = clock_boot_ms();
	if (now_ms < progress->next_ms)
		return;
	show(progress, now_ms);
	progress->next_ms = now_ms + (progress->is_terminal ? TERMINAL_MS : OTHER_MS);
}

void progress_end(struct progress *progress)
{
	if (progress->has_line)
		(void)fputs(CLEAR_LINE, stderr);
	(void)pthread_mutex_destroy(&progress->mutex);
}
