/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/enrolled.h"

#include "cli/provision/sha256.h"
#include "core/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)128 << 10)
#define FILES_MAX 512
#define DEPTH_MAX 6
/* Less is no certificate with a key, a name and a signature. */
#define CERTIFICATE_MIN 150

struct look {
	const char *identity, *serial;
	enum enrolled found;
	unsigned files;
};

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static bool is_identity(const unsigned char *der, size_t size, const char *identity)
{
	unsigned char digest[32];
	char text[2 + 32 * 3 + 1] = "A-";

	sha256(der, size, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(text + 2 + 3 * i, 4, "%02X%s", digest[i], i + 1 < sizeof(digest) ? ":" : "");
	return strcasecmp(text, identity) == 0;
}

/* Whether the common name (2.5.4.3) is in it: X.520's OID, a string tag, the length, the name. */
static bool has_name(const unsigned char *der, size_t size, const char *serial)
{
	static const unsigned char common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
	size_t name_size = strlen(serial);
	const unsigned char *at = der, *end = der + size;

	while ((at = memmem(at, (size_t)(end - at), common_name, sizeof(common_name)))) {
		at += sizeof(common_name);
		if ((size_t)(end - at) >= 2 + name_size && at[1] == name_size && memcmp(at + 2, serial, name_size) == 0)
			return true;
	}
	return false;
}

enum enrolled enrolled_scan(const unsigned char *data, size_t size, const char *identity, const char *serial)
{
	enum enrolled found = ENROLLED_UNSEEN;

	/* SEQUENCE with a length of two bytes, X.690 8.1.3.5: every certificate of ours begins so. */
	for (size_t at = 0; at + CERTIFICATE_MIN < size; at++) {
		size_t whole;

		if (data[at] != 0x30 || data[at + 1] != 0x82)
			continue;
		whole = 4 + ((size_t)data[at + 2] << 8 | data[at + 3]);
		if (whole < CERTIFICATE_MIN || whole > size - at || data[at + 4] != 0x30)
			continue;
		if (is_identity(data + at, whole, identity))
			return ENROLLED_SAME;
		if (has_name(data + at, whole, serial))
			found = ENROLLED_OTHER;
	}
	return found;
}

static void look_at_file(struct look *look, int parent, const char *name, size_t size)
{
	AUTO(close_fd) int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	AUTO(free_ptr) unsigned char *data = size <= FILE_LIMIT ? malloc(size + 1) : NULL;
	ssize_t got = fd >= 0 && data ? read(fd, data, size) : -1;
	enum enrolled found;

	if (got <= 0)
		return;
	found = enrolled_scan(data, (size_t)got, look->identity, look->serial);
	if (found != ENROLLED_UNSEEN && look->found != ENROLLED_SAME)
		look->found = found;
	/* It may have been a private key. */
	explicit_bzero(data, size);
}

/* Takes `fd` over. */
static void look_in(struct look *look, int fd, unsigned depth)
{
	AUTO(close_folder) DIR *folder = fdopendir(fd);
	const struct dirent *entry;
	struct stat status;
	int inner;

	if (!folder)
		(void)close(fd);
	while (folder && look->found != ENROLLED_SAME && (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || ++look->files > FILES_MAX)
			continue;
		if (S_ISREG(status.st_mode))
			look_at_file(look, dirfd(folder), entry->d_name, (size_t)status.st_size);
		if (!S_ISDIR(status.st_mode) || depth >= DEPTH_MAX)
			continue;
		inner = openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0)
			look_in(look, inner, depth + 1);
	}
}

enum enrolled enrolled_look(const struct spot *store, const char *identity, const char *serial)
{
	struct look look = {.identity = identity, .serial = serial};
	int fd = tree_open(store);

	if (fd >= 0)
		look_in(&look, fd, 0);
	return look.found;
}
