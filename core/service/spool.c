/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/spool.h"

#include "core/base/buffer.h"
#include "core/base/cleanup.h"
#include "core/base/failpoint.h"
#include "core/base/json.h"
#include "core/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ENTRY_SUFFIX ".delivered"
#define ENTRY_LIMIT 4096u /* bytes of a file: many times what an entry can have */

struct spool {
	int folder, lock;
	atomic_uint count;
};

static bool is_entry(const char *name)
{
	size_t size = strlen(name);

	return size > strlen(ENTRY_SUFFIX) && name[0] != '.' && strcmp(name + size - strlen(ENTRY_SUFFIX), ENTRY_SUFFIX) == 0;
}

/* An entry before its rename: see spool_put(). */
static bool is_temporary(const char *name)
{
	return name[0] == '.' && is_entry(name + 1);
}

/* A stream over the folder that does not share its position with the descriptor that we keep. */
static DIR *list_folder(const struct spool *spool)
{
	int fd = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

	if (!list && fd >= 0)
		(void)close(fd);
	return list;
}

static bool count_entries(const struct spool *spool, unsigned *ret_count)
{
	DIR *list = list_folder(spool);
	unsigned count = 0;

	if (!list)
		return false;
	for (const struct dirent *file = readdir(list); file; file = readdir(list))
		count += is_entry(file->d_name);
	(void)closedir(list);
	*ret_count = count;
	return true;
}

/* The entry's texts belong to *ret_json. PEP_INVALID: this is no entry; else it cannot be read now. */
static pep_status read_entry(int folder, const char *name, json_t **ret_json, struct spool_entry *ret_entry)
{
	AUTO(close_fd) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	char text[ENTRY_LIMIT];
	ssize_t size = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	struct pep_error ignored = {0};
	json_t *json = NULL;
	json_int_t attempt;
	pep_status status;

	if (size < 0)
		return PEP_UNAVAILABLE;
	status = json_parse_text(text, (size_t)size, &json, &ignored);
	if (status != PEP_OK)
		return status;
	if (json_unpack(json, "{s:s, s:s, s:s, s:I}", "serial", &ret_entry->serial, "nonce", &ret_entry->nonce, "enrollment_id",
			&ret_entry->enrollment_id, "attempt", &attempt) != 0 ||
	    attempt < 1 || attempt > UINT32_MAX) {
		json_decref(json);
		return PEP_INVALID;
	}
	ret_entry->attempt = (uint32_t)attempt;
	*ret_json = json;
	return PEP_OK;
}

/* Killed between write and rename: what is whole is a fact, what is not tells nothing. */
static void finish_temporaries(const struct spool *spool)
{
	DIR *list = list_folder(spool);

	if (!list)
		return;
	for (const struct dirent *file = readdir(list); file; file = readdir(list)) {
		struct spool_entry entry;
		json_t *json = NULL;
		pep_status status;

		if (!is_temporary(file->d_name))
			continue;
		status = read_entry(spool->folder, file->d_name, &json, &entry);
		if (status == PEP_OK)
			(void)renameat(spool->folder, file->d_name, spool->folder, file->d_name + 1);
		else if (status == PEP_INVALID)
			(void)unlinkat(spool->folder, file->d_name, 0);
		json_decref(json);
	}
	(void)closedir(list);
}

/* So that the folder itself survives a loss of power, if it is new. The one above may be closed to us: then it is not ours, or new. */
static void sync_parent(const struct spool *spool)
{
	AUTO(close_fd) int fd = openat(spool->folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

static pep_status refuse_folder(struct spool *spool, const char *folder, struct pep_error *err)
{
	int reason = errno;

	spool_close(spool);
	return pep_fail(err, PEP_UNAVAILABLE, reason,
			"spool folder %s cannot be used: %s; make it readable and writable for this user", folder,
			strerror(reason));
}

pep_status spool_open(const char *folder, struct spool **ret_spool, struct pep_error *err)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	unsigned count = 0;

	if (!spool)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	spool->lock = -1;
	(void)mkdir(folder, 0700);
	spool->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->folder >= 0)
		spool->lock = openat(spool->folder, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (spool->lock < 0)
		return refuse_folder(spool, folder, err);
	if (flock(spool->lock, LOCK_EX | LOCK_NB) != 0) {
		int reason = errno;

		spool_close(spool);
		return pep_fail(
			err, PEP_CONFLICT, reason,
			"spool folder %s is in use by another pep-server; stop it, or give this one its own server.data_dir",
			folder);
	}
	sync_parent(spool);
	finish_temporaries(spool);
	if (!count_entries(spool, &count))
		return refuse_folder(spool, folder, err);
	atomic_init(&spool->count, count);
	*ret_spool = spool;
	return PEP_OK;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	close_fd(&spool->lock);
	close_fd(&spool->folder);
	free(spool);
}

unsigned spool_count(const struct spool *spool)
{
	return atomic_load(&spool->count);
}

/* Not with json_dumps(), which can leave out a key when memory runs out, and does not say so. */
static void format_entry(struct buffer *text, const struct spool_entry *entry)
{
	buffer_text(text, "{\"serial\":");
	buffer_json_text(text, entry->serial);
	buffer_text(text, ",\"nonce\":");
	buffer_json_text(text, entry->nonce);
	buffer_text(text, ",\"enrollment_id\":");
	buffer_json_text(text, entry->enrollment_id);
	buffer_text(text, ",\"attempt\":");
	buffer_number(text, entry->attempt);
	buffer_byte(text, '}');
}

static bool write_file(int folder, const char *name, const struct buffer *text)
{
	AUTO(close_fd) int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, text->data, text->size) == (ssize_t)text->size && fsync(fd) == 0;
}

pep_status spool_put(struct spool *spool, const struct spool_entry *entry, struct pep_error *err)
{
	AUTO(buffer_fini) struct buffer text;
	char name[128];
	char temporary[136];

	buffer_init(&text, ENTRY_LIMIT);
	format_entry(&text, entry);
	if (text.failed)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	/* The nonce is of this very attempt: no two entries have one name, and none needs the serial's characters. */
	(void)snprintf(name, sizeof(name), "%.64s%s", entry->nonce, ENTRY_SUFFIX);
	(void)snprintf(temporary, sizeof(temporary), ".%s", name);
	if (!write_file(spool->folder, temporary, &text) || renameat(spool->folder, temporary, spool->folder, name) != 0) {
		int reason = errno;

		(void)unlinkat(spool->folder, temporary, 0);
		return pep_fail(err, PEP_UNAVAILABLE, reason, "outcome of serial %.64s cannot be spooled: %s", entry->serial,
				strerror(reason));
	}
	/* It is there, also if it may not survive: it is replayed, and removed, like any other. */
	(void)atomic_fetch_add(&spool->count, 1);
	if (fsync(spool->folder) != 0)
		return pep_fail(err, PEP_UNKNOWN, errno, "spool folder cannot be synced: %s", strerror(errno));
	PEP_FAILPOINT("spooled");
	return PEP_OK;
}

static void replay_one(struct spool *spool, const char *name, bool (*settle)(void *, const struct spool_entry *), void *context)
{
	struct spool_entry entry;
	json_t *json;

	if (read_entry(spool->folder, name, &json, &entry) != PEP_OK) {
		log_event(LOG_ERR, "a spooled outcome cannot be read; it is kept", LOG_TEXT("file", name));
		return;
	}
	if (settle(context, &entry) && unlinkat(spool->folder, name, 0) == 0) {
		(void)fsync(spool->folder);
		(void)atomic_fetch_sub(&spool->count, 1);
	}
	json_decref(json);
}

void spool_replay(struct spool *spool, bool (*settle)(void *context, const struct spool_entry *entry), void *context)
{
	DIR *list;

	if (!spool_count(spool))
		return;
	list = list_folder(spool);
	if (!list)
		return;
	for (const struct dirent *file = readdir(list); file; file = readdir(list))
		if (is_entry(file->d_name))
			replay_one(spool, file->d_name, settle, context);
	(void)closedir(list);
}
