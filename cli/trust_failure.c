/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trust.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LIMIT_MS 5000L
/* 2024-01-01: a clock that is behind it has not been set. */
#define CLOCK_SET_S 1704067200
/* How libcurl says, to who asks it to be verbose, which key the server has. */
#define HASH_MARK "public key hash: "

static int take_hash(CURL *handle, curl_infotype type, char *text, size_t size, void *context)
{
	const char *mark = type == CURLINFO_TEXT ? memmem(text, size, HASH_MARK, strlen(HASH_MARK)) : NULL;
	char *pin = context;

	(void)handle;
	if (mark && size - (size_t)(mark - text) >= strlen(HASH_MARK) + TRUST_PIN_SIZE - 1) {
		memcpy(pin, mark + strlen(HASH_MARK), TRUST_PIN_SIZE - 1);
		pin[TRUST_PIN_SIZE - 1] = '\0';
	}
	return 0;
}

/* A handshake with a pin that fits nobody, so that it ends there. "": the server does not show a key. */
static void ask_pin(const char *server, char ret_pin[TRUST_PIN_SIZE])
{
	CURL *handle = curl_easy_init();

	ret_pin[0] = '\0';
	if (handle && curl_easy_setopt(handle, CURLOPT_URL, server) == CURLE_OK &&
	    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	    curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(handle, CURLOPT_PINNEDPUBLICKEY, "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") == CURLE_OK &&
	    curl_easy_setopt(handle, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK) {
		(void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
		(void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
		(void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, LIMIT_MS);
		(void)curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, take_hash);
		(void)curl_easy_setopt(handle, CURLOPT_DEBUGDATA, ret_pin);
		(void)curl_easy_setopt(handle, CURLOPT_VERBOSE, 1L);
		(void)curl_easy_perform(handle);
	}
	curl_easy_cleanup(handle);
}

bool trust_meets(const struct trust *trust, const char *server)
{
	CURL *handle = curl_easy_init();
	bool met = false;

	if (handle && trust_apply(trust, handle) && curl_easy_setopt(handle, CURLOPT_URL, server) == CURLE_OK &&
	    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	    curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(handle, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK) {
		(void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
		(void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, LIMIT_MS);
		met = curl_easy_perform(handle) == CURLE_OK;
	}
	curl_easy_cleanup(handle);
	return met;
}

static int refuse_unknown(const struct trust *trust, const char *why, const char *server, const char *shown, struct failure *err)
{
	char pin[TRUST_PIN_SIZE];

	if (time(NULL) < CLOCK_SET_S) {
		(void)failure_set(
			err, EXIT_UNREACHABLE, "tls",
			"cannot trust %.200s while the clock here is not set: %.200s; turn time synchronisation on, or use --pin",
			shown, why);
		return err->exit_code;
	}
	ask_pin(server, pin);
	return failure_set(
		err, EXIT_UNREACHABLE, "tls",
		"cannot trust %.200s: %.200s; give the certificate of its authority with %s--ca FILE (PEP_CA), or, if \"pep-server "
		"tls show\" on the server prints this too, --pin %s (PEP_PIN)",
		shown, why, trust->ca ? "another " : "", pin[0] ? pin : "with what it prints");
}

static int refuse_pin(const char *server, const char *shown, struct failure *err)
{
	char pin[TRUST_PIN_SIZE];

	ask_pin(server, pin);
	return failure_set(err, EXIT_UNREACHABLE, "tls",
			   "%.200s has another key than the one that is pinned (--pin, PEP_PIN): %s; either it has a new one, and "
			   "\"pep-server "
			   "tls show\" on the server prints it, or this is not the server",
			   shown, pin[0] ? pin : "it does not show it");
}

int trust_failure(const struct trust *trust, CURLcode result, const char *why, const char *server, const char *shown,
		  struct failure *err)
{
	int code = EXIT_OK;

	switch (result) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		code = refuse_unknown(trust, why, server, shown, err);
		break;
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		code = refuse_pin(server, shown, err);
		break;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
		code = failure_set(err, EXIT_UNREACHABLE, "tls",
				   "no TLS with %.200s: %.200s; check that it speaks https at this port, and its version of TLS%s",
				   shown, why,
				   trust->certificate ? ", and that --cert and --key are PEM files that belong together" : "");
		break;
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		code = failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "cannot use a file of --cert, --key or --ca: %.200s; all three are PEM", why);
		break;
	default:
		break;
	}
	/* A clock is set sooner or later, trust is not. */
	if (code != EXIT_OK)
		err->retryable = time(NULL) < CLOCK_SET_S;
	return code;
}
