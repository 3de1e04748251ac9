/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 10
#define LIVED 77 /* an exit code that nothing else uses */
#define CURE "it was not loaded; run pep-plugin-check on it, or take it out of the configuration"

/* A crash must not end in the handlers of the server, nor its last words in the log: what the parent says is one line. */
static _Noreturn void try_it(void (*work)(void *ctx), void *ctx)
{
	static const int defaults[] = {SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTERM, SIGINT};
	const struct rlimit none = {0};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t all;

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		(void)signal(defaults[i], SIG_DFL);
	(void)sigemptyset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)setrlimit(RLIMIT_CORE, &none);
	for (int fd = STDIN_FILENO; null_fd >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null_fd, fd);
	(void)alarm(LIMIT_S);
	work(ctx);
	_exit(LIVED);
}

static pep_status judge(const char *name, int end, struct pep_error *err)
{
	if (WIFSIGNALED(end) && WTERMSIG(end) == SIGALRM)
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" did not come back within %d s of being loaded; " CURE, name,
				LIMIT_S);
	if (WIFSIGNALED(end))
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" crashes when it is loaded (%s); " CURE, name,
				strsignal(WTERMSIG(end)));
	if (WEXITSTATUS(end) != LIVED)
		return pep_fail(err, PEP_INVALID, 0, "plugin \"%s\" ends the process when it is loaded (exit code %d); " CURE, name,
				WEXITSTATUS(end));
	return PEP_OK;
}

pep_status trial_run(const char *name, void (*work)(void *ctx), void *ctx, struct pep_error *err)
{
	pid_t child, waited;
	int end = 0;

	child = fork();
	if (child == 0)
		try_it(work, ctx);
	if (child < 0)
		return PEP_OK;
	do
		waited = waitpid(child, &end, 0);
	while (waited < 0 && errno == EINTR);
	return waited == child ? judge(name, end, err) : PEP_OK;
}
