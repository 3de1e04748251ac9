/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trust.h"

#include "cli/print.h"
#include "core/base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_LIMIT 512u

/* An option wins over the variable; what is empty is not there. */
static const char *text_of(const struct session *session, const char *option, const char *variable)
{
	const char *text = session_named(session, option);

	if (!text)
		text = getenv(variable);
	return text && text[0] ? text : NULL;
}

static int check_file(const char *path, const char *option, const char *variable, struct failure *err)
{
	if (!path || access(path, R_OK) == 0)
		return EXIT_OK;
	return failure_set(err, EXIT_CONFIGURATION, "configuration", "cannot read %.300s (--%s, %s): %s", path, option, variable,
			   strerror(errno));
}

/* One or more "sha256//BASE64", with ; between. What else libcurl takes, a file with a key, would be silently none if it is not there. */
static bool is_pin(const char *text)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (;; text++) {
		if (strncmp(text, "sha256//", 8) != 0 || strspn(text + 8, base64) != 43 || text[51] != '=')
			return false;
		text += TRUST_PIN_SIZE - 1;
		if (*text != ';')
			return *text == '\0';
	}
}

/* RFC 6750 2.1 */
static bool is_token(const char *text)
{
	size_t size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

	size += strspn(text + size, "=");
	return size && text[size] == '\0';
}

static void warn_of_rights(const struct session *session, const char *path, const struct stat *about)
{
	if (about->st_mode & (S_IRWXG | S_IRWXO))
		print_note(session, "others have rights to %.300s, and there is a secret in it; chmod 600 it", path);
}

/* The file's first line. It may be a pipe. */
static int read_token(const struct session *session, const char *path, char *line, size_t room, struct failure *err)
{
	AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	size_t size = 0;
	ssize_t got = fd < 0 || fstat(fd, &about) != 0 ? -1 : 1;

	while (got > 0 && size < room - 1) {
		got = read(fd, line + size, room - 1 - size);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			size += (size_t)got;
	}
	if (got < 0)
		return failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "cannot read %.300s (--token-file, PEP_TOKEN_FILE): %s", path, strerror(errno));
	line[size] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (S_ISREG(about.st_mode))
		warn_of_rights(session, path, &about);
	return EXIT_OK;
}

/* From --token-file, PEP_TOKEN or PEP_TOKEN_FILE, in this order. Never from the command line: every process can read that. */
static int load_token(const struct session *session, struct trust *trust, struct failure *err)
{
	const char *option = session_named(session, "token-file"), *token = getenv("PEP_TOKEN"), *file = getenv("PEP_TOKEN_FILE");
	char line[TOKEN_LIMIT + 2] = "";
	const char *source = option ? "--token-file" : token && token[0] ? "PEP_TOKEN" : "PEP_TOKEN_FILE";
	int code = EXIT_OK;

	if (option || ((!token || !token[0]) && file && file[0])) {
		code = read_token(session, option ? option : file, line, sizeof(line), err);
		token = line;
	}
	if (code != EXIT_OK || (token != line && (!token || !token[0])))
		return code;
	if (!is_token(token) || strlen(token) > TOKEN_LIMIT)
		code = failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "what %s gives is not a token; it is the one word that pep-server token add printed", source);
	else if (asprintf(&trust->authorization, "Authorization: Bearer %s", token) < 0) {
		trust->authorization = NULL;
		code = failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	}
	explicit_bzero(line, sizeof(line));
	return code;
}

static int load_files(const struct session *session, struct trust *trust, struct failure *err)
{
	struct stat about;
	int code = check_file(trust->ca, "ca", "PEP_CA", err);

	if (code == EXIT_OK)
		code = check_file(trust->certificate, "cert", "PEP_CERT", err);
	if (code == EXIT_OK)
		code = check_file(trust->key, "key", "PEP_KEY", err);
	if (code == EXIT_OK && !trust->certificate != !trust->key)
		code = failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "a client certificate (--cert, PEP_CERT) and its key (--key, PEP_KEY) go together");
	if (code == EXIT_OK && trust->key && stat(trust->key, &about) == 0)
		warn_of_rights(session, trust->key, &about);
	return code;
}

int trust_load(const struct session *session, struct trust *ret_trust, struct failure *err)
{
	struct trust trust = {.ca = text_of(session, "ca", "PEP_CA"),
			      .pin = text_of(session, "pin", "PEP_PIN"),
			      .certificate = text_of(session, "cert", "PEP_CERT"),
			      .key = text_of(session, "key", "PEP_KEY")};
	int code = load_files(session, &trust, err);

	if (code == EXIT_OK && trust.pin && !is_pin(trust.pin))
		code = failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "--pin (PEP_PIN) is not a pin; it is sha256//BASE64, as pep-server tls show prints it");
	if (code == EXIT_OK)
		code = load_token(session, &trust, err);
	if (code == EXIT_OK)
		*ret_trust = trust;
	return code;
}

void trust_fini(struct trust *trust)
{
	if (trust->authorization)
		explicit_bzero(trust->authorization, strlen(trust->authorization));
	free(trust->authorization);
	trust->authorization = NULL;
}

/* The host of "http://HOST:PORT/...", without user name. */
static bool is_on_this_machine(const char *server)
{
	AUTO(free_ptr) char *text = strdup(strstr(server, "://") ? strstr(server, "://") + 3 : server);
	struct in_addr address;
	char *host = text, *end;

	if (!text)
		return false;
	host[strcspn(host, "/")] = '\0';
	if (strrchr(host, '@'))
		host = strrchr(host, '@') + 1;
	if (strncmp(host, "[::1]", 5) == 0)
		return true;
	end = strchr(host, ':');
	if (end)
		*end = '\0';
	return strcmp(host, "localhost") == 0 || (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

void trust_warn(const struct session *session, struct trust *trust, const char *server)
{
	if (!trust->authorization || trust->is_in_clear_said || strncmp(server, "https:", 6) == 0 || is_on_this_machine(server))
		return;
	trust->is_in_clear_said = true;
	print_note(session, "the token goes over the network in the clear; use an https address, with --pin or --ca");
}

int trust_check(const struct trust *trust, const char *server, const char *shown, struct failure *err)
{
	if (!trust->pin || strncmp(server, "https:", 6) == 0)
		return EXIT_OK;
	return failure_set(
		err, EXIT_CONFIGURATION, "configuration",
		"a pin is given (--pin, PEP_PIN), but %.200s has no TLS, so nothing shows that it is that server; use its "
		"https address, or no pin",
		shown);
}

bool trust_apply(const struct trust *trust, CURL *handle)
{
	if (trust->pin) {
		/* The key alone is who the server is: it may call itself what it wants. Unless an authority is to vouch for it, too. */
		if (!trust->ca)
			(void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, trust->ca ? 2L : 0L);
		if (curl_easy_setopt(handle, CURLOPT_PINNEDPUBLICKEY, trust->pin) != CURLE_OK)
			return false;
	}
	if (trust->ca && (curl_easy_setopt(handle, CURLOPT_CAINFO, trust->ca) != CURLE_OK ||
			  curl_easy_setopt(handle, CURLOPT_CAPATH, NULL) != CURLE_OK))
		return false;
	return !trust->certificate || (curl_easy_setopt(handle, CURLOPT_SSLCERT, trust->certificate) == CURLE_OK &&
				       curl_easy_setopt(handle, CURLOPT_SSLKEY, trust->key) == CURLE_OK);
}
