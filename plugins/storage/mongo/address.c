/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SELECTION_MS 3000
#define SOCKET_MARGIN_MS 2000 /* the server's own limit comes first: it knows what it has done */
#define NAME_SIZE 320

static pep_status bad(struct pep_error *err, const char *why)
{
	return pep_fail(err, PEP_INVALID, 0, "uri: %s; write mongodb://USER@HOST:PORT/DATABASE", why);
}

/* Before the driver sees it, whose messages may quote it. */
static bool has_password(const char *uri)
{
	const char *start = strstr(uri, "://");
	const char *end = start ? start + 3 + strcspn(start + 3, "/?") : NULL;

	for (const char *at = end; at && at > start + 3; at--) {
		if (*at == '@')
			return memchr(start + 3, ':', (size_t)(at - start - 3));
	}
	return false;
}

static char *make_name(const mongoc_uri_t *uri)
{
	char *name = calloc(1, NAME_SIZE);
	size_t size = 0;

	if (!name)
		return NULL;
	for (const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri); host && size < NAME_SIZE / 2; host = host->next)
		size += (size_t)snprintf(name + size, NAME_SIZE - size, "%s%.100s", size ? "," : "", host->host_and_port);
	(void)snprintf(name + size, NAME_SIZE - size, "/%.63s", mongoc_uri_get_database(uri));
	return name;
}

static bool set_default_number(mongoc_uri_t *uri, const char *option, int64_t number)
{
	return mongoc_uri_has_option(uri, option) || mongoc_uri_set_option_as_int32(uri, option, (int32_t)number);
}

static bool set_options(mongoc_uri_t *uri, const struct address_setup *setup)
{
	mongoc_write_concern_t *write = mongoc_write_concern_new();
	mongoc_read_concern_t *read = mongoc_read_concern_new();
	mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
	bool good;

	mongoc_write_concern_set_wmajority(write, (int32_t)setup->timeout_ms);
	mongoc_write_concern_set_journal(write, true);
	mongoc_uri_set_write_concern(uri, write);
	good = mongoc_read_concern_set_level(read, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
	mongoc_uri_set_read_concern(uri, read);
	mongoc_uri_set_read_prefs_t(uri, primary);
	good = good && mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true) &&
	       mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, true) &&
	       mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, (int32_t)setup->connections) &&
	       mongoc_uri_set_option_as_int32(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, (int32_t)setup->timeout_ms) &&
	       mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, (int32_t)setup->timeout_ms + SOCKET_MARGIN_MS) &&
	       set_default_number(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, SELECTION_MS) &&
	       set_default_number(uri, MONGOC_URI_CONNECTTIMEOUTMS, SELECTION_MS);
	mongoc_read_prefs_destroy(primary);
	mongoc_read_concern_destroy(read);
	mongoc_write_concern_destroy(write);
	return good;
}

/* The driver crashes when it needs a password and has none. */
static bool needs_password(const mongoc_uri_t *uri)
{
	const char *mechanism = mongoc_uri_get_auth_mechanism(uri);

	return mongoc_uri_get_username(uri) &&
	       (!mechanism || strncmp(mechanism, "SCRAM", 5) == 0 || strcmp(mechanism, "PLAIN") == 0);
}

/* The driver would say it again and again, and not here. */
static pep_status check_file(const mongoc_uri_t *uri, const char *option, const char *name, struct pep_error *err)
{
	const char *path = mongoc_uri_get_option_as_utf8(uri, option, NULL);

	if (!path || access(path, R_OK) == 0)
		return PEP_OK;
	return pep_fail(err, PEP_INVALID, errno, "uri: its %s %.200s cannot be read: %s; correct it, or the file's rights", name,
			path, strerror(errno));
}

static pep_status check(const mongoc_uri_t *uri, const char *password, struct pep_error *err)
{
	const char *database = mongoc_uri_get_database(uri);
	pep_status status;

	if (!database || !*database)
		return bad(err, "there is no database in it");
	if (mongoc_uri_has_option(uri, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD))
		return pep_fail(err, PEP_INVALID, 0,
				"uri: there is the password of a key in it, and uri is shown; use a key without one, in a file "
				"that only the server's user can read");
	if (password && *password && !mongoc_uri_get_username(uri))
		return bad(err, "there is a password, but no user in it");
	if ((!password || !*password) && needs_password(uri))
		return pep_fail(err, PEP_INVALID, 0,
				"uri: there is a user in it, but no password; put it into a file, and write password: file:PATH");
	status = check_file(uri, MONGOC_URI_TLSCAFILE, "tlsCAFile", err);
	return status == PEP_OK ? check_file(uri, MONGOC_URI_TLSCERTIFICATEKEYFILE, "tlsCertificateKeyFile", err) : status;
}

pep_status address_init(struct address *address, const struct address_setup *setup, struct pep_error *err)
{
	bson_error_t error = {0};
	pep_status status;

	if (has_password(setup->uri))
		return pep_fail(err, PEP_INVALID, 0,
				"uri: there is a password in it; put it into a file, and write password: file:PATH");
	*address = (struct address){.uri = mongoc_uri_new_with_error(setup->uri, &error)};
	if (!address->uri)
		/* It may quote a part of a password. */
		return bad(err, strchr(error.message, '@') ? "the driver cannot read it" : error.message);
	status = check(address->uri, setup->password, err);
	if (status == PEP_OK && setup->password && *setup->password && !mongoc_uri_set_password(address->uri, setup->password))
		status = pep_fail(err, PEP_INVALID, 0, "password: it is no UTF-8 text");
	if (status == PEP_OK && !set_options(address->uri, setup))
		status = bad(err, "the driver refuses one of its options");
	if (status == PEP_OK) {
		address->database = strdup(mongoc_uri_get_database(address->uri));
		address->name = make_name(address->uri);
		if (!address->database || !address->name)
			status = pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot read uri: out of memory");
	}
	if (status != PEP_OK)
		address_fini(address);
	return status;
}

void address_fini(struct address *address)
{
	if (address->uri)
		mongoc_uri_destroy(address->uri);
	free(address->database);
	free(address->name);
	*address = (struct address){0};
}
