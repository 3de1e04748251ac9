/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin.c - the postgres storage plugin: records in one table of a PostgreSQL database, for any number of servers.
 */
#include "note.h"
#include "record.h"
#include "scan.h"
#include "schema.h"
#include "watch.h"

#include <errno.h>
#include <pep/storage.h>
#include <stdlib.h>
#include <string.h>

#define SERIAL_SIZE_MAX 64

struct store {
	struct connect_settings settings;
	struct pool *pool;
	struct watch watch;
};

enum {
	OPTION_HOST,
	OPTION_PORT,
	OPTION_DATABASE,
	OPTION_USER,
	OPTION_PASSWORD,
	OPTION_SCHEMA,
	OPTION_SSLMODE,
	OPTION_SSLROOTCERT,
	OPTION_SSLCERT,
	OPTION_SSLKEY,
	OPTION_CONNECTIONS,
	OPTION_CONNECT_TIMEOUT,
	OPTION_QUERY_TIMEOUT,
	OPTION_WAIT_TIMEOUT,
};
static const struct pep_option options[] = {
	[OPTION_HOST] = {"host", "/run/postgresql",
			 "names, addresses or socket folders of the servers, with commas; the first that takes writes is used", 1,
			 4000, PEP_STRING},
	[OPTION_PORT] = {"port", "5432", "one port for all of them, or one for each, with commas", 1, 200, PEP_STRING},
	[OPTION_DATABASE] = {"database", "pep", "name of the database; its encoding has to be UTF8", 1, 63, PEP_STRING},
	[OPTION_USER] = {"user", "pep", "who to be in the database", 1, 63, PEP_STRING},
	[OPTION_PASSWORD] = {"password", "", "the user's password; none where the server asks for none", 0, 1000, PEP_SECRET},
	[OPTION_SCHEMA] = {"schema", "pep", "schema of the table; made if it is not there", 1, 63, PEP_STRING},
	[OPTION_SSLMODE] = {"sslmode", "verify-full",
			    "verify-full, verify-ca, require or disable: what TLS has to prove; sockets of this computer need none",
			    1, 20, PEP_STRING},
	[OPTION_SSLROOTCERT] = {"sslrootcert", "", "file with the authority that signed the servers' certificates", 0, 4000,
				PEP_PATH},
	[OPTION_SSLCERT] = {"sslcert", "", "file with our certificate, where the server asks for one", 0, 4000, PEP_PATH},
	[OPTION_SSLKEY] = {"sslkey", "", "file with the key of our certificate, readable for us alone", 0, 4000, PEP_PATH},
	[OPTION_CONNECTIONS] = {"connections", "24", "connections that are open at the same time, at most", 1, 1000, PEP_INT},
	[OPTION_CONNECT_TIMEOUT] = {"connect_timeout", "3s", "for each host, until it is connected and logged in", 100, 60000,
				    PEP_MILLISECONDS},
	[OPTION_QUERY_TIMEOUT] = {"query_timeout", "3s", "for a statement in the server; we wait one second longer", 100, 600000,
				  PEP_MILLISECONDS},
	[OPTION_WAIT_TIMEOUT] = {"wait_timeout", "3s", "for a free connection when all are busy", 1, 60000, PEP_MILLISECONDS},
	{0},
};

static void postgres_close(void *opaque)
{
	struct store *store = opaque;

	pool_free(store->pool);
	watch_fini(&store->watch);
	free(store);
}

static void read_settings(const struct pep_host *host, const union pep_value *values, struct connect_settings *settings)
{
	settings->host = host;
	settings->hosts = values[OPTION_HOST].text;
	settings->ports = values[OPTION_PORT].text;
	settings->database = values[OPTION_DATABASE].text;
	settings->user = values[OPTION_USER].text;
	settings->password = values[OPTION_PASSWORD].text;
	settings->schema = values[OPTION_SCHEMA].text;
	settings->sslmode = values[OPTION_SSLMODE].text;
	settings->sslrootcert = values[OPTION_SSLROOTCERT].text;
	settings->sslcert = values[OPTION_SSLCERT].text;
	settings->sslkey = values[OPTION_SSLKEY].text;
	settings->connect_timeout_ms = values[OPTION_CONNECT_TIMEOUT].number;
	settings->query_timeout_ms = values[OPTION_QUERY_TIMEOUT].number;
}

/* `prefer` and `allow` go on without TLS if somebody on the way says so: then say `disable`. */
static pep_status check_sslmode(const char *mode, struct pep_error *err)
{
	static const char *const modes[] = {"verify-full", "verify-ca", "require", "disable"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(mode, modes[i]) == 0)
			return PEP_OK;
	return pep_fail(err, PEP_INVALID, 0, "storage.sslmode should be verify-full, verify-ca, require or disable");
}

static pep_status open_schema(struct store *store, struct pep_error *err)
{
	struct session *session;
	pep_status status = pool_take(store->pool, &session, err);

	if (status != PEP_OK)
		return status;
	status = schema_open(session_conn(session), store->settings.schema, err);
	pool_give(store->pool, session, status != PEP_OK);
	return status;
}

static pep_status postgres_open(const struct pep_host *host, const union pep_value *values, void **ret_store, struct pep_error *err)
{
	struct store *store = calloc(1, sizeof(*store));
	pep_status status;

	if (!store)
		return pep_fail(err, PEP_NO_MEMORY, ENOMEM, "cannot open a PostgreSQL store: out of memory");
	watch_init(&store->watch);
	read_settings(host, values, &store->settings);
	status = check_sslmode(values[OPTION_SSLMODE].text, err);
	if (status == PEP_OK)
		status = connect_check(&store->settings, err);
	if (status == PEP_OK)
		status = pool_new(&store->settings, (unsigned)values[OPTION_CONNECTIONS].number, values[OPTION_WAIT_TIMEOUT].number,
				  &store->pool, err);
	if (status == PEP_OK)
		status = open_schema(store, err);
	if (status != PEP_OK) {
		postgres_close(store);
		return status;
	}
	*ret_store = store;
	return PEP_OK;
}

static pep_status postgres_ping(void *opaque, struct pep_error *err)
{
	struct store *store = opaque;
	bool is_writable = false;
	pep_status status = watch_look(&store->watch, store->pool, &is_writable, err);

	if (status == PEP_OK && !is_writable)
		status = pep_fail(err, PEP_UNAVAILABLE, 0,
				  "this PostgreSQL server takes no writes: look at its standby and its settings");
	return status;
}

static pep_status write_record(struct store *store, unsigned number, const struct pep_identity *id, struct pep_error *err)
{
	struct pep_identity own = {0};
	struct record_row row;
	const struct session_call call = {number, row.values, row.sizes, row.formats};
	PGresult *result;
	pep_status status;
	size_t size;

	memcpy(&own, id, id->struct_size < sizeof(own) ? id->struct_size : sizeof(own));
	size = own.serial ? strnlen(own.serial, SERIAL_SIZE_MAX + 1) : 0;
	if (size < 1 || size > SERIAL_SIZE_MAX)
		return pep_fail(err, PEP_INVALID, 0, "cannot store a record: its serial has to have 1 to %d bytes",
				SERIAL_SIZE_MAX);
	record_bind(&own, &row);
	status = pool_run(store->pool, POOL_WRITE, &call, &result, err);
	if (status != PEP_OK)
		return status;
	if (strcmp(PQcmdTuples(result), "1") != 0)
		status = pep_fail(err, PEP_CONFLICT, 0, "the record was not %s: another one was first",
				  number == QUERY_INSERT ? "inserted" : "updated");
	PQclear(result);
	return status;
}

static pep_status postgres_insert(void *opaque, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(opaque, QUERY_INSERT, id, err);
}

static pep_status postgres_update(void *opaque, const struct pep_identity *id, struct pep_error *err)
{
	return write_record(opaque, QUERY_UPDATE, id, err);
}

static pep_status postgres_scan_open(void *opaque, const struct pep_scan_query *query, void **ret_scan, struct pep_error *err)
{
	struct store *store = opaque;
	struct scan *scan;
	pep_status status = scan_open(store->pool, query, &scan, err);

	if (status == PEP_OK)
		*ret_scan = scan;
	return status;
}

static pep_status postgres_scan_next(void *opaque, const struct pep_identity **ret_id, struct pep_error *err)
{
	return scan_next(opaque, ret_id, err);
}

static void postgres_scan_close(void *opaque)
{
	scan_close(opaque);
}

static pep_status postgres_now(void *opaque, int64_t *ret_ms, struct pep_error *err)
{
	struct store *store = opaque;

	return watch_now(&store->watch, store->pool, ret_ms, err);
}

static pep_status postgres_note_read(void *opaque, const char *name, char *text, int64_t *ret_revision, struct pep_error *err)
{
	struct store *store = opaque;

	return note_read(store->pool, name, text, ret_revision, err);
}

static pep_status postgres_note_write(void *opaque, const char *name, int64_t revision, const char *text, struct pep_error *err)
{
	struct store *store = opaque;

	return note_write(store->pool, name, revision, text, err);
}

static const struct pep_storage_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.flags = PEP_STORAGE_SHARED | PEP_STORAGE_DURABLE,
	.open = postgres_open,
	.close = postgres_close,
	.ping = postgres_ping,
	.insert = postgres_insert,
	.update = postgres_update,
	.scan_open = postgres_scan_open,
	.scan_next = postgres_scan_next,
	.scan_close = postgres_scan_close,
	.now = postgres_now,
	.note_read = postgres_note_read,
	.note_write = postgres_note_write,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_STORAGE,
	.option_size = sizeof(struct pep_option),
	.name = "postgres",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
