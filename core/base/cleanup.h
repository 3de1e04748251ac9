/* SPDX-License-Identifier: Apache-2.0
 *
 * cleanup.h - a local owns what it points to, and lets go of it where its scope ends, whichever way that is left.
 *
 *     AUTO(free_ptr) char *path = make_path();
 *     ...
 *     return TAKE(path);          hands the ownership over
 */
#ifndef CORE_BASE_CLEANUP_H
#define CORE_BASE_CLEANUP_H

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(function) __attribute__((cleanup(function)))

/* The value of a pointer variable, which is NULL from then on. */
#define TAKE(pointer)                                   \
	({                                              \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                       \
		taken_;                                 \
	})

/* For a pointer from malloc(). */
static inline void free_ptr(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

/* For a file descriptor; negative: none. */
static inline void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* For the rest of the scope: AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&thing->mutex); */
static inline pthread_mutex_t *lock_mutex(pthread_mutex_t *mutex)
{
	(void)pthread_mutex_lock(mutex);
	return mutex;
}

static inline void unlock_mutex(pthread_mutex_t **mutex)
{
	if (*mutex)
		(void)pthread_mutex_unlock(*mutex);
}

#endif
