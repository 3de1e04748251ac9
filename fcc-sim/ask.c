/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/ask.h"

#include "core/base/buffer.h"
#include "core/base/cleanup.h"

#include <curl/curl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define REPLY_MAX_SIZE 65536u
#define REQUEST_MAX_SIZE 1024u

struct asker {
	CURL *curl;
	struct curl_slist *headers;
	char *url;
	int stop_fd;
	struct buffer body; /* of the reply under way */
	char code[65];      /* its header Pep-Error */
	char why[CURL_ERROR_SIZE];
};

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct asker *asker = context;

	buffer_append(&asker->body, data, size * count);
	return asker->body.failed ? 0 : size * count;
}

/* One word; what does not look like one is not taken. */
static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	static const char name[] = "pep-error:";
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	struct asker *asker = context;
	size_t length = size * count, from = sizeof(name) - 1, end;

	if (length <= from || strncasecmp(data, name, from) != 0)
		return length;
	while (from < length && data[from] == ' ')
		from++;
	for (end = from; end < length && memchr(allowed, data[end], sizeof(allowed) - 1);)
		end++;
	if (end > from && end - from < sizeof(asker->code)) {
		memcpy(asker->code, data + from, end - from);
		asker->code[end - from] = '\0';
	}
	return length;
}

static int look_for_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct asker *asker = context;
	struct pollfd stop = {.fd = asker->stop_fd, .events = POLLIN};

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return poll(&stop, 1, 0) > 0;
}

static bool set_up(struct asker *asker, const char *url, long timeout_s)
{
	size_t size = strlen(url);

	while (size > 0 && url[size - 1] == '/')
		size--;
	if (asprintf(&asker->url, "%.*s/v3/identity", (int)size, url) < 0) {
		asker->url = NULL;
		return false;
	}
	asker->curl = curl_easy_init();
	asker->headers = curl_slist_append(NULL, "Content-Type: application/json");
	return asker->curl && asker->headers && curl_easy_setopt(asker->curl, CURLOPT_URL, asker->url) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_HTTPHEADER, asker->headers) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_PROXY, "") == CURLE_OK && /* as pep-cli: a factory's proxy leads outside */
	       curl_easy_setopt(asker->curl, CURLOPT_ERRORBUFFER, asker->why) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_TIMEOUT, timeout_s) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_WRITEDATA, asker) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_HEADERDATA, asker) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_XFERINFOFUNCTION, look_for_stop) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_XFERINFODATA, asker) == CURLE_OK &&
	       curl_easy_setopt(asker->curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

struct asker *ask_open(const char *url, long timeout_s, int stop_fd)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker)
		return NULL;
	asker->stop_fd = stop_fd;
	buffer_init(&asker->body, REPLY_MAX_SIZE);
	if (set_up(asker, url, timeout_s))
		return asker;
	ask_close(asker);
	return NULL;
}

void ask_close(struct asker *asker)
{
	if (!asker)
		return;
	curl_easy_cleanup(asker->curl);
	curl_slist_free_all(asker->headers);
	buffer_fini(&asker->body);
	free(asker->url);
	free(asker);
}

static void read_identity(const struct asker *asker, struct ask_reply *reply)
{
	json_t *json = json_loadb(asker->body.data ? asker->body.data : "", asker->body.size, 0, NULL);
	const char *id = json_string_value(json_object_get(json, "enrollmentID"));

	if (id && strlen(id) < sizeof(reply->enrollment_id))
		memcpy(reply->enrollment_id, id, strlen(id) + 1);
	if (!json)
		(void)snprintf(reply->failure, sizeof(reply->failure), "unreadable");
	json_decref(json);
}

void ask_provision(struct asker *asker, const char *serial, const char *ip, uint16_t port, struct ask_reply *ret_reply)
{
	char request[REQUEST_MAX_SIZE];
	CURLcode result;
	long http_status = 0;
	int size;

	*ret_reply = (struct ask_reply){.failure = "unreachable"};
	buffer_fini(&asker->body);
	asker->code[0] = '\0';
	asker->why[0] = '\0';
	/* Serial numbers are made here, of characters that JSON does not escape. */
	size = snprintf(request, sizeof(request), "{\"serialNumber\":\"%s\",\"ip\":\"%s\",\"port\":%u}", serial, ip, port);
	if (size < 0 || (size_t)size >= sizeof(request) ||
	    curl_easy_setopt(asker->curl, CURLOPT_POSTFIELDSIZE, (long)size) != CURLE_OK ||
	    curl_easy_setopt(asker->curl, CURLOPT_COPYPOSTFIELDS, request) != CURLE_OK)
		return;
	result = curl_easy_perform(asker->curl);
	if (result != CURLE_OK) {
		if (result != CURLE_ABORTED_BY_CALLBACK)
			(void)snprintf(ret_reply->why, sizeof(ret_reply->why), "%.200s: %s", asker->url,
				       asker->why[0] ? asker->why : curl_easy_strerror(result));
		return;
	}
	ret_reply->failure[0] = '\0';
	(void)curl_easy_getinfo(asker->curl, CURLINFO_RESPONSE_CODE, &http_status);
	if (http_status == 200)
		read_identity(asker, ret_reply);
	else if (asker->code[0])
		memcpy(ret_reply->failure, asker->code, sizeof(asker->code));
	else
		(void)snprintf(ret_reply->failure, sizeof(ret_reply->failure), "http_%ld", http_status);
}
