/* SPDX-License-Identifier: Apache-2.0 */
#include "connect.h"

#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define PART_SIZE 256
#define SERVER_VERSION_MIN 120000 /* generated columns, plan_cache_mode */

/* Part `number` of a list with commas; the last one if there are fewer. */
static void list_part(const char *list, unsigned number, char ret_part[PART_SIZE])
{
	const char *comma;

	while (number-- > 0 && (comma = strchr(list, ',')))
		list = comma + 1;
	(void)snprintf(ret_part, PART_SIZE, "%.*s", (int)strcspn(list, ","), list);
}

/* How many parts; 0: one of them is empty or too long. */
static unsigned list_count(const char *list)
{
	unsigned count = 0;

	for (;; list++) {
		size_t size = strcspn(list, ",");

		if (size == 0 || size >= PART_SIZE)
			return 0;
		count++;
		list += size;
		if (!*list)
			return count;
	}
}

pep_status connect_check(struct connect_settings *settings, struct pep_error *err)
{
	unsigned host_count = list_count(settings->hosts), port_count = list_count(settings->ports);

	if (host_count == 0 || host_count > CONNECT_HOSTS_MAX)
		return pep_fail(err, PEP_INVALID, 0,
				"storage.host should be 1 to %d names, addresses or socket folders with commas between them",
				CONNECT_HOSTS_MAX);
	if (port_count != 1 && port_count != host_count)
		return pep_fail(err, PEP_INVALID, 0, "storage.port should be one number, or as many as storage.host has names");
	settings->host_count = host_count;
	return PEP_OK;
}

/* libpq gives no code for a connection that failed, only a text. */
static const char *advice(const char *text)
{
	static const struct {
		const char *part, *advice;
	} table[] = {
		{"password", "correct storage.user and storage.password"},
		{"authentication", "correct storage.user, storage.password and the server's pg_hba.conf"},
		{"pg_hba.conf", "correct storage.user and sslmode, or allow it in the server's pg_hba.conf"},
		{"private key", "correct storage.sslkey: the key of sslcert, in a file that only the server's user may read"},
		{"root certificate", "give storage.sslrootcert, the file of the authority that signed the server's certificate"},
		{"certificate verify failed",
		 "correct storage.sslrootcert, or the server's certificate: has it expired, does it name the host?"},
		{"certificate", "correct storage.sslrootcert, host or the server's certificate"},
		{"SSL", "correct storage.sslmode and the certificates, or switch TLS on in the server"},
		{"translate host name", "correct storage.host"},
		{"role ", "make the user, or correct storage.user"},
		{"database ", "make the database, or correct storage.database"},
		{"read-only", "give the server that takes writes in storage.host, too"},
		{"standby", "give the server that takes writes in storage.host, too"},
		{"too many", "raise max_connections in the server, or lower storage.connections"},
		{"remaining connection slots", "raise max_connections in the server, or lower storage.connections"},
		{"starting up", "wait until it has started"},
		{"shutting down", "start it again"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strstr(text, table[i].part))
			return table[i].advice;
	return "start the server, or correct storage.host and storage.port";
}

static pep_status unreachable(const PGconn *conn, struct pep_error *err)
{
	char text[WIRE_TEXT_SIZE];

	wire_text(PQerrorMessage(conn), text);
	return pep_fail(err, PEP_UNAVAILABLE, 0, "cannot connect to PostgreSQL: %s: %s", text, advice(text));
}

static PGconn *start(const struct connect_settings *settings, unsigned number)
{
	char host[PART_SIZE], port[PART_SIZE], user_timeout[24];
	/* What the environment or a service file says about these must not matter. Keepalives find a dead server while we wait for an
	 * answer, tcp_user_timeout while we wait for what we sent to be taken. */
	const char *const keys[] = {"host",
				    "port",
				    "dbname",
				    "user",
				    "password",
				    "sslmode",
				    "sslrootcert",
				    "sslcert",
				    "sslkey",
				    "target_session_attrs",
				    "application_name",
				    "client_encoding",
				    "gssencmode",
				    "keepalives_idle",
				    "keepalives_interval",
				    "keepalives_count",
				    "tcp_user_timeout",
				    NULL};
	const char *const values[] = {host,
				      port,
				      settings->database,
				      settings->user,
				      settings->password,
				      settings->sslmode,
				      settings->sslrootcert,
				      settings->sslcert,
				      settings->sslkey,
				      "read-write",
				      "pep-server",
				      "UTF8",
				      "disable",
				      "10",
				      "5",
				      "3",
				      user_timeout,
				      NULL};

	list_part(settings->hosts, number, host);
	list_part(settings->ports, number, port);
	(void)snprintf(user_timeout, sizeof(user_timeout), "%lld", (long long)settings->query_timeout_ms + 1000);
	return PQconnectStartParams(keys, values, 0);
}

static pep_status poll_until_there(const struct connect_settings *settings, PGconn *conn, int64_t deadline_ms,
				   struct pep_error *err)
{
	PostgresPollingStatusType phase = PGRES_POLLING_WRITING;

	if (PQstatus(conn) == CONNECTION_BAD)
		return unreachable(conn, err);
	while (phase != PGRES_POLLING_OK) {
		if (!wire_wait(conn, phase == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms))
			return pep_fail(err, PEP_UNAVAILABLE, ETIMEDOUT,
					"cannot connect to PostgreSQL at \"%s\" port %s: no answer within %lld ms: "
					"look at the network and the server, or correct storage.host and storage.port",
					PQhost(conn), PQport(conn), (long long)settings->connect_timeout_ms);
		phase = PQconnectPoll(conn);
		if (phase == PGRES_POLLING_FAILED)
			return unreachable(conn, err);
	}
	return PEP_OK;
}

/* Plans: the one that was made without values, because planning costs more than reading a record; and always by an index, because
 * statistics may be older than the table. A commit is on the server's disk before it is confirmed; where its administrator asks for more
 * (remote_apply), that stays. */
static const char setup_sql[] =
	"SELECT current_setting('fsync'), current_setting('server_encoding'), "
	"set_config('search_path', quote_ident($1), false), set_config('statement_timeout', $2, false), "
	"set_config('idle_in_transaction_session_timeout', '60s', false), "
	"set_config('default_transaction_isolation', 'read committed', false), "
	"set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false), "
	"set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false), "
	"set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' "
	"ELSE 'on' END, false)";

static pep_status check_server(const PGresult *result, struct pep_error *err)
{
	if (strcmp(PQgetvalue(result, 0, 0), "on") != 0)
		return pep_fail(err, PEP_INVALID, 0,
				"cannot use this PostgreSQL: its setting fsync is off, so what it confirms may be lost: "
				"set fsync = on");
	if (strcmp(PQgetvalue(result, 0, 1), "UTF8") != 0)
		return pep_fail(err, PEP_INVALID, 0,
				"cannot use this PostgreSQL database: its encoding is not UTF8: make one with ENCODING 'UTF8'");
	return PEP_OK;
}

static pep_status set_up(const struct connect_settings *settings, PGconn *conn, int64_t deadline_ms, struct pep_error *err)
{
	char timeout[24];
	const char *const values[] = {settings->schema, timeout};
	PGresult *result = NULL;
	pep_status status;
	bool again;

	if (PQserverVersion(conn) < SERVER_VERSION_MIN)
		return pep_fail(err, PEP_INVALID, 0,
				"cannot use this PostgreSQL: it is version %d, and 12 is the oldest that will do",
				PQserverVersion(conn) / 10000);
	(void)snprintf(timeout, sizeof(timeout), "%lld", (long long)settings->query_timeout_ms);
	if (PQsetnonblocking(conn, 1) != 0 || !PQsendQueryParams(conn, setup_sql, 2, NULL, values, NULL, NULL, 0))
		return unreachable(conn, err);
	status = wire_finish(conn, deadline_ms, &result, &again, err);
	if (status == PEP_OK)
		status = check_server(result, err);
	PQclear(result);
	/* Nothing of ours was done, whatever became of it. */
	if (status != PEP_OK && status != PEP_INVALID)
		status = PEP_UNAVAILABLE;
	if (err)
		err->status = status;
	return status;
}

/* The server's warnings belong to the log; libpq would write them to stderr. */
static void take_notice(void *arg, const PGresult *result)
{
	const struct pep_host *host = arg;
	char text[WIRE_TEXT_SIZE], line[WIRE_TEXT_SIZE + 32];

	wire_text(PQresultErrorMessage(result), text);
	(void)snprintf(line, sizeof(line), "PostgreSQL says: %s", text);
	host->log(host, 6, line);
}

static pep_status open_one(const struct connect_settings *settings, unsigned number, PGconn **ret_conn, struct pep_error *err)
{
	int64_t deadline_ms = wire_now_ms() + settings->connect_timeout_ms;
	PGconn *conn = start(settings, number);
	pep_status status;

	if (!conn)
		return pep_fail(err, PEP_UNAVAILABLE, ENOMEM, "cannot connect to PostgreSQL: out of memory");
	(void)PQsetNoticeReceiver(conn, take_notice, (void *)settings->host);
	status = poll_until_there(settings, conn, deadline_ms, err);
	if (status == PEP_OK)
		status = set_up(settings, conn, deadline_ms, err);
	if (status == PEP_OK)
		*ret_conn = conn;
	else
		PQfinish(conn);
	return status;
}

pep_status connect_open(struct connect_settings *settings, PGconn **ret_conn, struct pep_error *err)
{
	unsigned first = atomic_load(&settings->host_number);
	pep_status status = PEP_UNAVAILABLE;

	for (unsigned i = 0; i < settings->host_count; i++) {
		unsigned number = (first + i) % settings->host_count;

		status = open_one(settings, number, ret_conn, err);
		if (status == PEP_OK) {
			atomic_store(&settings->host_number, number);
			return PEP_OK;
		}
	}
	return status;
}
