/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_tail.h"

#include "core/base/cleanup.h"
#include "core/service/audit_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define WINDOW ((off_t)AUDIT_WRITE_LIMIT + 2 * (off_t)AUDIT_LINE_LIMIT)

/* Takes a line that is whole into the tail. */
static void look_at(const char *text, size_t size, struct audit_tail *tail)
{
	bool is_first = tail->head.seq == 0;
	struct audit_line line;

	if (!audit_line_read(text, size, &line) || !audit_line_is_sealed(&line)) {
		tail->altered_count++;
		return;
	}
	if (!is_first && !audit_line_follows(&line, &tail->head))
		tail->altered_count++;
	tail->head = audit_line_head(&line);
}

/* `start`: where `text` begins in the file. False: no memory for what is torn. */
static bool look_through(const char *text, size_t size, off_t start, struct audit_tail *tail)
{
	const char *end = text + size;

	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));

		if (!line_end || memchr(text, '\0', (size_t)(line_end - text)))
			break;
		look_at(text, (size_t)(line_end - text), tail);
		start += line_end + 1 - text;
		text = line_end + 1;
	}
	tail->end = start;
	tail->torn_size = (size_t)(end - text);
	if (!tail->torn_size)
		return true;
	tail->torn = malloc(tail->torn_size);
	if (tail->torn)
		memcpy(tail->torn, text, tail->torn_size);
	return tail->torn;
}

static bool read_at(int fd, char *data, size_t size, off_t at)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = pread(fd, data + have, size - have, at + (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

pep_status audit_tail_read(int fd, const char *path, struct audit_tail *ret_tail, struct pep_error *err)
{
	struct audit_tail tail = {.head = audit_genesis};
	AUTO(free_ptr) char *data = NULL;
	struct stat about;
	const char *line;
	size_t size, skipped = 0;
	off_t start;

	errno = 0;
	if (fstat(fd, &about) != 0)
		return pep_fail(err, PEP_UNAVAILABLE, errno, "the audit file %s cannot be read: %s", path, strerror(errno));
	start = about.st_size > WINDOW ? about.st_size - WINDOW : 0;
	size = (size_t)(about.st_size - start);
	data = malloc(size + 1);
	if (!data)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the audit file %s", path);
	if (!read_at(fd, data, size, start))
		return pep_fail(err, PEP_UNAVAILABLE, errno, "the audit file %s cannot be read: %s", path,
				errno ? strerror(errno) : "it has become shorter");
	line = start ? memchr(data, '\n', size) : NULL;
	if (line)
		skipped = (size_t)(line + 1 - data);
	if (!look_through(data + skipped, size - skipped, start + (off_t)skipped, &tail))
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the audit file %s", path);
	tail.is_unchained = !tail.head.seq && tail.altered_count && !start && strncmp(data, "{\"seq\":", 7) != 0;
	*ret_tail = tail;
	return PEP_OK;
}
