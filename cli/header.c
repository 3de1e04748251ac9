/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEX "0123456789abcdef"

/* A header of the last reply; NULL: none. */
static const char *header_of(CURL *handle, const char *name)
{
	struct curl_header *header;

	return curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

/* Copies the first `size` bytes of a value if they are all allowed and fit. */
static bool copy_word(const char *value, size_t size, const char *allowed, char *ret_word, size_t room)
{
	if (!size || size >= room || strspn(value, allowed) < size)
		return false;
	memcpy(ret_word, value, size);
	ret_word[size] = '\0';
	return true;
}

static bool read_word(CURL *handle, const char *name, char *ret_word, size_t room)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	const char *value = header_of(handle, name);

	return value && copy_word(value, strlen(value), allowed, ret_word, room);
}

/* The id of a record: 24 hex digits. */
static void read_id(CURL *handle, const char *name, char ret_id[25])
{
	const char *value = header_of(handle, name);

	if (value && strlen(value) == 24)
		(void)copy_word(value, 24, HEX, ret_id, 25);
}

static int64_t read_count(CURL *handle, const char *name)
{
	const char *value = header_of(handle, name);
	char *end;
	long long count;

	if (!value || *value < '0' || *value > '9')
		return -1;
	errno = 0;
	count = strtoll(value, &end, 10);
	return errno || *end ? -1 : (int64_t)count;
}

/* A number of up to 19 digits, a space, and 64 hex digits. */
static void read_head(CURL *handle, char ret_head[86])
{
	const char *value = header_of(handle, "Pep-Audit-Head");
	size_t digits = value ? strspn(value, "0123456789") : 0;

	if (digits && digits <= 19 && value[digits] == ' ' && strspn(value + digits + 1, "0123456789abcdef") == 64 &&
	    strlen(value + digits + 1) == 64)
		(void)snprintf(ret_head, 86, "%s", value);
}

/* What stands behind the first dot of the name that Content-Disposition gives (RFC 6266). */
static void read_suffix(CURL *handle, char *ret_suffix, size_t room)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.";
	const char *value = header_of(handle, "Content-Disposition");
	const char *name = value ? strstr(value, "filename=\"") : NULL;
	const char *dot = name ? strchr(name, '.') : NULL;

	if (dot)
		(void)copy_word(dot + 1, strcspn(dot + 1, "\""), allowed, ret_suffix, room);
}

void header_read_all(CURL *handle, struct reply *reply)
{
	const char *replay = header_of(handle, "Pep-Replay"), *date = header_of(handle, "Date");
	time_t date_s = date ? curl_getdate(date, NULL) : 0;

	reply->date_s = date_s > 0 ? (int64_t)date_s : 0;
	(void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply->http_status);
	reply->has_error = read_word(handle, "Pep-Error", reply->error, sizeof(reply->error));
	(void)read_word(handle, "X-Request-Id", reply->request_id, sizeof(reply->request_id));
	reply->replayed = replay && strcmp(replay, "1") == 0;
	read_id(handle, "Pep-Cursor", reply->cursor);
	read_id(handle, "Pep-Next", reply->next);
	reply->records = read_count(handle, "Pep-Records");
	read_head(handle, reply->audit_head);
	read_suffix(handle, reply->suffix, sizeof(reply->suffix));
}

bool header_is_framed(CURL *handle)
{
	const char *coding = header_of(handle, "Transfer-Encoding");
	long version = 0;

	(void)curl_easy_getinfo(handle, CURLINFO_HTTP_VERSION, &version);
	return version > CURL_HTTP_VERSION_1_1 || header_of(handle, "Content-Length") ||
	       (coding && strcasecmp(coding, "chunked") == 0);
}

int64_t header_wait_ms(CURL *handle)
{
	const char *text = header_of(handle, "Retry-After");
	curl_off_t wait_s = 0;

	(void)curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &wait_s);
	if (wait_s > 0)
		return wait_s < INT64_MAX / 2000 ? (int64_t)wait_s * 1000 : -1;
	/* At once is soon enough a second later. */
	return text && strcmp(text, "0") == 0 ? 1000 : -1;
}
