/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/facts.h"

#include "core/base/cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if_arp.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const kernel_files[] = {
	"/proc/device-tree/serial-number",
	"/sys/class/dmi/id/product_serial",
	"/sys/class/dmi/id/board_serial",
	"/proc/cpuinfo",
};

/* What board makers leave where a serial number should be. */
static const char *const placeholders[] = {
	"To be filled by O.E.M.",
	"To Be Filled By O.E.M",
	"Default string",
	"System Serial Number",
	"Base Board Serial Number",
	"Not Specified",
	"Not Applicable",
	"Not Available",
	"None",
	"N/A",
	"Unknown",
	"INVALID",
	"Serial Number",
	"123456789",
	"1234567890",
	"0123456789",
	"OEM",
	"undefined",
	"null",
	"Chassis Serial Number",
};

const char *facts_serial_fault(const char *serial)
{
	static const char printable[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+,-./:=? _";
	size_t size = strlen(serial);

	if (!size)
		return "it is empty";
	if (size >= FACTS_SERIAL_ROOM)
		return "it is longer than 64 bytes";
	if (strspn(serial, printable) != size || serial[0] == ' ' || serial[size - 1] == ' ')
		return "only letters, digits, space and '()+,-./:=?_ may be in it, and no space at its ends";
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
		if (strcasecmp(serial, placeholders[i]) == 0)
			return "it is a placeholder that the board's maker left";
	/* 0000, xxxx, ----: nobody counts like that. One letter or digit alone may be a name. */
	if ((size > 2 || serial[0] == '0') && strspn(serial, (char[]){serial[0], '\0'}) == size)
		return "it is a placeholder: one character, again and again";
	return NULL;
}

/* The first bytes of a file as text without blanks at the ends. False: it cannot be read. */
static bool read_text(const char *root, const char *path, char *ret_text, size_t room)
{
	AUTO(free_ptr) char *whole = NULL;
	AUTO(close_fd) int fd = -1;
	size_t used = 0;
	ssize_t size = -1;

	if (asprintf(&whole, "%s%s", root, path) < 0) {
		whole = NULL;
		return false;
	}
	fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* /proc gives a page at a time. */
	while (fd >= 0 && used + 1 < room && (size = read(fd, ret_text + used, room - 1 - used)) > 0)
		used += (size_t)size;
	if (size < 0)
		return false;
	ret_text[used] = '\0';
	return true;
}

/* The first line in place, without blanks. */
static char *first_line(char *text)
{
	size_t size;

	text += strspn(text, " \t");
	text[strcspn(text, "\r\n")] = '\0';
	for (size = strlen(text); size && isspace((unsigned char)text[size - 1]); size--)
		;
	text[size] = '\0';
	return text;
}

/* /proc/cpuinfo of a Raspberry Pi has "Serial : 10000000abcdef" near its end. NULL: none. */
static char *cpuinfo_serial(char *text)
{
	char *line = strstr(text, "\nSerial");

	line = line ? strchr(line, ':') : NULL;
	return line ? first_line(line + 1) : NULL;
}

static int take_serial(struct facts *facts, const char *serial, const char *source, struct failure *err)
{
	const char *fault = facts_serial_fault(serial);

	if (fault)
		return failure_set(err, EXIT_CONFIGURATION, "serial",
				   "the serial number \"%.70s\" of %s cannot be used: %s; give one with --serial or --serial-file",
				   serial, source, fault);
	(void)snprintf(facts->serial, sizeof(facts->serial), "%s", serial);
	(void)snprintf(facts->serial_source, sizeof(facts->serial_source), "%s", source);
	return EXIT_OK;
}

int facts_read_serial(const char *root, const char *given, const char *file, struct facts *facts, struct failure *err)
{
	char text[65536] = "";
	const char *serial;
	int code = EXIT_OK;

	if (given)
		return take_serial(facts, given, "--serial", err);
	if (file && !read_text("", file, text, sizeof(text)))
		return failure_set(err, EXIT_CONFIGURATION, "serial", "the serial number cannot be read from %s", file);
	if (file)
		return take_serial(facts, first_line(text), file, err);
	(void)failure_set(err, EXIT_CONFIGURATION, "serial",
			  "the kernel knows no serial number of this gateway; give one with --serial or --serial-file");
	for (size_t i = 0; i < sizeof(kernel_files) / sizeof(kernel_files[0]); i++) {
		if (!read_text(root, kernel_files[i], text, sizeof(text)))
			continue;
		serial = strstr(kernel_files[i], "cpuinfo") ? cpuinfo_serial(text) : first_line(text);
		if (!serial)
			continue;
		code = take_serial(facts, serial, kernel_files[i], err);
		if (code == EXIT_OK)
			return EXIT_OK;
	}
	return err->exit_code;
}

static void free_addresses(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

static void find_interface(const struct sockaddr *address, struct facts *facts)
{
	struct ifaddrs *list = NULL;
	char text[NI_MAXHOST];

	if (getifaddrs(&list) != 0)
		return;
	for (const struct ifaddrs *each = list; each; each = each->ifa_next) {
		if (!each->ifa_addr || each->ifa_addr->sa_family != address->sa_family)
			continue;
		if (getnameinfo(each->ifa_addr,
				address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6), text,
				sizeof(text), NULL, 0, NI_NUMERICHOST) == 0 &&
		    strcmp(text, facts->address) == 0)
			(void)snprintf(facts->interface, sizeof(facts->interface), "%s", each->ifa_name);
	}
	freeifaddrs(list);
}

bool facts_read_address(const char *host, const char *port, struct facts *facts)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
	AUTO(free_addresses) struct addrinfo *list = NULL;
	struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof(own);
	char text[NI_MAXHOST];

	if (getaddrinfo(host, port, &hints, &list) != 0)
		return false;
	for (const struct addrinfo *each = list; each; each = each->ai_next) {
		AUTO(close_fd) int fd = socket(each->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		size = sizeof(own);
		/* Connecting a datagram socket only looks up the route. */
		if (fd < 0 || connect(fd, each->ai_addr, each->ai_addrlen) != 0 ||
		    getsockname(fd, (struct sockaddr *)&own, &size) != 0 ||
		    getnameinfo((struct sockaddr *)&own, size, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		(void)snprintf(facts->address, sizeof(facts->address), "%.45s", text);
		find_interface((struct sockaddr *)&own, facts);
		return true;
	}
	return false;
}

bool facts_mac(const char *text, size_t count, char *ret_numbers, size_t room)
{
	static const char digits[] = "0123456789abcdef";
	size_t size = 0;
	bool zero = true;

	for (size_t i = 0; i < count; i++) {
		const char *high = text[0] ? strchr(digits, tolower((unsigned char)text[0])) : NULL;
		const char *low = high && text[1] ? strchr(digits, tolower((unsigned char)text[1])) : NULL;
		int byte;

		if (!low)
			return false;
		byte = (int)(high - digits) * 16 + (int)(low - digits);
		zero &= byte == 0;
		size += (size_t)snprintf(ret_numbers + size, room - size, "%s%d", i ? "," : "", byte);
		if (size >= room)
			return false;
		text += 2;
		if (i + 1 < count && (*text == ':' || *text == '-'))
			text++;
	}
	text += strspn(text, " \r\n");
	return !*text && !zero;
}

/* One of the files of an interface. False: it cannot be read. */
static bool read_of_interface(const char *root, const char *interface, const char *file, char *ret_text, size_t room)
{
	char path[128];

	if (snprintf(path, sizeof(path), "/sys/class/net/%s/%s", interface, file) >= (int)sizeof(path))
		return false;
	return read_text(root, path, ret_text, room);
}

static bool has_kind(const char *root, const char *interface, int kind)
{
	char text[32];

	return read_of_interface(root, interface, "type", text, sizeof(text)) && strtol(text, NULL, 10) == kind;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The address of the first interface of that kind, in the order of names; `wanted` first. */
static void read_mac(const char *root, const char *wanted, int kind, size_t count, char *ret_numbers, size_t room)
{
	AUTO(free_ptr) char *folder = NULL;
	struct dirent **entries = NULL;
	char text[64];
	int found;

	ret_numbers[0] = '\0';
	if (wanted && wanted[0] && has_kind(root, wanted, kind) && read_of_interface(root, wanted, "address", text, sizeof(text)) &&
	    facts_mac(text, count, ret_numbers, room))
		return;
	ret_numbers[0] = '\0';
	if (asprintf(&folder, "%s/sys/class/net", root) < 0) {
		folder = NULL;
		return;
	}
	found = scandir(folder, &entries, NULL, by_name);
	for (int i = 0; i < found; i++) {
		const char *name = entries[i]->d_name;

		if (!ret_numbers[0] && name[0] != '.' && has_kind(root, name, kind) &&
		    (!read_of_interface(root, name, "address", text, sizeof(text)) || !facts_mac(text, count, ret_numbers, room)))
			ret_numbers[0] = '\0';
		free(entries[i]);
	}
	free(entries);
}

void facts_read_macs(const char *root, const char *interface, struct facts *facts)
{
	read_mac(root, interface, ARPHRD_ETHER, 6, facts->ethernet_mac, sizeof(facts->ethernet_mac));
	read_mac(root, NULL, ARPHRD_IEEE802154, 8, facts->sixb_mac, sizeof(facts->sixb_mac));
}
