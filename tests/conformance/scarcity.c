/* SPDX-License-Identifier: Apache-2.0 */
#include "scarcity.h"

#include <errno.h>
#include <stddef.h>

/* State at file scope: malloc() has no other. */
static _Thread_local struct {
	unsigned left;
	bool inside, reached;
} scarcity;

void scarcity_set(unsigned n)
{
	scarcity.left = n;
	scarcity.reached = false;
}

bool scarcity_reached(void)
{
	return scarcity.reached;
}

void scarcity_enter(void)
{
	scarcity.inside = true;
}

void scarcity_leave(void)
{
	scarcity.inside = false;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_OWN_ALLOCATOR 1
#endif
#endif

#ifdef HAS_OWN_ALLOCATOR
bool scarcity_works(void)
{
	return false;
}
#else
/* The C library's, by the names that it keeps for programs that replace the usual ones. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

/* [stdlib.h] is not included: its declarations lack the visibility. */
__attribute__((visibility("default"))) void *malloc(size_t size);
__attribute__((visibility("default"))) void *calloc(size_t count, size_t size);
__attribute__((visibility("default"))) void *realloc(void *old, size_t size);

bool scarcity_works(void)
{
	return true;
}

static bool fails(void)
{
	if (!scarcity.inside || !scarcity.left || --scarcity.left)
		return false;
	scarcity.reached = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
#endif
