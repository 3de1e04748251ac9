/* SPDX-License-Identifier: Apache-2.0
 *
 * cluster_clock.c - a computer's clock that somebody sets wrong: loaded before the C library with LD_PRELOAD. For tests.
 *
 * PEP_CLOCK names a file that holds an int64_t: how many milliseconds CLOCK_REALTIME is ahead, which the test changes while programs run.
 * The clocks that nobody can set stay as they are. Waits until a point in time are as long as they are meant to be when they begin.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* State at file scope, because the functions that this takes the place of have no other. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const _Atomic int64_t *ahead_ms;
static int (*real_wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

static void set_up(void)
{
	const char *path = getenv("PEP_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page;

	*(void **)&real_wait = dlsym(RTLD_NEXT, "pthread_cond_timedwait"); /* as POSIX wants it written */
	if (fd < 0)
		return;
	page = mmap(NULL, sizeof(*ahead_ms), PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (page != MAP_FAILED)
		ahead_ms = page;
}

/* By as much as the clock is wrong, `sign` times. */
static void shift(struct timespec *time, int sign)
{
	int64_t ms = ahead_ms ? sign * atomic_load(ahead_ms) : 0;

	time->tv_sec += (time_t)(ms / 1000);
	time->tv_nsec += (long)(ms % 1000) * 1000000;
	if (time->tv_nsec < 0) {
		time->tv_sec--;
		time->tv_nsec += 1000000000;
	} else if (time->tv_nsec >= 1000000000) {
		time->tv_sec++;
		time->tv_nsec -= 1000000000;
	}
}

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
	int code = (int)syscall(SYS_clock_gettime, clock_id, tp);

	(void)pthread_once(&once, set_up);
	if (code == 0 && (clock_id == CLOCK_REALTIME || clock_id == CLOCK_REALTIME_COARSE))
		shift(tp, 1);
	return code;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex, const struct timespec *restrict abstime)
{
	struct timespec until = *abstime;

	(void)pthread_once(&once, set_up);
	/* No computer runs so long that it is one of CLOCK_MONOTONIC. */
	if (until.tv_sec > 1000000000)
		shift(&until, -1);
	return real_wait(cond, mutex, &until);
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec now;

	(void)tz;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	tv->tv_sec = now.tv_sec;
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *timer)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (timer)
		*timer = now.tv_sec;
	return now.tv_sec;
}
