/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/frame.h"

#include <nettle/sha2.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN "mbedprov"

/* What a tool sends is put into one end before the frame is read from the other. */
struct ends {
	int tool, device;
	struct wire wire;
};

static void open_ends(struct ends *ends)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ends->tool = fds[0];
	ends->device = fds[1];
	wire_init(&ends->wire, ends->device, (const int[]){-1, -1});
}

static void close_ends(struct ends *ends)
{
	(void)close(ends->tool);
	(void)close(ends->device);
}

static void put_request(struct buffer *out, const char *payload, size_t size)
{
	uint8_t hash[SHA256_DIGEST_SIZE];
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, size, (const uint8_t *)payload);
	sha256_digest(&context, sizeof(hash), hash);
	buffer_text(out, TOKEN);
	for (unsigned shift = 0; shift < 32; shift += 8)
		buffer_byte(out, (char)(size >> shift & 0xff));
	buffer_append(out, payload, size);
	buffer_append(out, hash, sizeof(hash));
}

/* Sends, closes, reads one frame. */
static enum frame_status read_one(const char *bytes, size_t size, struct buffer *ret_payload)
{
	struct ends ends;
	enum frame_status status;

	open_ends(&ends);
	assert_int_equal(write(ends.tool, bytes, size), (ssize_t)size);
	assert_int_equal(shutdown(ends.tool, SHUT_WR), 0);
	status = frame_read(&ends.wire, ret_payload);
	close_ends(&ends);
	return status;
}

static enum frame_status status_of(const char *bytes, size_t size)
{
	struct buffer payload;
	enum frame_status status = read_one(bytes, size, &payload);

	buffer_fini(&payload);
	return status;
}

static void a_good_frame_after_junk(void **state)
{
	struct buffer request, payload;

	(void)state;
	buffer_init(&request, 1000);
	buffer_text(&request, "HELLO mbed");
	buffer_byte(&request, '\0');
	put_request(&request, "abc", 3);
	assert_int_equal(read_one(request.data, request.size, &payload), FRAME_GOOD);
	assert_int_equal(payload.size, 3);
	assert_memory_equal(payload.data, "abc", 3);
	buffer_fini(&payload);
	buffer_fini(&request);
}

static void an_m_before_the_token_hides_it(void **state)
{
	struct buffer request;

	(void)state;
	buffer_init(&request, 1000);
	buffer_byte(&request, 'm');
	put_request(&request, "abc", 3);
	assert_int_equal(status_of(request.data, request.size), FRAME_NONE);
	buffer_fini(&request);
}

/* Every way to cut a frame: before the end of its token nothing is lost, after it everything is. */
static void cut_anywhere(void **state)
{
	struct buffer request;

	(void)state;
	buffer_init(&request, 1000);
	put_request(&request, "abcdef", 6);
	for (size_t size = 0; size < request.size; size++)
		assert_int_equal(status_of(request.data, size), size < 8 ? FRAME_NONE : FRAME_BROKEN);
	assert_int_equal(status_of(request.data, request.size), FRAME_GOOD);
	buffer_fini(&request);
}

static void damaged_anywhere_behind_the_size(void **state)
{
	struct buffer request;

	(void)state;
	buffer_init(&request, 1000);
	put_request(&request, "abcdef", 6);
	for (size_t i = 12; i < request.size; i++) {
		request.data[i] ^= 1;
		assert_int_equal(status_of(request.data, request.size), FRAME_BROKEN);
		request.data[i] ^= 1;
	}
	buffer_fini(&request);
}

static void sizes_at_the_edge(void **state)
{
	(void)state;
	assert_int_equal(status_of(TOKEN "\0\0\0\0", 12), FRAME_BROKEN);
	assert_int_equal(status_of(TOKEN "\xff\xff\xff\xff"
					 "0123456789",
				   22),
			 FRAME_BROKEN);
	assert_int_equal(status_of(TOKEN "\0\0\0\x80"
					 "0123456789",
				   22),
			 FRAME_BROKEN);
	assert_int_equal(status_of(TOKEN "\x01\0\0\x01"
					 "0123456789",
				   22),
			 FRAME_BROKEN);
	assert_int_equal(status_of(TOKEN "\0\0\0\x01"
					 "0123456789",
				   22),
			 FRAME_BROKEN);
}

static void two_frames_in_one_write(void **state)
{
	struct ends ends;
	struct buffer requests, payload;

	(void)state;
	open_ends(&ends);
	buffer_init(&requests, 1000);
	put_request(&requests, "one", 3);
	put_request(&requests, "three", 5);
	assert_int_equal(write(ends.tool, requests.data, requests.size), (ssize_t)requests.size);
	assert_int_equal(frame_read(&ends.wire, &payload), FRAME_GOOD);
	assert_int_equal(payload.size, 3);
	buffer_fini(&payload);
	assert_int_equal(frame_read(&ends.wire, &payload), FRAME_GOOD);
	assert_memory_equal(payload.data, "three", 5);
	buffer_fini(&payload);
	buffer_fini(&requests);
	close_ends(&ends);
}

struct sender {
	int fd;
	const struct buffer *bytes;
};

static void *send_all(void *data)
{
	const struct sender *sender = data;
	size_t sent = 0;

	while (sent < sender->bytes->size) {
		ssize_t count = write(sender->fd, sender->bytes->data + sent, sender->bytes->size - sent);

		if (count <= 0)
			abort();
		sent += (size_t)count;
	}
	return NULL;
}

static void two_megabytes(void **state)
{
	size_t size = 2000000;
	char *big = calloc(1, size);
	struct buffer request, payload;
	struct ends ends;
	struct sender sender;
	pthread_t thread;

	(void)state;
	assert_non_null(big);
	buffer_init(&request, 2 * size);
	put_request(&request, big, size);
	open_ends(&ends);
	sender = (struct sender){ends.tool, &request};
	assert_int_equal(pthread_create(&thread, NULL, send_all, &sender), 0);
	assert_int_equal(frame_read(&ends.wire, &payload), FRAME_GOOD);
	assert_int_equal(payload.size, size);
	(void)pthread_join(thread, NULL);
	buffer_fini(&payload);
	buffer_fini(&request);
	close_ends(&ends);
	free(big);
}

static void told_to_give_up(void **state)
{
	static const char *const starts[] = {"", "mbed", TOKEN, TOKEN "\x05", TOKEN "\x05..."};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct ends ends;
		struct buffer payload;
		int stop_fd = eventfd(1, EFD_CLOEXEC);

		open_ends(&ends);
		ends.wire.stop_fds[1] = stop_fd;
		assert_int_equal(write(ends.tool, starts[i], strlen(starts[i])), (ssize_t)strlen(starts[i]));
		assert_int_equal(frame_read(&ends.wire, &payload), FRAME_STOPPED);
		assert_int_equal(wire_pause(&ends.wire, 3600000), WIRE_STOPPED);
		assert_int_equal(wire_write(&ends.wire, "x", 1), WIRE_STOPPED);
		buffer_fini(&payload);
		close_ends(&ends);
		(void)close(stop_fd);
	}
}

static void answers(void **state)
{
	struct buffer payload, frame;

	(void)state;
	buffer_init(&payload, 10);
	buffer_init(&frame, 100);
	buffer_byte(&payload, (char)0xa0);
	frame_put(&frame, &payload);
	assert_int_equal(frame.size, 16 + 1 + 32);
	assert_memory_equal(frame.data, TOKEN "\0\0\0\0\x01\0\0\0\xa0\xc1\x9a\x79\x7f", 21);
	buffer_fini(&frame);
	frame_put_error(&frame, FRAME_STATUS_NOT_PROCESSED);
	assert_int_equal(frame.size, 12);
	assert_memory_equal(frame.data, TOKEN "\x09\0\0\0", 12);
	buffer_fini(&frame);
	buffer_fini(&payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_frame_after_junk),
		cmocka_unit_test(an_m_before_the_token_hides_it),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(damaged_anywhere_behind_the_size),
		cmocka_unit_test(sizes_at_the_edge),
		cmocka_unit_test(two_frames_in_one_write),
		cmocka_unit_test(two_megabytes),
		cmocka_unit_test(told_to_give_up),
		cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
