/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BACKLOG 128

static bool parse(const char *text, uint16_t port, struct sockaddr_storage *ret_address, socklen_t *ret_size)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(ret_address, &v4, sizeof(v4));
		*ret_size = sizeof(v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(ret_address, &v6, sizeof(v6));
		*ret_size = sizeof(v6);
		return true;
	}
	return false;
}

static pep_status explain(const char *address, uint16_t port, int error, struct pep_error *err)
{
	const char *colon = strchr(address, ':') ? "[" : "";
	const char *bracket = *colon ? "]" : "";
	const char *advice;

	switch (error) {
	case EADDRINUSE:
		advice = "in use: stop the program that listens there, or choose another port";
		break;
	case EACCES:
	case EPERM:
		advice = "not permitted: choose a port from 1024 on, or give the server CAP_NET_BIND_SERVICE";
		break;
	case EADDRNOTAVAIL:
		advice = "no such address: this machine does not have it; take one of its own, or 127.0.0.1, or 0.0.0.0 for all";
		break;
	case EAFNOSUPPORT:
		advice = "this machine does not speak IPv6; listen on an IPv4 address";
		break;
	default:
		advice = strerror(error);
		break;
	}
	return pep_fail(err, PEP_UNAVAILABLE, error, "listen on %s%s%s:%u: %s", colon, address, bracket, (unsigned)port, advice);
}

/* Zero, or errno. */
static int bind_and_listen(int fd, const struct sockaddr_storage *place, socklen_t size)
{
	const int on = 1;

	/* A server that was restarted need not wait for the connections of its predecessor to be forgotten. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)place, size) < 0 || listen(fd, BACKLOG) < 0)
		return errno;
	return 0;
}

pep_status socket_listen(const char *address, uint16_t port, int *ret_fd, struct pep_error *err)
{
	struct sockaddr_storage place = {0};
	socklen_t size = 0;
	int error;
	int fd;

	if (!parse(address, port, &place, &size))
		return pep_fail(err, PEP_INVALID, EINVAL,
				"listen on '%s': not a numeric IPv4 or IPv6 address; write 127.0.0.1 or ::1, for example", address);
	fd = socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return explain(address, port, errno, err);
	error = bind_and_listen(fd, &place, size);
	if (error) {
		(void)close(fd);
		return explain(address, port, error, err);
	}
	*ret_fd = fd;
	return PEP_OK;
}

uint16_t socket_port(int fd)
{
	struct sockaddr_storage place = {0};
	socklen_t size = sizeof(place);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (getsockname(fd, (struct sockaddr *)&place, &size) < 0)
		return 0;
	memcpy(&v4, &place, sizeof(v4));
	memcpy(&v6, &place, sizeof(v6));
	return ntohs(place.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

void socket_peer(const struct sockaddr *address, char ret_text[INET6_ADDRSTRLEN])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	ret_text[0] = '\0';
	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		(void)inet_ntop(AF_INET, &v4.sin_addr, ret_text, INET6_ADDRSTRLEN);
	} else if (address->sa_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
			(void)inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], ret_text, INET6_ADDRSTRLEN);
		else
			(void)inet_ntop(AF_INET6, &v6.sin6_addr, ret_text, INET6_ADDRSTRLEN);
	}
}

int64_t socket_quiet_ms(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return -1;
	return info.tcpi_last_data_recv;
}

pep_status socket_allow(unsigned count, struct pep_error *err)
{
	struct rlimit limit = {0};

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= count)
		return PEP_OK;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < count)
		return pep_fail(err, PEP_LIMIT, EMFILE,
				"allow %u open files, for so many connections: the limit is %llu; raise it (ulimit -n, "
				"LimitNOFILE=), or set "
				"connections lower",
				count, (unsigned long long)limit.rlim_max);
	limit.rlim_cur = count;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return pep_fail(err, PEP_LIMIT, errno, "allow %u open files: %s; raise the limit (ulimit -n, LimitNOFILE=)", count,
				strerror(errno));
	return PEP_OK;
}
