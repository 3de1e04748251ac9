/* SPDX-License-Identifier: Apache-2.0 */
#include "fail_memory.h"

#include <stdlib.h>
#include <string.h>

/* The linker's --wrap gives no context, hence at file scope. */
static unsigned countdown;
static bool is_for_good, has_failed;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

static bool is_time(void)
{
	if (is_for_good && has_failed)
		return true;
	if (!countdown || --countdown)
		return false;
	has_failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return is_time() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_time() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return is_time() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return is_time() ? NULL : __real_strdup(text);
}

void fail_memory_at(unsigned nth, bool for_good)
{
	countdown = nth;
	is_for_good = for_good;
	has_failed = false;
}

bool fail_memory_end(void)
{
	bool has = has_failed;

	fail_memory_at(0, false);
	return has;
}
