/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include "core/base/cleanup.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SERVER "http://localhost:5151"
#define DEFAULT_TIMEOUT_S 120
#define MAX_TIMEOUT_S 3600

static void free_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void free_part(char **part)
{
	curl_free(*part);
}

static bool has_part(CURLU *url, CURLUPart part)
{
	AUTO(free_part) char *text = NULL;

	return curl_url_get(url, part, &text, 0) == CURLUE_OK && text[0];
}

/* Why this cannot be a base address; NULL: it can. */
static const char *url_fault(CURLU *url, const char *text)
{
	AUTO(free_part) char *scheme = NULL;
	AUTO(free_part) char *port = NULL;
	CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);

	if (code != CURLUE_OK)
		return curl_url_strerror(code);
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return "it is neither http nor https";
	if (curl_url_get(url, CURLUPART_PORT, &port, 0) == CURLUE_OK && strcmp(port, "0") == 0)
		return "there is no port 0";
	/* libcurl drops an empty one, so the text is looked at. */
	if (strpbrk(text, "?#"))
		return "a base address has no query and no fragment";
	return NULL;
}

/* The address as text without trailing slashes; NULL: out of memory. */
static char *base_of(CURLU *url)
{
	AUTO(free_part) char *whole = NULL;
	size_t size;

	if (curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK)
		return NULL;
	for (size = strlen(whole); size && whole[size - 1] == '/'; size--)
		;
	return strndup(whole, size);
}

static int load_server(const char *text, struct settings *settings, struct failure *err)
{
	AUTO(free_url) CURLU *url = curl_url();
	const char *fault;

	if (!url)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while reading PEP_SERVER_URL");
	fault = url_fault(url, text && text[0] ? text : DEFAULT_SERVER);
	if (fault)
		return failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "PEP_SERVER_URL is not the address of a server (%s); set it to something like %s", fault,
				   DEFAULT_SERVER);
	settings->server = base_of(url);
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD)) {
		(void)curl_url_set(url, CURLUPART_USER, NULL, 0);
		(void)curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	}
	settings->shown = base_of(url);
	if (!settings->server || !settings->shown)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while reading PEP_SERVER_URL");
	return EXIT_OK;
}

static int load_timeout(const char *text, struct settings *settings, struct failure *err)
{
	int64_t seconds = 0;

	if (!text)
		seconds = DEFAULT_TIMEOUT_S;
	else if (text[0] != '0' && strlen(text) <= 4 && strspn(text, "0123456789") == strlen(text))
		for (const char *digit = text; *digit; digit++)
			seconds = seconds * 10 + (*digit - '0');
	if (seconds < 1 || seconds > MAX_TIMEOUT_S)
		return failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "PEP_TIMEOUT is not a whole number of seconds from 1 to %d; unset it for %d", MAX_TIMEOUT_S,
				   DEFAULT_TIMEOUT_S);
	settings->timeout_ms = seconds * 1000;
	return EXIT_OK;
}

int settings_load(const char *server_url, const char *timeout, struct settings *ret_settings, struct failure *err)
{
	struct settings settings = {0};
	int code = load_server(server_url, &settings, err);

	if (code == EXIT_OK)
		code = load_timeout(timeout, &settings, err);
	if (code != EXIT_OK) {
		settings_fini(&settings);
		return code;
	}
	*ret_settings = settings;
	return EXIT_OK;
}

void settings_fini(struct settings *settings)
{
	free(settings->server);
	free(settings->shown);
	*settings = (struct settings){0};
}
