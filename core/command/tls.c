/* SPDX-License-Identifier: Apache-2.0
 *
 * pep-server tls: a certificate for a server of the line's own network, and how clients pin it.
 */
#include "core/http/tls.h"
#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/command/command.h"
#include "core/command/pair.h"
#include "core/config/file.h"
#include "core/config/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT 65536
#define HOSTS_MAX 32
#define LONGEST_DAYS 36525

static const char help[] =
	"Usage: pep-server tls init [--host NAME|ADDRESS]... [--days N] DIR\n"
	"       pep-server tls show FILE\n"
	"\n"
	"init     makes a key and a certificate for this server, DIR/tls.key and DIR/tls.crt, and prints the pin of it.\n"
	"         Nothing is overwritten.\n"
	"         --host  a name or an address by which clients call it, may be repeated; default: the name of this\n"
	"                 machine, localhost, 127.0.0.1 and ::1\n"
	"         --days  how long it is valid; default: 3650\n"
	"show     prints names, end and, as the last line, pin of the certificate in FILE.\n"
	"\n"
	"Clients trust it by its pin (pep-cli --pin) or by the file tls.crt (pep-cli --ca).\n"
	"Exit codes: 0 done, 1 other failure, 2 usage.\n";

struct request {
	const char *dir;
	const char *hosts[HOSTS_MAX];
	size_t host_count;
	int64_t days;
};

/* Letters, digits, dashes and dots, and a star for one whole label in front; or a numeric address. */
static bool is_host(const char *text)
{
	uint8_t address[16];
	size_t size = strlen(text);

	if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
		return true;
	if (strncmp(text, "*.", 2) == 0)
		text += 2;
	return size >= 1 && size <= 253 && text[0] != '.' && text[0] != '-' &&
	       text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")] == '\0';
}

static bool read_request(int count, char **arguments, struct request *request)
{
	for (int i = 0; i < count; i++) {
		bool has_next = i + 1 < count;

		if (strcmp(arguments[i], "--host") == 0 && has_next) {
			if (request->host_count == HOSTS_MAX || !is_host(arguments[i + 1]))
				return false;
			request->hosts[request->host_count++] = arguments[++i];
		} else if (strcmp(arguments[i], "--days") == 0 && has_next) {
			if (!value_int(arguments[++i], &request->days))
				return false;
		} else if (arguments[i][0] != '-' && !request->dir)
			request->dir = arguments[i];
		else
			return false;
	}
	return request->dir && request->days >= 1 && request->days <= LONGEST_DAYS;
}

static int add_host(gnutls_x509_crt_t certificate, const char *host)
{
	uint8_t address[16];

	if (inet_pton(AF_INET, host, address) == 1)
		return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, address, 4, GNUTLS_FSAN_APPEND);
	if (inet_pton(AF_INET6, host, address) == 1)
		return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, address, 16, GNUTLS_FSAN_APPEND);
	return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host),
						    GNUTLS_FSAN_APPEND);
}

static int fill(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const struct request *request)
{
	int code = pair_fill(certificate, key, "pep-server", request->days);

	for (size_t i = 0; i < request->host_count && code == 0; i++)
		code = add_host(certificate, request->hosts[i]);
	if (code == 0)
		code = gnutls_x509_crt_set_basic_constraints(certificate, 0, -1);
	if (code == 0)
		code = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (code == 0)
		code = gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
	return code == 0 ? gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0) : code;
}

static int print_pin(gnutls_x509_crt_t certificate)
{
	char pin[TLS_PIN_SIZE];

	if (!tls_pin_of(certificate, pin))
		return command_complain(COMMAND_FAILED, "the certificate has no key that can be pinned");
	(void)printf("%s\n", pin);
	return COMMAND_DONE;
}

static int make(const struct request *request)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t key_pem = {0}, certificate_pem = {0};
	int exit_code = COMMAND_FAILED;
	int code = gnutls_x509_privkey_init(&key);

	if (code == 0)
		code = gnutls_x509_crt_init(&certificate);
	if (code == 0)
		code = pair_make_key(key, NULL, &key_pem);
	if (code == 0)
		code = fill(certificate, key, request);
	if (code == 0)
		code = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_pem);
	if (code != 0)
		(void)command_complain(COMMAND_FAILED, "no certificate can be made: %s", gnutls_strerror(code));
	else
		exit_code = pair_write(request->dir, "tls", &key_pem, &certificate_pem);
	if (exit_code == COMMAND_DONE)
		exit_code = print_pin(certificate);
	if (key_pem.data)
		gnutls_memset(key_pem.data, 0, key_pem.size);
	gnutls_free(key_pem.data);
	gnutls_free(certificate_pem.data);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key); /* which wipes it */
	return exit_code;
}

static int init(int count, char **arguments)
{
	struct request request = {.days = 3650};
	char machine[HOST_NAME_MAX + 1] = "";

	if (!read_request(count, arguments, &request))
		return command_complain(COMMAND_USAGE,
					"tls init takes a folder, hosts that are names or numeric addresses, and 1 to "
					"36525 days; try pep-server tls --help");
	if (!request.host_count) {
		(void)gethostname(machine, sizeof(machine) - 1);
		if (is_host(machine) && strcmp(machine, "localhost") != 0)
			request.hosts[request.host_count++] = machine;
		request.hosts[request.host_count++] = "localhost";
		request.hosts[request.host_count++] = "127.0.0.1";
		request.hosts[request.host_count++] = "::1";
	}
	if (mkdir(request.dir, 0700) < 0 && errno != EEXIST)
		return command_complain(COMMAND_FAILED, "cannot make the folder %s: %s", request.dir, strerror(errno));
	return make(&request);
}

static void print_hosts(gnutls_x509_crt_t certificate)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t name[256];
	size_t size;
	int type;

	(void)fputs("hosts", stdout);
	for (unsigned i = 0;
	     size = sizeof(name) - 1, (type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &size, NULL)) >= 0; i++) {
		if (type == GNUTLS_SAN_IPADDRESS && inet_ntop(size == 4 ? AF_INET : AF_INET6, name, text, sizeof(text)))
			(void)printf(" %s", text);
		else if (type == GNUTLS_SAN_DNSNAME && text_is_printable((const char *)name, size))
			(void)printf(" %.*s", (int)size, (const char *)name);
	}
	(void)putchar('\n');
}

static int print(gnutls_x509_crt_t certificate)
{
	time_t expires_s = gnutls_x509_crt_get_expiration_time(certificate);
	char text[32] = "?";
	struct tm parts;

	print_hosts(certificate);
	if (gmtime_r(&expires_s, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
	(void)printf("until %s UTC\n", text);
	return print_pin(certificate);
}

static int show(const char *path)
{
	AUTO(free_ptr) char *text = NULL;
	gnutls_x509_crt_t certificate = NULL;
	struct pep_error err = {0};
	gnutls_datum_t pem;
	size_t size = 0;
	int exit_code;

	if (file_read(path, FILE_LIMIT, &text, &size, &err) != PEP_OK)
		return command_complain(COMMAND_FAILED, "%s", err.message);
	pem = (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)size};
	if (gnutls_x509_crt_init(&certificate) != 0 || gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM) != 0)
		exit_code = command_complain(COMMAND_FAILED, "%s is not a certificate in PEM", path);
	else
		exit_code = print(certificate);
	gnutls_x509_crt_deinit(certificate);
	explicit_bzero(text, size); /* somebody may have named the key by mistake */
	return exit_code;
}

int command_tls(int count, char **arguments)
{
	if (command_asks_help(count, arguments))
		return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_DONE;
	if (count > 0 && strcmp(arguments[0], "init") == 0)
		return init(count - 1, arguments + 1);
	if (count == 2 && strcmp(arguments[0], "show") == 0)
		return show(arguments[1]);
	(void)fputs(help, stderr);
	return COMMAND_USAGE;
}
