/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};

/* At file scope because a signal handler is given nothing else. */
static volatile sig_atomic_t signal_seen;

static void note_signal(int number)
{
	signal_seen = number;
}

void interrupt_install(void)
{
	struct sigaction action = {.sa_handler = note_signal}, before;

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		/* Without SA_RESTART: a blocked write or wait returns, and its caller looks at the mark. */
		if (sigaction(caught[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			(void)sigaction(caught[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	/* Whoever starts us may ignore it; then no child could be waited for. */
	action.sa_handler = SIG_DFL;
	(void)sigaction(SIGCHLD, &action, NULL);
}

int interrupt_signal(void)
{
	return (int)signal_seen;
}

bool interrupt_wait(int64_t wait_ms)
{
	struct timespec wait = {wait_ms / 1000, (long)(wait_ms % 1000) * 1000000};
	sigset_t blocked, before;
	int number = 0;

	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		(void)sigaddset(&blocked, caught[i]);
	/* Blocked first, looked at second: a signal in between stays pending and ends the wait at once. */
	(void)sigprocmask(SIG_BLOCK, &blocked, &before);
	if (!signal_seen)
		number = sigtimedwait(&blocked, NULL, &wait);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (number > 0)
		signal_seen = number;
	return signal_seen != 0;
}

int interrupt_failure(struct failure *err)
{
	return failure_set(err, 128 + interrupt_signal(), "interrupted", "interrupted by a signal; run the same command again");
}
