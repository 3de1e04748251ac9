/* SPDX-License-Identifier: Apache-2.0
 *
 * disk_fault.c - a disk that fails under a whole server: loaded before the C library with LD_PRELOAD. For tests.
 *
 * PEP_DISK_FAULT names a file that holds a struct disk_fault, which the test changes while the server runs; PEP_DISK_FAULT_FOLDER the folder
 * whose files are concerned. Writes and syncs go to the kernel directly, past whatever else stands before them.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct disk_fault {
	_Atomic int32_t write_errno, sync_errno; /* what calls report; 0: they work */
	_Atomic int32_t good;                    /* so many calls of the failing kind work before */
	_Atomic int32_t made;                    /* calls that failed */
};

/* State at file scope, because the functions that this takes the place of have no other. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct disk_fault *fault;
static const char *folder;

static void set_up(void)
{
	const char *path = getenv("PEP_DISK_FAULT");
	void *page;
	int fd;

	folder = getenv("PEP_DISK_FAULT_FOLDER");
	fd = path && folder ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	page = mmap(NULL, sizeof(struct disk_fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		fault = page;
	(void)close(fd);
}

static int is_concerned(int fd)
{
	char link[32], path[4096];
	size_t size = strlen(folder);
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return 0;
	path[length] = '\0';
	return strncmp(path, folder, size) == 0 && path[size] == '/';
}

/* The errno of this call; 0: it works. */
static int judge(int fd, int is_sync)
{
	int cause;

	(void)pthread_once(&once, set_up);
	if (!fault)
		return 0;
	cause = is_sync ? fault->sync_errno : fault->write_errno;
	if (!cause || !is_concerned(fd) || atomic_fetch_sub(&fault->good, 1) > 0)
		return 0;
	(void)atomic_fetch_add(&fault->made, 1);
	return cause;
}

#define FAIL_OR(fd, is_sync, type, call)             \
	({                                           \
		int cause_ = judge((fd), (is_sync)); \
		if (cause_)                          \
			errno = cause_;              \
		cause_ ? (type)-1 : (type)(call);    \
	})

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
	return FAIL_OR(fd, 0, ssize_t, syscall(SYS_pwrite64, fd, buf, n, offset));
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	return FAIL_OR(fd, 0, ssize_t, syscall(SYS_pwrite64, fd, buf, n, offset));
}

ssize_t write(int fd, const void *buf, size_t n)
{
	return FAIL_OR(fd, 0, ssize_t, syscall(SYS_write, fd, buf, n));
}

int fdatasync(int fildes)
{
	return FAIL_OR(fildes, 1, int, syscall(SYS_fdatasync, fildes));
}

int fsync(int fd)
{
	return FAIL_OR(fd, 1, int, syscall(SYS_fsync, fd));
}
