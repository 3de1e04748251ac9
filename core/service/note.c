/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/note.h"

#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static pep_status file_fail(const struct note *note, const char *what, struct pep_error *err)
{
	int reason = errno;

	return pep_fail(err, PEP_UNAVAILABLE, reason, "%s cannot be %s: %s; make it and its folder readable and writable",
			note->path, what, strerror(reason));
}

pep_status note_open(struct storage *storage, const char *data_dir, const char *name, struct note *ret_note, struct pep_error *err)
{
	struct note note = {.storage = storage};
	AUTO(free_ptr) char *folder = NULL;

	(void)snprintf(note.name, sizeof(note.name), "push.%s", name);
	if (storage_has_notes(storage)) {
		*ret_note = note;
		return PEP_OK;
	}
	if (storage_flags(storage) & PEP_STORAGE_SHARED)
		return pep_fail(
			err, PEP_UNSUPPORTED, 0,
			"push \"%s\" cannot be kept: storage \"%s\" keeps no notes, and its servers could not tell who pushes; "
			"use another storage, or remove \"push\"",
			name, storage_name(storage));
	if (asprintf(&folder, "%s/push", data_dir) < 0) {
		folder = NULL;
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	if (asprintf(&note.path, "%s/%s.json", folder, name) < 0)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	(void)mkdir(folder, 0700); /* what is wrong with it shows at the first read */
	*ret_note = note;
	return PEP_OK;
}

void note_close(struct note *note)
{
	free(note->path);
	*note = (struct note){0};
}

static pep_status read_file(struct note *note, char *text, struct pep_error *err)
{
	AUTO(close_fd) int fd = open(note->path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t part = 1;

	text[0] = '\0';
	note->revision = 0;
	if (fd < 0)
		return errno == ENOENT ? PEP_OK : file_fail(note, "read", err);
	while (part > 0 && size < PEP_NOTE_SIZE) {
		part = read(fd, text + size, PEP_NOTE_SIZE - size);
		if (part < 0)
			return file_fail(note, "read", err);
		size += (size_t)part;
	}
	text[size] = '\0';
	note->revision = 1;
	return PEP_OK;
}

/* So that the name, too, survives a loss of power. */
static bool sync_folder(const char *path)
{
	AUTO(free_ptr) char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
	AUTO(close_fd) int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd >= 0 && fsync(fd) == 0;
}

static bool write_whole(const char *path, const char *text)
{
	AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t size = strlen(text);

	return fd >= 0 && write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
}

static pep_status write_file(struct note *note, const char *text, struct pep_error *err)
{
	AUTO(free_ptr) char *temporary = NULL;

	if (asprintf(&temporary, "%s.new", note->path) < 0) {
		temporary = NULL;
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	}
	if (!write_whole(temporary, text) || rename(temporary, note->path) != 0 || !sync_folder(note->path))
		return file_fail(note, "written", err);
	note->revision = 1;
	return PEP_OK;
}

pep_status note_read(struct note *note, char *text, struct pep_error *err)
{
	return note->path ? read_file(note, text, err) : storage_note_read(note->storage, note->name, text, &note->revision, err);
}

pep_status note_write(struct note *note, const char *text, struct pep_error *err)
{
	pep_status status;

	if (note->path)
		return write_file(note, text, err);
	status = storage_note_write(note->storage, note->name, note->revision, text, err);
	if (status == PEP_OK)
		note->revision++;
	return status;
}
