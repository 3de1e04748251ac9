/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/pending.h"

#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SETTLED ".settled"

enum { ENTRY_ROOM = 4096, NONCE_MAX = 64, NAME_ROOM = NONCE_MAX + sizeof(SETTLED) };

struct pending {
	int folder;
};

static bool is_nonce(const char *name)
{
	size_t size = strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz-");

	return size > 0 && size <= NONCE_MAX && !name[size];
}

/* What a server that was killed had begun to write; its attempt had not begun. */
static void remove_unfinished(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

	if (!list) {
		close_fd(&fd);
		return;
	}
	for (const struct dirent *file = readdir(list); file; file = readdir(list))
		if (file->d_name[0] == '.' && is_nonce(file->d_name + 1))
			(void)unlinkat(folder, file->d_name, 0);
	(void)closedir(list);
}

pep_status pending_open(const char *folder, struct pending **ret_pending, struct pep_error *err)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	(void)mkdir(folder, 0700);
	pending->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pending->folder < 0 || faccessat(pending->folder, ".", W_OK | X_OK, 0) != 0) {
		int reason = errno;

		pending_close(pending);
		return pep_fail(err, PEP_UNAVAILABLE, reason,
				"folder %s cannot be used: %s; make it readable and writable for this user", folder,
				strerror(reason));
	}
	remove_unfinished(pending->folder);
	*ret_pending = pending;
	return PEP_OK;
}

void pending_close(struct pending *pending)
{
	if (!pending)
		return;
	close_fd(&pending->folder);
	free(pending);
}

static bool write_entry(int folder, const char *name, const char *text, size_t size)
{
	AUTO(close_fd) int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
}

pep_status pending_put(struct pending *pending, const struct pending_entry *entry, struct pep_error *err)
{
	char text[ENTRY_ROOM];
	char temporary[NONCE_MAX + 2];
	/* The texts have no control characters: a line holds one. */
	int size = snprintf(text, sizeof(text), "attempt %u\nowner %s\nserial %s\n", (unsigned)entry->attempt, entry->owner,
			    entry->serial);
	int reason;

	if (size < 0 || (size_t)size >= sizeof(text) || !is_nonce(entry->nonce))
		return pep_fail(err, PEP_INTERNAL, 0, "the attempt at serial %.64s is too long to be noted", entry->serial);
	(void)snprintf(temporary, sizeof(temporary), ".%s", entry->nonce);
	if (write_entry(pending->folder, temporary, text, (size_t)size) &&
	    renameat(pending->folder, temporary, pending->folder, entry->nonce) == 0 && fsync(pending->folder) == 0)
		return PEP_OK;
	reason = errno;
	(void)unlinkat(pending->folder, temporary, 0);
	(void)unlinkat(pending->folder, entry->nonce, 0);
	return pep_fail(err, PEP_INTERNAL, reason,
			"the attempt at serial %.64s cannot be noted before it begins: %s; is the disk full?", entry->serial,
			strerror(reason));
}

static void settled_name(const char *nonce, char ret_name[NAME_ROOM])
{
	(void)snprintf(ret_name, NAME_ROOM, "%s" SETTLED, nonce);
}

bool pending_settle(struct pending *pending, const char *nonce)
{
	char name[NAME_ROOM];

	settled_name(nonce, name);
	return (renameat(pending->folder, nonce, pending->folder, name) == 0 || errno == ENOENT) && fsync(pending->folder) == 0;
}

void pending_remove(struct pending *pending, const char *nonce)
{
	char name[NAME_ROOM];

	settled_name(nonce, name);
	(void)unlinkat(pending->folder, name, 0);
}

bool pending_has(struct pending *pending, const char *nonce)
{
	return nonce && is_nonce(nonce) && faccessat(pending->folder, nonce, F_OK, 0) == 0;
}

/* Cut the value of the line "KEY VALUE" out of the text; NULL: it is not there. */
static const char *take_line(char **rest, const char *key)
{
	size_t size = strlen(key);
	char *line = *rest;
	char *end = strchr(line, '\n');

	if (!end || strncmp(line, key, size) != 0 || line[size] != ' ')
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line + size + 1;
}

/* The entry's texts lie in `text`, but for its nonce. */
static bool read_entry(int folder, const char *name, char text[ENTRY_ROOM], struct pending_entry *ret_entry)
{
	AUTO(close_fd) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, text, ENTRY_ROOM - 1) : -1;
	const char *attempt;
	int64_t number;

	if (size < 0)
		return false;
	text[size] = '\0';
	attempt = take_line(&text, "attempt");
	if (!attempt || !text_to_number(attempt, 1, UINT32_MAX, &number))
		return false;
	ret_entry->attempt = (uint32_t)number;
	ret_entry->owner = take_line(&text, "owner");
	ret_entry->serial = ret_entry->owner ? take_line(&text, "serial") : NULL;
	return ret_entry->serial != NULL;
}

/* Is it the file of an entry of this kind? Then *ret_nonce is its nonce. */
static bool is_entry(const char *name, bool is_settled, char ret_nonce[NONCE_MAX + 1])
{
	size_t size = strlen(name), end = strlen(SETTLED);

	if (is_settled && (size <= end || strcmp(name + size - end, SETTLED) != 0))
		return false;
	size -= is_settled ? end : 0;
	if (size > NONCE_MAX)
		return false;
	memcpy(ret_nonce, name, size);
	ret_nonce[size] = '\0';
	return is_nonce(ret_nonce);
}

static void walk(struct pending *pending, bool is_settled, void (*visit)(void *context, const struct pending_entry *entry),
		 void *context)
{
	int fd = openat(pending->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

	if (!list) {
		close_fd(&fd);
		return;
	}
	for (const struct dirent *file = readdir(list); file; file = readdir(list)) {
		char text[ENTRY_ROOM], nonce[NONCE_MAX + 1];
		struct pending_entry entry = {.nonce = nonce};

		if (!is_entry(file->d_name, is_settled, nonce))
			continue;
		if (read_entry(pending->folder, file->d_name, text, &entry))
			visit(context, &entry);
		else if (!is_settled && pending_has(pending, nonce)) /* else its attempt has just ended */
			log_event(LOG_ERR, "a pending attempt cannot be read; it is kept", LOG_TEXT("file", file->d_name));
	}
	(void)closedir(list);
}

void pending_walk(struct pending *pending, void (*visit)(void *context, const struct pending_entry *entry), void *context)
{
	walk(pending, false, visit, context);
}

void pending_walk_settled(struct pending *pending, void (*visit)(void *context, const struct pending_entry *entry), void *context)
{
	walk(pending, true, visit, context);
}
