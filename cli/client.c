/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include "cli/header.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/trust.h"
#include "core/base/cleanup.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define BODY_LIMIT ((size_t)64 << 20)

/* One attempt, as libcurl's callbacks see it. */
struct attempt {
	CURL *handle;
	const struct trust *trust;
	const struct request *request;
	struct reply *reply;
	struct failure *err; /* of the sink */
	int sink_code;
};

static void free_handle(CURL **handle)
{
	curl_easy_cleanup(*handle);
}

static void free_headers(struct curl_slist **headers)
{
	curl_slist_free_all(*headers);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t take_body(char *data, size_t one, size_t size, void *ctx)
{
	struct attempt *attempt = ctx;
	long http_status = 0;

	(void)one;
	(void)curl_easy_getinfo(attempt->handle, CURLINFO_RESPONSE_CODE, &http_status);
	if (attempt->request->sink && http_status == 200) {
		attempt->sink_code = attempt->request->sink(attempt->request->sink_ctx, data, size, attempt->err);
		return attempt->sink_code == EXIT_OK ? size : 0;
	}
	buffer_append(&attempt->reply->body, data, size);
	return attempt->reply->body.failed ? 0 : size;
}

static int look_for_signal(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	(void)ctx;
	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	return interrupt_signal() != 0;
}

/* False: out of memory; there are no headers then. */
static bool add_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*headers, line);

	if (!longer)
		free_headers(headers);
	*headers = longer;
	return longer != NULL;
}

static struct curl_slist *make_headers(const struct trust *trust, const struct request *request, const char *request_id)
{
	struct curl_slist *headers = NULL;
	char id[128], key[128] = "", type[128];

	(void)snprintf(type, sizeof(type), "Content-Type: %s", request->content_type ? request->content_type : "application/json");
	(void)snprintf(id, sizeof(id), "X-Request-Id: %s", request_id);
	if (request->idempotency_key)
		(void)snprintf(key, sizeof(key), "Idempotency-Key: %s", request->idempotency_key);
	(void)(add_header(&headers, id) && (!key[0] || add_header(&headers, key)) &&
	       (!request->body || add_header(&headers, type)) &&
	       (!trust->authorization || add_header(&headers, trust->authorization)));
	return headers;
}

static void set_limits(CURL *handle, const struct request *request, int64_t left_ms)
{
	long seconds = (long)((left_ms + 999) / 1000);

	(void)curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)left_ms);
	if (!request->sink) {
		(void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)left_ms);
		return;
	}
	(void)curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, seconds);
}

/* False: libcurl cannot do what must not be left out. */
static bool set_options(struct attempt *attempt, const char *url, struct curl_slist *headers, int64_t left_ms)
{
	CURL *handle = attempt->handle;
	const struct request *request = attempt->request;

	set_limits(handle, request, left_ms);
	(void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(handle, CURLOPT_USERAGENT, "pep-cli/" PEP_VERSION);
	(void)curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(handle, CURLOPT_WRITEDATA, attempt);
	(void)curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_for_signal);
	(void)curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
	if (request->body)
		(void)curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body);
	return trust_apply(attempt->trust, handle) && curl_easy_setopt(handle, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
}

static bool is_weird(CURLcode result)
{
	return result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_TOO_MANY_REDIRECTS ||
	       result == CURLE_BAD_CONTENT_ENCODING;
}

static int judge_result(const struct attempt *attempt, const struct settings *settings, CURLcode result, const char *detail)
{
	const char *why = detail[0] ? detail : curl_easy_strerror(result);
	int code;

	if (attempt->sink_code != EXIT_OK)
		return attempt->sink_code;
	if (interrupt_signal() && result == CURLE_ABORTED_BY_CALLBACK)
		return interrupt_failure(attempt->err);
	if (result == CURLE_OK && attempt->reply->http_status == 200 && !header_is_framed(attempt->handle))
		return failure_set(
			attempt->err, EXIT_SERVER, "bad_reply",
			"the reply of %s says neither its length nor where it ends, so it may be cut off; ask the server without a "
			"proxy between",
			settings->shown);
	if (result == CURLE_OK)
		return EXIT_OK;
	if (result == CURLE_OPERATION_TIMEDOUT)
		return failure_set(attempt->err, EXIT_TIMEOUT, "timeout", "no complete reply from %s within %lld s (PEP_TIMEOUT)",
				   settings->shown, (long long)(settings->timeout_ms / 1000));
	code = trust_failure(attempt->trust, result, why, settings->server, settings->shown, attempt->err);
	if (code != EXIT_OK)
		return code;
	if (attempt->reply->body.failed)
		return failure_set(attempt->err, EXIT_SERVER, "bad_reply", "the reply of %s is larger than %zu MiB",
				   settings->shown, BODY_LIMIT >> 20);
	if (is_weird(result))
		return failure_set(attempt->err, EXIT_SERVER, "bad_reply",
				   "%s does not answer as a pep-server does: %s; check PEP_SERVER_URL", settings->shown, why);
	return failure_set(attempt->err, EXIT_UNREACHABLE, attempt->reply->sent ? "connection_lost" : "unreachable",
			   "no complete reply from %s: %s; check that the server runs and PEP_SERVER_URL%s", settings->shown, why,
			   result == CURLE_GOT_NOTHING && strncmp(settings->server, "http:", 5) == 0
				   ? ", which begins with https: if the server has TLS"
				   : "");
}

/* *ret_wait_ms: how long the server asks to wait; -1: it does not. */
static int try_once(const struct trust *trust, const struct settings *settings, const struct request *request, int64_t left_ms,
		    struct reply *reply, int64_t *ret_wait_ms, struct failure *err)
{
	AUTO(free_handle) CURL *handle = curl_easy_init();
	AUTO(free_headers) struct curl_slist *headers = make_headers(trust, request, reply->request_id);
	AUTO(free_ptr) char *url = NULL;
	struct attempt attempt = {.handle = handle, .trust = trust, .request = request, .reply = reply, .err = err};
	char detail[CURL_ERROR_SIZE] = "";
	long sent_size = 0;
	CURLcode result;

	if (asprintf(&url, "%s%s", settings->server, request->path) < 0)
		url = NULL;
	if (!handle || !headers || !url || !set_options(&attempt, url, headers, left_ms))
		return failure_set(err, EXIT_OTHER, "no_memory",
				   "cannot set up the request: out of memory, or this libcurl is too small");
	(void)curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
	buffer_fini(&reply->body);
	result = curl_easy_perform(handle);
	(void)curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent_size);
	reply->sent |= sent_size > 0;
	reply->attempts++;
	if (result == CURLE_OK)
		header_read_all(handle, reply);
	*ret_wait_ms = header_wait_ms(handle);
	return judge_result(&attempt, settings, result, detail);
}

static void make_request_id(char *ret_id)
{
	unsigned char bytes[8] = {0};

	/* Only a name for the log: without random bytes it is all zeros. */
	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != (ssize_t)sizeof(bytes))
		explicit_bzero(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(ret_id + 2 * i, 3, "%02x", bytes[i]);
}

static void end_body(struct reply *reply)
{
	/* A NUL behind the bytes, for those who read text. */
	buffer_byte(&reply->body, '\0');
	if (reply->body.size)
		reply->body.size--;
}

int client_send(const struct session *session, const struct settings *settings, const struct request *request,
		struct reply *ret_reply, struct failure *err)
{
	int64_t deadline_ms = now_ms() + settings->timeout_ms, left_ms = settings->timeout_ms, wait_ms = -1;
	int code;

	*ret_reply = (struct reply){.records = -1};
	buffer_init(&ret_reply->body, BODY_LIMIT);
	make_request_id(ret_reply->request_id);
	code = trust_check(session->trust, settings->server, settings->shown, err);
	if (code != EXIT_OK)
		return code;
	trust_warn(session, session->trust, settings->server);
	for (;;) {
		/* Without query and body, which may hold a verification key. */
		print_verbose(session, "> %s %s%.*s", request->method, settings->shown, (int)strcspn(request->path, "?"),
			      request->path);
		code = try_once(session->trust, settings, request, left_ms, ret_reply, &wait_ms, err);
		left_ms = deadline_ms - now_ms();
		if (ret_reply->http_status)
			print_verbose(session, "< HTTP %ld, request id %s, after %" PRId64 " ms", ret_reply->http_status,
				      ret_reply->request_id, settings->timeout_ms - left_ms);
		left_ms -= wait_ms;
		if (code != EXIT_OK || (ret_reply->http_status != 503 && ret_reply->http_status != 429) || wait_ms < 0 ||
		    left_ms <= 0)
			break;
		print_note(session, "the server is busy (HTTP %ld %s); trying again in %lld s", ret_reply->http_status,
			   ret_reply->error, (long long)(wait_ms / 1000));
		if (interrupt_wait(wait_ms)) {
			code = interrupt_failure(err);
			break;
		}
	}
	end_body(ret_reply);
	if (code != EXIT_OK)
		(void)snprintf(err->request_id, sizeof(err->request_id), "%s", ret_reply->request_id);
	return code;
}

void client_reply_fini(struct reply *reply)
{
	buffer_fini(&reply->body);
}

/* The server's text: "detail" of a problem (RFC 9457), or the body itself. */
static const char *words_of(const struct reply *reply, json_t *problem)
{
	const char *detail = json_string_value(json_object_get(problem, "detail"));

	if (detail)
		return detail;
	return reply->body.size ? reply->body.data : "the server gave no reason";
}

/* The original's texts end with a line end, a message does not. */
static void trim_end(char *text)
{
	size_t size = strlen(text);

	while (size && strchr("\r\n ", text[size - 1]))
		text[--size] = '\0';
}

int client_refused(const struct reply *reply, const char *what, struct failure *err)
{
	json_t *problem = reply->body.size ? json_loadb(reply->body.data, reply->body.size, 0, NULL) : NULL;

	failure_from_reply(reply->http_status, reply->has_error ? reply->error : NULL, reply->body.data, reply->body.size, err);
	(void)snprintf(err->request_id, sizeof(err->request_id), "%s", reply->request_id);
	if (reply->http_status < 400)
		(void)snprintf(err->message, sizeof(err->message), "%s: not the reply of a pep-server; check PEP_SERVER_URL", what);
	else
		(void)snprintf(err->message, sizeof(err->message), "%s: %.800s", what, words_of(reply, problem));
	trim_end(err->message);
	json_decref(problem);
	return err->exit_code;
}

char *client_segment(const char *path, const char *segment)
{
	char *escaped = curl_easy_escape(NULL, segment, 0), *target = NULL;

	if (!escaped || asprintf(&target, "%s%s", path, escaped) < 0)
		target = NULL;
	curl_free(escaped);
	return target;
}

char *client_target(const char *path, json_t *fields)
{
	AUTO(buffer_fini) struct buffer out;
	const char *name, *text;
	char before = '?', *escaped;
	json_t *value;

	buffer_init(&out, BODY_LIMIT);
	buffer_text(&out, path);
	json_object_foreach(fields, name, value)
	{
		text = json_string_value(value);
		if (!text)
			continue;
		escaped = curl_easy_escape(NULL, text, 0);
		buffer_format(&out, "%c%s=%s", before, name, escaped ? escaped : "");
		out.failed |= !escaped;
		curl_free(escaped);
		before = '&';
	}
	buffer_byte(&out, '\0');
	return out.failed ? NULL : TAKE(out.data);
}
