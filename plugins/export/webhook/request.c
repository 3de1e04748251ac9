/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_LIMIT 65536u /* of an answer's body; then we hang up */
#define QUOTE_SIZE 120u     /* of what the other side says, for the log */
#define WAIT_MAX_S 3600

struct request {
	struct request_settings settings;
	CURL *curl;
	char host[256]; /* for messages: an address may have secrets in its path */
	/* Of the answer that is being read. */
	size_t answer_size;
	char quote[QUOTE_SIZE + 1];
	size_t quote_size;
};

static size_t read_answer(const char *data, size_t one, size_t size, void *context)
{
	struct request *request = context;

	(void)one;
	/* The beginning of its first line, of plain characters only: it goes into our log. */
	if (request->answer_size == 0) {
		while (request->quote_size < size && request->quote_size < QUOTE_SIZE && data[request->quote_size] >= ' ' &&
		       data[request->quote_size] <= '~') {
			request->quote[request->quote_size] = data[request->quote_size];
			request->quote_size++;
		}
		request->quote[request->quote_size] = '\0';
	}
	request->answer_size += size;
	return request->answer_size > ANSWER_LIMIT ? 0 : size;
}

static bool set_up(struct request *request)
{
	const struct request_settings *settings = &request->settings;
	CURL *curl = request->curl;
	CURLcode code = CURLE_OK;

#define SET(option, value) (code = code == CURLE_OK ? curl_easy_setopt(curl, option, value) : code)
	SET(CURLOPT_URL, settings->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_PROXY, ""); /* what the address says, whatever the environment says */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_TIMEOUT_MS, (long)settings->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms);
	SET(CURLOPT_USERAGENT, "pep-webhook/1");
	SET(CURLOPT_WRITEFUNCTION, read_answer);
	SET(CURLOPT_WRITEDATA, request);
	if (*settings->ca)
		SET(CURLOPT_CAINFO, settings->ca);
#undef SET
	return code == CURLE_OK;
}

/* The host is all that messages show of it. */
static pep_status check_url(struct request *request, struct pep_error *err)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *user = NULL;
	pep_status status = PEP_INVALID;

	if (!url)
		return pep_fail(err, PEP_NO_MEMORY, 0, "webhook: out of memory");
	if (curl_url_set(url, CURLUPART_URL, request->settings.url, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		(void)pep_fail(err, status, 0, "webhook: url must be http://HOST... or https://HOST...");
	else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		(void)pep_fail(err, status, 0, "webhook: url must not hold a user name or password: the signature says who asks");
	else
		status = PEP_OK;
	if (status == PEP_OK)
		(void)snprintf(request->host, sizeof(request->host), "%s", host);
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(url);
	return status;
}

pep_status request_open(const struct request_settings *settings, struct request **ret_request, struct pep_error *err)
{
	struct request *request = calloc(1, sizeof(*request));
	pep_status status;

	if (!request)
		return pep_fail(err, PEP_NO_MEMORY, 0, "webhook: out of memory");
	request->settings = *settings;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(request);
		return pep_fail(err, PEP_INTERNAL, 0, "webhook: libcurl cannot be set up");
	}
	status = check_url(request, err);
	if (status == PEP_OK) {
		request->curl = curl_easy_init();
		if (!request->curl || !set_up(request))
			status = pep_fail(err, PEP_NO_MEMORY, 0,
					  "webhook: libcurl cannot be set up: out of memory, or it is too old");
	}
	if (status != PEP_OK) {
		request_close(request);
		return status;
	}
	*ret_request = request;
	return PEP_OK;
}

void request_close(struct request *request)
{
	if (!request)
		return;
	curl_easy_cleanup(request->curl);
	curl_global_cleanup();
	free(request);
}

/* NULL: out of memory; the list so far is freed. */
static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char line[256];
	struct curl_slist *longer;

	(void)snprintf(line, sizeof(line), "%s:%s%s", name, *value ? " " : "", value);
	longer = curl_slist_append(list, line);
	if (!longer)
		curl_slist_free_all(list);
	return longer;
}

static struct curl_slist *make_headers(const struct request_headers *headers)
{
	struct curl_slist *list = add_header(NULL, "Content-Type", "application/json");

	if (list)
		list = add_header(list, "webhook-id", headers->id);
	if (list)
		list = add_header(list, "webhook-timestamp", headers->timestamp);
	if (list)
		list = add_header(list, "webhook-signature", headers->signature);
	/* Not to wait for a "100 Continue" that a small server never sends. */
	return list ? add_header(list, "Expect", "") : NULL;
}

static pep_status explain_transport(const struct request *request, CURLcode code, struct pep_error *err)
{
	if (code == CURLE_OPERATION_TIMEDOUT)
		return pep_fail(err, PEP_TIMEOUT, (int32_t)code, "webhook: %s did not answer within %lld ms", request->host,
				(long long)request->settings.timeout_ms);
	if (code == CURLE_OUT_OF_MEMORY)
		return pep_fail(err, PEP_NO_MEMORY, (int32_t)code, "webhook: out of memory");
	return pep_fail(err, PEP_UNAVAILABLE, (int32_t)code, "webhook: %s cannot be reached: %s", request->host,
			curl_easy_strerror(code));
}

static bool is_busy(long answer)
{
	return answer == 408 || answer == 425 || answer == 429 || answer == 502 || answer == 503 || answer == 504;
}

static pep_status explain_answer(const struct request *request, long answer, int64_t *ret_wait_ms, struct pep_error *err)
{
	const char *colon = request->quote_size ? ": " : "";
	curl_off_t wait_s = 0;

	if (answer >= 200 && answer < 300)
		return PEP_OK;
	if (is_busy(answer)) {
		if (curl_easy_getinfo(request->curl, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
			*ret_wait_ms = (wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S) * 1000;
		return pep_fail(err, PEP_UNAVAILABLE, (int32_t)answer, "webhook: %s is busy or away (%ld)%s%s", request->host,
				answer, colon, request->quote);
	}
	if (answer >= 500)
		return pep_fail(err, PEP_INTERNAL, (int32_t)answer, "webhook: %s failed (%ld)%s%s", request->host, answer, colon,
				request->quote);
	return pep_fail(err, PEP_INVALID, (int32_t)answer, "webhook: %s refused it (%ld)%s%s", request->host, answer, colon,
			answer >= 300 && answer < 400 ? ", a redirect: correct url" : request->quote);
}

pep_status request_send(struct request *request, const struct request_headers *headers, const char *body, size_t size,
			int64_t *ret_wait_ms, struct pep_error *err)
{
	struct curl_slist *list = make_headers(headers);
	CURL *curl = request->curl;
	long answer = 0;
	CURLcode code;

	if (!list)
		return pep_fail(err, PEP_NO_MEMORY, 0, "webhook: out of memory");
	request->answer_size = request->quote_size = 0;
	request->quote[0] = '\0';
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)size);
	code = curl_easy_perform(curl);
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(list);
	/* An answer that we stopped reading has said all that we need. */
	if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && request->answer_size > ANSWER_LIMIT))
		return explain_transport(request, code, err);
	return explain_answer(request, answer, ret_wait_ms, err);
}
