/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_reader.h"

#include "core/base/cleanup.h"
#include "core/service/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ROOM (4 * (size_t)AUDIT_LINE_LIMIT)
#define SLACK_MS 60000 /* threads that wait together, and a clock that was set, put times out of order */

struct audit_reader {
	int folder;         /* negative: one file */
	int newest;         /* audit.jsonl, opened before the others were listed: it may get a number meanwhile */
	unsigned *numbers;  /* of those before it */
	size_t count, next; /* next: of the file to be opened; count: the newest */
	char file[256];     /* its name */
	int fd;             /* negative: none is open */
	int64_t line_number;
	off_t at;          /* of the file, behind what is in `data` */
	size_t start, end; /* of what is in `data` and not yet given */
	bool is_whole;     /* the file has been read to its end */
	char data[ROOM];
};

static pep_status fail_read(const struct audit_reader *reader, struct pep_error *err)
{
	return pep_fail(err, PEP_UNAVAILABLE, errno, "the audit file %s cannot be read: %s", reader->file, strerror(errno));
}

static bool is_newest(const struct audit_reader *reader, unsigned number)
{
	struct stat newest, numbered;
	char name[AUDIT_NAME_SIZE];

	audit_folder_name(number, name);
	return reader->newest >= 0 && fstat(reader->newest, &newest) == 0 && fstatat(reader->folder, name, &numbered, 0) == 0 &&
	       newest.st_dev == numbered.st_dev && newest.st_ino == numbered.st_ino;
}

static pep_status open_folder(struct audit_reader *reader, const char *path, struct pep_error *err)
{
	pep_status status;

	reader->newest = openat(reader->folder, AUDIT_FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	(void)snprintf(reader->file, sizeof(reader->file), "%s", AUDIT_FILE_NAME);
	if (reader->newest < 0 && errno != ENOENT)
		return fail_read(reader, err);
	status = audit_folder_list(reader->folder, &reader->numbers, &reader->count, err);
	if (status == PEP_OK && reader->count && is_newest(reader, reader->numbers[reader->count - 1]))
		reader->count--;
	if (status == PEP_OK && !reader->count && reader->newest < 0)
		return pep_fail(err, PEP_NOT_FOUND, 0, "there is no " AUDIT_FILE_NAME " in %s", path);
	return status;
}

static pep_status open_path(struct audit_reader *reader, const char *path, struct pep_error *err)
{
	struct stat about;
	const char *name = strrchr(path, '/');

	(void)snprintf(reader->file, sizeof(reader->file), "%s", name && name[1] ? name + 1 : path);
	reader->newest = open(path, O_RDONLY | O_CLOEXEC);
	if (reader->newest < 0 || fstat(reader->newest, &about) != 0)
		return pep_fail(err, errno == ENOENT ? PEP_NOT_FOUND : PEP_UNAVAILABLE, errno, "%s cannot be opened: %s", path,
				strerror(errno));
	if (!S_ISDIR(about.st_mode))
		return PEP_OK;
	reader->folder = reader->newest;
	reader->newest = -1;
	return open_folder(reader, path, err);
}

pep_status audit_reader_open(const char *path, struct audit_reader **ret_reader, struct pep_error *err)
{
	struct audit_reader *reader = malloc(sizeof(*reader));
	pep_status status;

	if (!reader)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory while reading the audit");
	memset(reader, 0, offsetof(struct audit_reader, data));
	reader->folder = reader->newest = reader->fd = -1;
	status = open_path(reader, path, err);
	if (status != PEP_OK) {
		audit_reader_close(reader);
		return status;
	}
	*ret_reader = reader;
	return PEP_OK;
}

void audit_reader_close(struct audit_reader *reader)
{
	if (!reader)
		return;
	close_fd(&reader->fd);
	close_fd(&reader->newest);
	close_fd(&reader->folder);
	free(reader->numbers);
	free(reader);
}

bool audit_reader_is_written(const struct audit_reader *reader)
{
	bool is_free = reader->folder < 0 || flock(reader->folder, LOCK_SH | LOCK_NB) == 0;

	if (reader->folder >= 0 && is_free)
		(void)flock(reader->folder, LOCK_UN);
	return !is_free;
}

/* --- lines --- */

/* The next file, from its beginning; fd stays negative after the last one. */
static pep_status open_next(struct audit_reader *reader, struct pep_error *err)
{
	char name[AUDIT_NAME_SIZE] = AUDIT_FILE_NAME;

	close_fd(&reader->fd);
	reader->fd = -1;
	reader->at = 0;
	reader->line_number = 0;
	reader->start = reader->end = 0;
	reader->is_whole = false;
	if (reader->next > reader->count || (reader->next == reader->count && reader->newest < 0))
		return PEP_OK;
	if (reader->next < reader->count)
		audit_folder_name(reader->numbers[reader->next], name);
	if (reader->folder >= 0)
		(void)snprintf(reader->file, sizeof(reader->file), "%s", name);
	if (reader->next == reader->count)
		reader->fd = fcntl(reader->newest, F_DUPFD_CLOEXEC, 0);
	else
		reader->fd = openat(reader->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	reader->next++;
	return reader->fd < 0 ? fail_read(reader, err) : PEP_OK;
}

static pep_status fill(struct audit_reader *reader, struct pep_error *err)
{
	ssize_t got;

	memmove(reader->data, reader->data + reader->start, reader->end - reader->start);
	reader->end -= reader->start;
	reader->start = 0;
	do
		got = pread(reader->fd, reader->data + reader->end, ROOM - reader->end, reader->at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail_read(reader, err);
	reader->at += got;
	reader->end += (size_t)got;
	reader->is_whole = got == 0;
	return PEP_OK;
}

/* True: there is one, also if it has no end. */
static bool take_line(struct audit_reader *reader, struct audit_reader_line *ret_line)
{
	const char *start = reader->data + reader->start;
	size_t size = reader->end - reader->start;
	const char *end = memchr(start, '\n', size);

	if (!end && !(reader->is_whole && size) && size < AUDIT_LINE_LIMIT)
		return false;
	*ret_line = (struct audit_reader_line){.text = start,
					       .size = end ? (size_t)(end - start) : size,
					       .file = reader->file,
					       .number = ++reader->line_number,
					       .has_end = end};
	reader->start += ret_line->size + (end != NULL);
	return true;
}

/* Of the open file; text is NULL at its end. */
static pep_status next_here(struct audit_reader *reader, struct audit_reader_line *ret_line, struct pep_error *err)
{
	pep_status status = PEP_OK;

	*ret_line = (struct audit_reader_line){.text = NULL};
	while (status == PEP_OK && !take_line(reader, ret_line)) {
		if (reader->is_whole)
			return PEP_OK;
		status = fill(reader, err);
	}
	return status;
}

pep_status audit_reader_next(struct audit_reader *reader, struct audit_reader_line *ret_line, struct pep_error *err)
{
	pep_status status = PEP_OK;

	*ret_line = (struct audit_reader_line){.text = NULL};
	while (status == PEP_OK) {
		if (reader->fd >= 0)
			status = next_here(reader, ret_line, err);
		if (status != PEP_OK || ret_line->text)
			break;
		status = open_next(reader, err);
		if (reader->fd < 0)
			break;
	}
	return status;
}

/* --- seeking --- */

struct place {
	int64_t seq;
	char time[AUDIT_TIME_SIZE + 1];
};

/* To the first line that begins at `at` or behind it. */
static pep_status go_to(struct audit_reader *reader, off_t at, struct pep_error *err)
{
	struct audit_reader_line rest;

	reader->start = reader->end = 0;
	reader->is_whole = false;
	reader->at = at ? at - 1 : 0;
	return at ? next_here(reader, &rest, err) : PEP_OK;
}

/* Is the line there before the place? The end, and what is no line, are not. */
static pep_status is_before(struct audit_reader *reader, off_t at, const struct place *place, bool *ret_is_before,
			    struct pep_error *err)
{
	struct audit_reader_line text = {.text = NULL};
	struct audit_line line;
	pep_status status = go_to(reader, at, err);

	if (status == PEP_OK)
		status = next_here(reader, &text, err);
	*ret_is_before = text.text && audit_line_read(text.text, text.size, &line) &&
			 (line.seq < place->seq || memcmp(line.time, place->time, AUDIT_TIME_SIZE) < 0);
	return status;
}

/* The last file that begins before the place is open then, or the first of all. */
static pep_status seek_file(struct audit_reader *reader, const struct place *place, struct pep_error *err)
{
	size_t last = reader->newest >= 0 ? reader->count : reader->count - 1;
	bool is_found = false;
	pep_status status = PEP_OK;

	for (size_t i = last + 1; status == PEP_OK && !is_found && i-- > 0;) {
		reader->next = i;
		status = open_next(reader, err);
		if (status == PEP_OK && i > 0)
			status = is_before(reader, 0, place, &is_found, err);
	}
	return status;
}

pep_status audit_reader_seek(struct audit_reader *reader, int64_t seq, int64_t since_ms, struct pep_error *err)
{
	struct place place = {.seq = seq};
	off_t low = 0, high;
	struct stat about;
	pep_status status;

	audit_time(since_ms - SLACK_MS, place.time);
	status = seek_file(reader, &place, err);
	if (status == PEP_OK && fstat(reader->fd, &about) != 0)
		return fail_read(reader, err);
	for (high = status == PEP_OK ? about.st_size : 0; status == PEP_OK && high - low > (off_t)AUDIT_LINE_LIMIT;) {
		off_t middle = low + (high - low) / 2;
		bool is_low = false;

		status = is_before(reader, middle, &place, &is_low, err);
		low = is_low ? middle : low;
		high = is_low ? high : middle;
	}
	return status == PEP_OK ? go_to(reader, low, err) : status;
}
