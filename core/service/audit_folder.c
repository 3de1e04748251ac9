/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_folder.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_LIMIT 999999999u

void audit_folder_name(unsigned number, char ret_name[AUDIT_NAME_SIZE])
{
	(void)snprintf(ret_name, AUDIT_NAME_SIZE, "audit-%06u.jsonl", number);
}

/* 0: it is none of them. */
static unsigned number_of(const char *name)
{
	char digits[16] = "", again[AUDIT_NAME_SIZE];
	int64_t number = 0;

	if (strncmp(name, "audit-", 6) != 0 || strspn(name + 6, "0123456789") > 9)
		return 0;
	memcpy(digits, name + 6, strspn(name + 6, "0123456789"));
	if (!text_to_number(digits + strspn(digits, "0"), 1, NUMBER_LIMIT, &number))
		return 0;
	audit_folder_name((unsigned)number, again);
	return strcmp(name, again) == 0 ? (unsigned)number : 0;
}

static int compare(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

	return left < right ? -1 : left > right;
}

static pep_status add(unsigned number, unsigned **numbers, size_t *count, struct pep_error *err)
{
	/* Grows by doubling, at each power of two. */
	if ((*count & (*count - 1)) == 0) {
		unsigned *more = reallocarray(*numbers, *count ? 2 * *count : 1, sizeof(**numbers));

		if (!more)
			return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while looking for the files of the audit");
		*numbers = more;
	}
	(*numbers)[(*count)++] = number;
	return PEP_OK;
}

pep_status audit_folder_list(int folder, unsigned **ret_numbers, size_t *ret_count, struct pep_error *err)
{
	AUTO(free_ptr) unsigned *numbers = NULL;
	const struct dirent *entry;
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	pep_status status = PEP_OK;
	size_t count = 0;

	if (!dir) {
		int reason = errno;

		if (fd >= 0)
			(void)close(fd);
		return pep_fail(err, PEP_UNAVAILABLE, reason, "the folder of the audit cannot be listed: %s", strerror(reason));
	}
	while (status == PEP_OK && (entry = readdir(dir))) {
		unsigned number = number_of(entry->d_name);

		if (number)
			status = add(number, &numbers, &count, err);
	}
	(void)closedir(dir);
	if (status != PEP_OK)
		return status;
	if (count)
		qsort(numbers, count, sizeof(*numbers), compare);
	*ret_numbers = TAKE(numbers);
	*ret_count = count;
	return PEP_OK;
}
