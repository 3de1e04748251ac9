/* SPDX-License-Identifier: Apache-2.0 */
#include "core/http/pulse.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 256

/* The library (0.9.75) gives a connection to the thread whose number is the descriptor's, modulo their count. Negative: none is free. */
static int for_thread(int fd, unsigned threads, unsigned thread)
{
	int least = fd;
	int chosen;

	for (int i = 0; i < TRIES; i++) {
		chosen = fcntl(fd, F_DUPFD_CLOEXEC, least);
		if (chosen < 0 || (unsigned)chosen % threads == thread)
			return chosen;
		(void)close(chosen);
		least = chosen + 1;
	}
	return -1;
}

static bool give(struct pulse *pulse, struct MHD_Daemon *daemon, unsigned threads, unsigned thread)
{
	const struct sockaddr address = {.sa_family = AF_UNIX};
	int ends[2];
	int fd;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return false;
	fd = for_thread(ends[0], threads, thread);
	(void)close(ends[0]);
	(void)close(ends[1]);
	if (fd < 0)
		return false;
	pulse->given++;
	if (MHD_add_connection(daemon, fd, &address, sizeof(address)) == MHD_YES)
		return true;
	pulse->given--;
	return false;
}

bool pulse_beat(struct pulse *pulse, struct MHD_Daemon *daemon, unsigned threads)
{
	if (pulse_is_under_way(pulse))
		return false;
	for (unsigned i = 0; i < threads; i++)
		if (!give(pulse, daemon, threads, i))
			break;
	return true;
}

bool pulse_is_one(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *peer = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return peer && peer->client_addr && peer->client_addr->sa_family == AF_UNIX;
}

void pulse_answer(struct pulse *pulse)
{
	pulse->answered++;
}

bool pulse_is_under_way(const struct pulse *pulse)
{
	return pulse->answered != pulse->given;
}
