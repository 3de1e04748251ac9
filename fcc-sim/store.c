/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/store.h"

#include "core/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define NAME_MAX_SIZE 100u
#define ITEM_MAX_COUNT 4096u
#define TOTAL_MAX_SIZE (64u << 20)

static const char *const kind_names[] = {
	[STORE_PARAMETER] = "param",
	[STORE_PRIVATE_KEY] = "key",
	[STORE_PUBLIC_KEY] = "pub",
	[STORE_CERTIFICATE] = "crt",
};

const char *store_kind_name(enum store_kind kind)
{
	return kind_names[kind];
}

bool store_open(struct store *store, const char *folder)
{
	*store = (struct store){.folder_fd = -1};
	store->last = &store->items;
	if (!folder)
		return true;
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return false;
	store->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return store->folder_fd >= 0;
}

static void free_items(struct store *store)
{
	while (store->items) {
		struct store_item *gone = store->items;

		store->items = gone->next;
		free(gone);
	}
	store->last = &store->items;
	store->item_count = 0;
	store->total_size = 0;
}

void store_close(struct store *store)
{
	free_items(store);
	close_fd(&store->folder_fd);
	store->folder_fd = -1;
}

static bool is_item_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(kind_names) / sizeof(kind_names[0]); i++)
		if (strcmp(dot + 1, kind_names[i]) == 0)
			return true;
	return false;
}

void store_erase(struct store *store)
{
	int fd;
	DIR *folder;

	free_items(store);
	if (store->folder_fd < 0)
		return;
	fd = openat(store->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (!folder) {
		close_fd(&fd);
		return;
	}
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (is_item_file(entry->d_name))
			(void)unlinkat(store->folder_fd, entry->d_name, 0);
	(void)closedir(folder);
}

enum store_verdict store_check_name(struct span name)
{
	static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_";

	if (name.size == 0)
		return STORE_NAME_EMPTY;
	if (name.size > NAME_MAX_SIZE)
		return STORE_NAME_TOO_LONG;
	for (size_t i = 0; i < name.size; i++)
		if (!memchr(allowed, name.data[i], sizeof(allowed) - 1))
			return STORE_NAME_INVALID;
	return STORE_GOOD;
}

static bool write_all(int fd, struct span data)
{
	while (data.size > 0) {
		ssize_t count = write(fd, data.data, data.size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		data.data += count;
		data.size -= (size_t)count;
	}
	return true;
}

/* NAME.crt; what follows a leaf is NAME~2.crt and on, and no item's name holds a tilde. */
static bool write_part(const struct store *store, const struct store_item *item, size_t index)
{
	char file[NAME_MAX_SIZE + 32];
	char number[24] = "";
	AUTO(close_fd) int fd = -1;

	if (index > 0)
		(void)snprintf(number, sizeof(number), "~%zu", index + 1);
	(void)snprintf(file, sizeof(file), "%.*s%s.%s", (int)item->name.size, (const char *)item->name.data, number,
		       kind_names[item->kind]);
	fd = openat(store->folder_fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 && write_all(fd, item->parts[index]);
}

static bool write_files(const struct store *store, const struct store_item *item)
{
	for (size_t i = 0; store->folder_fd >= 0 && i < item->part_count; i++)
		if (!write_part(store, item, i))
			return false;
	return true;
}

static struct store_item *new_item(enum store_kind kind, struct span name, const struct span *parts, size_t part_count, size_t size)
{
	struct store_item *item = malloc(sizeof(*item) + size);
	uint8_t *room;

	if (!item)
		return NULL;
	*item = (struct store_item){.kind = kind, .part_count = part_count, .name = {item->room, name.size}};
	memcpy(item->room, name.data, name.size);
	room = item->room + name.size;
	for (size_t i = 0; i < part_count; i++) {
		if (parts[i].size > 0)
			memcpy(room, parts[i].data, parts[i].size);
		item->parts[i] = (struct span){room, parts[i].size};
		room += parts[i].size;
	}
	return item;
}

enum store_verdict store_add(struct store *store, enum store_kind kind, struct span name, const struct span *parts,
			     size_t part_count)
{
	enum store_verdict verdict = store_check_name(name);
	struct store_item *item;
	size_t size = name.size;

	if (verdict != STORE_GOOD)
		return verdict;
	if (store_find(store, kind, name))
		return STORE_EXISTS;
	if (part_count > STORE_PARTS_MAX || store->item_count == ITEM_MAX_COUNT)
		return STORE_FAILED;
	for (size_t i = 0; i < part_count; i++) {
		if (parts[i].size > TOTAL_MAX_SIZE)
			return STORE_FAILED;
		size += parts[i].size;
	}
	if (size > TOTAL_MAX_SIZE - store->total_size)
		return STORE_FAILED;
	item = new_item(kind, name, parts, part_count, size);
	if (!item || !write_files(store, item)) {
		free(item);
		return STORE_FAILED;
	}
	*store->last = item;
	store->last = &item->next;
	store->item_count++;
	store->total_size += size;
	return STORE_GOOD;
}

const struct store_item *store_find(const struct store *store, enum store_kind kind, struct span name)
{
	for (const struct store_item *item = store->items; item; item = item->next)
		if (item->kind == kind && span_equal(item->name, name))
			return item;
	return NULL;
}

const struct store_item *store_find_text(const struct store *store, enum store_kind kind, const char *name)
{
	return store_find(store, kind, span_text(name));
}
