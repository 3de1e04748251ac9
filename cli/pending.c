/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pending.h"

#include "cli/file.h"
#include "core/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)256 << 10)
#define FALLBACK_NAME ".identity.json.pending"
#define SUFFIX ".json"

struct pending {
	char *state_folder;  /* NULL: none */
	char *state_path;    /* the file there; NULL: none */
	char *fallback_path; /* beside identity.json */
	const char *path;    /* the one of both in use; NULL: nothing on disk */
	json_t *name;        /* folder, server, serial, with_key */
	json_t *content;     /* of the file in use; NULL: nothing on disk */
	bool was_there;
};

char *pending_state_folder(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int size = -1;

	/* XDG Base Directory Specification: a path that is not absolute is ignored. */
	if (state && state[0] == '/')
		size = asprintf(&path, "%s/pep", state);
	else if (home && home[0] == '/')
		size = asprintf(&path, "%s/.local/state/pep", home);
	return size < 0 ? NULL : path;
}

/* 64-bit FNV-1a. It only spreads file names; what a file is for is written inside. */
static uint64_t hash_of(const char *text, uint64_t seed)
{
	uint64_t hash = 0xcbf29ce484222325u ^ seed;

	for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++)
		hash = (hash ^ *byte) * 0x100000001b3u;
	return hash;
}

static bool make_paths(struct pending *pending, const char *state_folder, const char *folder)
{
	AUTO(free_ptr) char *text = json_dumps(pending->name, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text || asprintf(&pending->fallback_path, "%s/%s", folder, FALLBACK_NAME) < 0)
		return false;
	if (!state_folder)
		return true;
	pending->state_folder = strdup(state_folder);
	return pending->state_folder && asprintf(&pending->state_path, "%s/%016" PRIx64 "%016" PRIx64 SUFFIX, state_folder,
						 hash_of(text, 0), hash_of(text, 0x9e3779b97f4a7c15u)) >= 0;
}

/* Reads one file. Not there, or not written by us alone: NULL and true. False: it cannot be understood. */
static bool load(const char *path, json_t **ret_content)
{
	AUTO(free_ptr) char *data = NULL;
	json_t *content;
	size_t size;
	int error = file_load_private(path, FILE_LIMIT, &data, &size);

	*ret_content = NULL;
	/* Somebody else's file, or a link: not ours to trust, and a name that we can replace. */
	if (error)
		return error == ENOENT || error == ENOTDIR || error == EPERM || error == ELOOP || error == EACCES;
	content = json_loadb(data, size, 0, NULL);
	explicit_bzero(data, size);
	if (!json_is_object(json_object_get(content, "request")) || !json_is_object(json_object_get(content, "fields")) ||
	    !json_is_string(json_object_get(content, "idempotency_key"))) {
		json_decref(content);
		return false;
	}
	*ret_content = content;
	return true;
}

static int load_mine(struct pending *pending, const char *path, struct failure *err)
{
	json_t *content;

	if (!path || pending->content)
		return EXIT_OK;
	if (!load(path, &content))
		return failure_set(
			err, EXIT_LOCAL_FILE, "local_file",
			"cannot understand the note of an unfinished request, %s; look whether the gateway has its identity, then "
			"remove that file",
			path);
	if (content && json_equal(json_object_get(content, "request"), pending->name)) {
		pending->content = content;
		pending->path = path;
		pending->was_there = true;
		return EXIT_OK;
	}
	json_decref(content);
	return EXIT_OK;
}

int pending_open(const char *state_folder, const struct pending_name *name, struct pending **ret_pending, struct failure *err)
{
	AUTO(pending_close) struct pending *pending = calloc(1, sizeof(*pending));
	int code;

	if (pending)
		pending->name = json_pack("{ss, ss, ss, sb}", "folder", name->folder, "server", name->server, "serial",
					  name->serial, "with_key", (int)name->with_key);
	if (!pending || !pending->name || !make_paths(pending, state_folder, name->folder))
		return failure_set(err, EXIT_LOCAL_FILE, "local_file",
				   "cannot name the note of the request: out of memory, or the folder's path is not valid UTF-8");
	code = load_mine(pending, pending->state_path, err);
	if (code == EXIT_OK)
		code = load_mine(pending, pending->fallback_path, err);
	if (code == EXIT_OK)
		*ret_pending = TAKE(pending);
	return code;
}

void pending_close(struct pending **pending)
{
	struct pending *closed = TAKE(*pending);

	if (!closed)
		return;
	json_decref(closed->name);
	json_decref(closed->content);
	free(closed->state_folder);
	free(closed->state_path);
	free(closed->fallback_path);
	free(closed);
}

bool pending_was_there(const struct pending *pending)
{
	return pending->was_there;
}

const char *pending_verification_key(const struct pending *pending)
{
	return json_string_value(json_object_get(pending->content, "verification_key"));
}

/* Whether that file is another request's and has a verification key. */
static bool is_other_with_key(const struct pending *pending, const char *path)
{
	json_t *content;
	bool other;

	if (!load(path, &content))
		return true; /* cannot be understood: rather too careful */
	other = json_is_string(json_object_get(content, "verification_key")) &&
		!json_equal(json_object_get(content, "request"), pending->name);
	json_decref(content);
	return other;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

char *pending_other_with_key(const struct pending *pending)
{
	AUTO(close_folder) DIR *folder = pending->state_folder ? opendir(pending->state_folder) : NULL;
	const struct dirent *entry;
	const char *dot;

	if (is_other_with_key(pending, pending->fallback_path))
		return strdup(pending->fallback_path);
	while (folder && (entry = readdir(folder))) {
		AUTO(free_ptr) char *path = NULL;

		dot = strrchr(entry->d_name, '.');
		if (!dot || dot == entry->d_name || strcmp(dot, SUFFIX) != 0)
			continue;
		if (asprintf(&path, "%s/%s", pending->state_folder, entry->d_name) < 0) {
			path = NULL;
			continue;
		}
		if (is_other_with_key(pending, path))
			return TAKE(path);
	}
	return NULL;
}

/* Every folder of the path, mode 0700, each entry flushed: a note that a power cut takes away with its folder is none. */
static void make_folders(const char *path)
{
	AUTO(free_ptr) char *copy = strdup(path);

	for (char *slash = copy ? strchr(copy + 1, '/') : NULL; copy; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0700) == 0) {
			AUTO(free_ptr) char *parent = file_folder(copy);

			if (parent)
				file_flush_folder(parent);
		}
		if (!slash)
			return;
		*slash = '/';
	}
}

static bool make_key(char ret_hex[33])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(ret_hex + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

static int store(struct pending *pending, json_t *content, struct failure *err)
{
	AUTO(free_ptr) char *text = json_dumps(content, JSON_INDENT(1));
	int code = EXIT_LOCAL_FILE;
	const char *path = NULL;

	if (!text)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while writing down the request");
	if (pending->state_path) {
		make_folders(pending->state_folder);
		path = pending->state_path;
		code = file_save_private(path, text, strlen(text), err);
	}
	if (code == EXIT_LOCAL_FILE) {
		path = pending->fallback_path;
		code = file_save_private(path, text, strlen(text), err);
	}
	explicit_bzero(text, strlen(text));
	if (code == EXIT_OK)
		pending->path = path;
	return code;
}

int pending_save(struct pending *pending, json_t *fields, const char *verification_key, struct failure *err)
{
	char key[33];
	json_t *content;
	int code;

	if (pending->content && json_equal(json_object_get(pending->content, "fields"), fields))
		return EXIT_OK;
	if (!make_key(key))
		return failure_set(err, EXIT_OTHER, "no_random", "the kernel gave no random bytes; try again");
	content = json_pack("{sO, sO, ss, ss*}", "request", pending->name, "fields", fields, "idempotency_key", key,
			    "verification_key", verification_key);
	if (!content)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while writing down the request");
	code = store(pending, content, err);
	if (code != EXIT_OK) {
		json_decref(content);
		return code;
	}
	json_decref(pending->content);
	pending->content = content;
	return EXIT_OK;
}

const char *pending_idempotency_key(const struct pending *pending)
{
	return json_string_value(json_object_get(pending->content, "idempotency_key"));
}

void pending_remove(struct pending *pending)
{
	AUTO(free_ptr) char *folder = pending->path ? file_folder(pending->path) : NULL;

	if (!pending->path)
		return;
	(void)unlink(pending->path);
	if (folder)
		file_flush_folder(folder);
	pending->path = NULL;
}
