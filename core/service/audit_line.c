/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/audit_line.h"

#include "core/base/text.h"

#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char start_text[] = "{\"seq\":", time_text[] = ",\"time\":\"", server_text[] = "\",\"server\":";
static const char prev_text[] = ",\"prev\":\"", hash_text[] = "\",\"hash\":\"", end_text[] = "\"}";
#define LENGTH(text) (sizeof(text) - 1)
#define HASH_PART (LENGTH(hash_text) + AUDIT_HASH_SIZE + LENGTH(end_text)) /* what is behind prev */
#define TAIL_SIZE (LENGTH(prev_text) + AUDIT_HASH_SIZE + HASH_PART)

const struct audit_head audit_genesis = {.hash = "0000000000000000000000000000000000000000000000000000000000000000"};

void audit_head_text(const struct audit_head *head, char ret_text[AUDIT_HEAD_SIZE])
{
	(void)snprintf(ret_text, AUDIT_HEAD_SIZE, "%" PRId64 " %s", head->seq, head->hash);
}

void audit_time(int64_t at_ms, char ret_time[AUDIT_TIME_SIZE + 1])
{
	const int64_t latest_ms = INT64_C(253402300799999);
	int64_t ms = at_ms < 0 ? 0 : at_ms > latest_ms ? latest_ms : at_ms;
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts = {0};

	(void)gmtime_r(&seconds, &parts);
	(void)strftime(ret_time, AUDIT_TIME_SIZE + 1, "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(ret_time + 19, AUDIT_TIME_SIZE + 1 - 19, ".%03dZ", (int)(ms % 1000));
}

/* Of a line that ends in `"}`, as if it had no hash. */
static void digest(const char *line, size_t size_with_prev, char ret_hex[AUDIT_HASH_SIZE + 1])
{
	struct sha256_ctx context;
	uint8_t bytes[SHA256_DIGEST_SIZE];

	sha256_init(&context);
	sha256_update(&context, size_with_prev, (const uint8_t *)line);
	sha256_update(&context, LENGTH(end_text), (const uint8_t *)end_text);
	sha256_digest(&context, sizeof(bytes), bytes);
	text_hex(bytes, sizeof(bytes), ret_hex);
}

void audit_line_seal(struct buffer *out, struct audit_head *head, const char *time, const char *server, const char *members)
{
	size_t start = out->size;
	struct audit_head next = {.seq = head->seq + 1};

	buffer_text(out, start_text);
	buffer_number(out, next.seq);
	buffer_text(out, time_text);
	buffer_text(out, time);
	buffer_text(out, server_text);
	buffer_json_text(out, server);
	buffer_byte(out, ',');
	buffer_text(out, members);
	buffer_text(out, prev_text);
	buffer_text(out, head->hash);
	if (out->failed)
		return;
	digest(out->data + start, out->size - start, next.hash);
	buffer_text(out, hash_text);
	buffer_text(out, next.hash);
	buffer_text(out, end_text);
	buffer_byte(out, '\n');
	if (!out->failed)
		*head = next;
}

static bool begins_with(const char *text, size_t size, const char *word)
{
	return size >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

/* Digits without a leading zero; how many, 0: none that fit. */
static size_t read_seq(const char *text, size_t size, int64_t *ret_seq)
{
	size_t count = 0;
	int64_t seq = 0;

	while (count < size && count < 18 && text[count] >= '0' && text[count] <= '9')
		seq = seq * 10 + (text[count++] - '0');
	if (!count || text[0] == '0')
		return 0;
	*ret_seq = seq;
	return count;
}

bool audit_line_read(const char *text, size_t size, struct audit_line *ret_line)
{
	struct audit_line line = {.text = text, .size = size};
	const char *tail = size > TAIL_SIZE ? text + size - TAIL_SIZE : NULL;
	size_t at, digits;

	if (!tail || !begins_with(text, size, start_text))
		return false;
	at = LENGTH(start_text);
	digits = read_seq(text + at, size - at, &line.seq);
	at += digits;
	if (!digits || size - at < LENGTH(time_text) + AUDIT_TIME_SIZE + TAIL_SIZE || !begins_with(text + at, size - at, time_text))
		return false;
	line.time = text + at + LENGTH(time_text);
	line.prev = tail + LENGTH(prev_text);
	line.hash = line.prev + AUDIT_HASH_SIZE + LENGTH(hash_text);
	if (!begins_with(line.time + AUDIT_TIME_SIZE, (size_t)(tail - line.time) - AUDIT_TIME_SIZE, server_text) ||
	    memcmp(tail, prev_text, LENGTH(prev_text)) != 0 ||
	    memcmp(line.prev + AUDIT_HASH_SIZE, hash_text, LENGTH(hash_text)) != 0 ||
	    memcmp(line.hash + AUDIT_HASH_SIZE, end_text, LENGTH(end_text)) != 0)
		return false;
	*ret_line = line;
	return true;
}

bool audit_line_is_sealed(const struct audit_line *line)
{
	char hex[AUDIT_HASH_SIZE + 1];

	digest(line->text, line->size - HASH_PART, hex);
	return memcmp(hex, line->hash, AUDIT_HASH_SIZE) == 0;
}

bool audit_line_follows(const struct audit_line *line, const struct audit_head *head)
{
	return line->seq == head->seq + 1 && memcmp(line->prev, head->hash, AUDIT_HASH_SIZE) == 0;
}

struct audit_head audit_line_head(const struct audit_line *line)
{
	struct audit_head head = {.seq = line->seq};

	memcpy(head.hash, line->hash, AUDIT_HASH_SIZE);
	return head;
}
