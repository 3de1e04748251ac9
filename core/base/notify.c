/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/notify.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MESSAGE_SIZE 512

/* A path, or, behind an @, a name in Linux's abstract space. False: neither, or too long. */
static bool read_address(const char *name, struct sockaddr_un *ret_address, socklen_t *ret_size)
{
	size_t size = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || size < 2 || size >= sizeof(ret_address->sun_path))
		return false;
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret_address->sun_path, name, size);
	if (name[0] == '@')
		ret_address->sun_path[0] = '\0';
	*ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	return true;
}

void notify_send(const char *format, ...)
{
	const char *name = getenv("NOTIFY_SOCKET");
	AUTO(close_fd) int fd = -1;
	struct sockaddr_un address;
	socklen_t size;
	char message[MESSAGE_SIZE];
	va_list arguments;
	int length;

	if (!name || !read_address(name, &address, &size))
		return;
	va_start(arguments, format);
	length = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && length > 0 && length < MESSAGE_SIZE)
		(void)sendto(fd, message, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&address, size);
}

int64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	int64_t number;

	if (!usec || !text_to_number(usec, 1, INT64_MAX, &number))
		return 0;
	/* One that is inherited is for the parent. */
	if (pid && (!text_to_number(pid, 1, INT32_MAX, &number) || number != getpid()))
		return 0;
	(void)text_to_number(usec, 1, INT64_MAX, &number);
	return number < 1000 ? 1 : number / 1000;
}
