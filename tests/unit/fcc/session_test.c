/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin as a whole against played gateways, in both key modes: outcomes, moments, what a gateway gets, and what it must not.
 */
#include "factory.h"
#include "gateways.h"
#include "plugins/injector/fcc/certificate.h"
#include "plugins/injector/fcc/connection.h"
#include "plugins/injector/fcc/session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The port is found once for all tests. */
static uint16_t port;

struct attempt {
	pep_status refuse; /* what the witness says at the last moment */
	int64_t timeout_ms;
	int64_t cancel_ms;         /* cancelled from this moment on (connection_now_ms()); 0: never */
	const char *cancel_serial; /* cancelled once this gateway has its certificate */
	uint16_t port;
	const char *greeting; /* what who is connected to says at the first moment; "": hangs up; NULL: nothing */
	int listen_fd, greeter_fd;
	unsigned contacted, issued;
	char issued_id[128];
	pep_status status;
	struct pep_injection result;
	struct pep_error err;
};

static void greet(struct attempt *attempt)
{
	if (!attempt->greeting || attempt->contacted + attempt->issued > 1)
		return;
	attempt->greeter_fd = accept(attempt->listen_fd, NULL, NULL);
	assert_true(attempt->greeter_fd >= 0);
	if (*attempt->greeting)
		assert_true(send(attempt->greeter_fd, attempt->greeting, strlen(attempt->greeting), MSG_NOSIGNAL) > 0);
	else
		(void)close(attempt->greeter_fd);
}

static pep_status on_contacted(struct pep_witness *witness, struct pep_error *err)
{
	struct attempt *attempt = witness->ctx;

	(void)err;
	attempt->contacted++;
	greet(attempt);
	return PEP_OK;
}

static pep_status on_issued(struct pep_witness *witness, const char *enrollment_id, struct pep_error *err)
{
	struct attempt *attempt = witness->ctx;

	attempt->issued++;
	greet(attempt);
	(void)snprintf(attempt->issued_id, sizeof(attempt->issued_id), "%s", enrollment_id);
	return attempt->refuse ? pep_fail(err, attempt->refuse, 0, "no") : PEP_OK;
}

static bool on_cancelled(struct pep_witness *witness)
{
	const struct attempt *attempt = witness->ctx;
	struct gateway gateway;

	if (attempt->cancel_serial) {
		gateways_look(attempt->cancel_serial, &gateway);
		return gateway.certificate_size;
	}
	return attempt->cancel_ms && connection_now_ms() >= attempt->cancel_ms;
}

static char last_log[600];
static void keep_log(const struct pep_host *host, int32_t syslog_level, const char *line)
{
	(void)host;
	(void)syslog_level;
	(void)snprintf(last_log, sizeof(last_log), "%s", line);
}

static const struct pep_host host = {.struct_size = sizeof(host), .log = keep_log};

static void open_fcc(struct fcc *fcc, const union pep_value *values)
{
	struct pep_error err = {0};
	int64_t expires_s;

	*fcc = (struct fcc){.host = &host, .update_expires_s = INT64_MAX};
	if (settings_read(values, &fcc->settings, &err) != PEP_OK ||
	    certificate_load("bootstrap_ca", fcc->settings.server_ca, &fcc->server_ca, &expires_s, &err) != PEP_OK ||
	    certificate_load("update_certificate", fcc->settings.update_certificate, &fcc->update_certificate, &expires_s, &err) !=
		    PEP_OK ||
	    authority_open(&fcc->settings, &fcc->authority, &err) != PEP_OK)
		fail_msg("%s", err.message);
}

static void close_fcc(struct fcc *fcc)
{
	authority_close(fcc->authority);
	certificate_wipe(&fcc->server_ca);
	certificate_wipe(&fcc->update_certificate);
	settings_free(&fcc->settings);
}

static void inject(const struct fcc *fcc, const char *serial, struct attempt *attempt)
{
	struct pep_target target = {.struct_size = sizeof(target), .ip = "127.0.0.1", .port = attempt->port ? attempt->port : port};
	struct pep_identity id = {.struct_size = sizeof(id), .serial = serial, .hardware_version = "hw-7", .attempt = 1};
	struct pep_witness witness = {.struct_size = sizeof(witness),
				      .ctx = attempt,
				      .contacted = on_contacted,
				      .issued = on_issued,
				      .cancelled = on_cancelled};

	attempt->status = session_run(fcc, &target, &id, attempt->timeout_ms ? attempt->timeout_ms : 30000, &witness,
				      &attempt->result, &attempt->err);
}

struct expectation {
	const char *serial;
	uint32_t outcome;
	pep_status status;
	bool issued;       /* before it ended */
	bool holds;        /* the gateway has the certificate */
	const char *words; /* in the sentence for the operator */
};

static void check_expectations(const struct expectation *expected, size_t count, const char *key_mode)
{
	union pep_value values[OPT_COUNT];
	struct fcc fcc;

	factory_options(values);
	values[OPT_KEY_MODE].text = key_mode;
	open_fcc(&fcc, values);
	for (size_t i = 0; i < count; i++, expected++) {
		struct attempt attempt = {0};
		struct gateway gateway;
		char serial[64];

		(void)snprintf(serial, sizeof(serial), "%s-%s", expected->serial, key_mode);
		fcc.settings.answer_timeout_ms = expected->status == PEP_TIMEOUT ? 300 : 30000;
		inject(&fcc, serial, &attempt);
		gateways_look(serial, &gateway);
		if (attempt.status != expected->status || attempt.result.outcome != expected->outcome ||
		    (attempt.issued == 1) != expected->issued || (gateway.certificate_size > 0) != expected->holds ||
		    !strstr(attempt.result.detail, expected->words) || strpbrk(attempt.result.detail, "\n\r\033"))
			fail_msg("%s: status %d, outcome %u, issued %u, holds %zu, %s", serial, attempt.status,
				 attempt.result.outcome, attempt.issued, gateway.certificate_size, attempt.result.detail);
		if (attempt.status != PEP_OK)
			assert_string_equal(attempt.err.message, attempt.result.detail);
		assert_in_range(gateway.connections, 1, 1);
	}
	close_fcc(&fcc);
}

static void outcomes_by_tool(void **state)
{
	static const struct expectation expected[] = {
		{"GW", PEP_DELIVERED, PEP_OK, true, true, "has its certificate"},
		{"WARN", PEP_DELIVERED, PEP_OK, true, true, "Item not set:mbed.Timezone; Item not set:mbed.UTCOffset"},
		{"REFUSE", PEP_REFUSED, PEP_CONFLICT, true, false, "status 14 (the name in the certificate is not the endpoint"},
		{"EARLY", PEP_REFUSED, PEP_CONFLICT, true, false, "status 4"},
		{"NINE", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "communication status 9"},
		{"DROP", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "the gateway closed it"},
		{"JUNK", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "does not begin with mbedprov"},
		{"HASH", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "checksum"},
		{"SID", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "another session"},
		{"SECRET", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "wrong type"},
		{"MUTE", PEP_DOUBTFUL, PEP_TIMEOUT, true, true, "no whole answer within the time limit"},
	};

	(void)state;
	check_expectations(expected, sizeof(expected) / sizeof(expected[0]), "by_tool");
}

static void outcomes_by_device(void **state)
{
	static const struct expectation expected[] = {
		{"GW", PEP_DELIVERED, PEP_OK, true, true, "has its certificate"},
		{"WARN", PEP_DELIVERED, PEP_OK, true, true, "Item not set:mbed.Timezone; Item not set:mbed.UTCOffset"},
		{"REFUSE", PEP_REFUSED, PEP_CONFLICT, true, false, "status 14 (the name in the certificate is not the endpoint"},
		{"EARLY", PEP_REFUSED, PEP_CONFLICT, false, false, "it says \"General error:?[31m\""},
		{"NINE", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "communication status 9"},
		{"DROP", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "the gateway closed it"},
		{"FIRST-DROP", PEP_NOT_SENT, PEP_UNAVAILABLE, false, false, "it has no certificate"},
		{"FIRST-JUNK", PEP_NOT_SENT, PEP_INTERNAL, false, false, "does not begin with mbedprov"},
		{"JUNK", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "does not begin with mbedprov"},
		{"HASH", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "checksum"},
		{"SID", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "another session"},
		{"MUTE", PEP_DOUBTFUL, PEP_TIMEOUT, true, true, "no whole answer within the time limit"},
		{"SLOW", PEP_NOT_SENT, PEP_TIMEOUT, false, false, "it has no certificate"},
		{"OTHER-NAME", PEP_NOT_SENT, PEP_INTERNAL, false, false, "its name is not the serial number"},
		{"P384", PEP_NOT_SENT, PEP_INTERNAL, false, false, "its key is not one of P-256"},
		{"FORGED", PEP_NOT_SENT, PEP_INTERNAL, false, false, "not signed by the key in it"},
		{"TWICE", PEP_NOT_SENT, PEP_INTERNAL, true, false, "not asked for"},
		{"AGAIN", PEP_DOUBTFUL, PEP_UNKNOWN, true, true, "the answer to an earlier message"},
		{"NO-CSR", PEP_NOT_SENT, PEP_INTERNAL, false, false, "no signing request"},
	};

	(void)state;
	check_expectations(expected, sizeof(expected) / sizeof(expected[0]), "by_device");
}

/* A port of 127.0.0.1 on which nobody listens: bound and never listened on. */
static void nobody_listens(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union pep_value values[OPT_COUNT];
	struct fcc fcc;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	factory_options(values);
	for (int i = 0; i < 2; i++) {
		struct attempt attempt = {.port = ntohs(address.sin_port)};

		values[OPT_KEY_MODE].text = i ? "by_tool" : "by_device";
		open_fcc(&fcc, values);
		inject(&fcc, "GW-ALONE", &attempt);
		close_fcc(&fcc);
		assert_int_equal(attempt.status, PEP_UNAVAILABLE);
		assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
		assert_int_equal(attempt.contacted + attempt.issued, 0);
		assert_string_equal(attempt.result.enrollment_id, "");
		assert_non_null(strstr(attempt.result.detail, "takes a new port at each start"));
	}
	(void)close(fd);
}

/* A listener whose queue is full takes no connection. */
static void limits_of_connect(void **state)
{
	struct busy_port busy;
	union pep_value values[OPT_COUNT];
	struct attempt attempt = {0};
	struct fcc fcc;
	int64_t start_ms;

	(void)state;
	busy_port_init(&busy);
	factory_options(values);
	values[OPT_CONNECT_TIMEOUT].number = 200;
	open_fcc(&fcc, values);
	attempt.port = busy.port;
	start_ms = connection_now_ms();
	inject(&fcc, "GW-QUEUE", &attempt);
	assert_in_range(connection_now_ms() - start_ms, 190, 5000);
	assert_int_equal(attempt.status, PEP_TIMEOUT);
	assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
	assert_int_equal(attempt.contacted, 0);
	/* A stop does not wait for that. */
	fcc.settings.connect_timeout_ms = 20000;
	attempt = (struct attempt){.port = busy.port, .cancel_ms = connection_now_ms() + 50};
	inject(&fcc, "GW-QUEUE", &attempt);
	close_fcc(&fcc);
	assert_in_range(connection_now_ms() - attempt.cancel_ms, 0, 5000);
	assert_int_equal(attempt.status, PEP_CANCELLED);
	assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
	busy_port_fini(&busy);
}

/* Who greets is no gateway, and who hangs up gets nothing: above all no private key. */
static void other_services(void **state)
{
	static const struct {
		const char *key_mode, *greeting, *words;
		pep_status status;
	} cases[] = {
		{"by_tool", "SSH-2.0-OpenSSH\r\n", "not asked for", PEP_INTERNAL},
		{"by_device", "SSH-2.0-OpenSSH\r\n", "not asked for", PEP_INTERNAL},
		{"by_tool", "", "the gateway closed it", PEP_UNAVAILABLE},
		{"by_device", "", "the gateway closed it", PEP_UNAVAILABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union pep_value values[OPT_COUNT];
		struct attempt attempt = {.greeting = cases[i].greeting};
		struct fcc fcc;
		uint8_t byte;

		attempt.port = gateways_listen(1, &attempt.listen_fd);
		factory_options(values);
		values[OPT_KEY_MODE].text = cases[i].key_mode;
		open_fcc(&fcc, values);
		inject(&fcc, "GW-GREET", &attempt);
		close_fcc(&fcc);
		assert_int_equal(attempt.status, cases[i].status);
		assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
		if (!strstr(attempt.result.detail, cases[i].words))
			fail_msg("%s", attempt.result.detail);
		if (*cases[i].greeting) {
			assert_true(recv(attempt.greeter_fd, &byte, 1, MSG_DONTWAIT) <= 0);
			(void)close(attempt.greeter_fd);
		}
		(void)close(attempt.listen_fd);
	}
}

/* What expires while the server runs is found out before a gateway is erased. */
static void expired_update_certificate(void **state)
{
	unsigned before = gateways_connections();
	union pep_value values[OPT_COUNT];
	struct attempt attempt = {0};
	struct fcc fcc;

	(void)state;
	factory_options(values);
	open_fcc(&fcc, values);
	fcc.update_expires_s = 1;
	inject(&fcc, "GW-EXPIRED", &attempt);
	close_fcc(&fcc);
	assert_int_equal(attempt.status, PEP_INTERNAL);
	assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
	assert_non_null(strstr(attempt.result.detail, "update_certificate has expired"));
	assert_int_equal(gateways_connections(), before);
}

/* Seeds and parameters of every kind reach the gateway, in the first message and the last one. */
static void all_settings_arrive(void **state)
{
	union pep_value values[OPT_COUNT];
	struct attempt attempt = {0};
	struct gateway gateway;
	struct fcc fcc;

	(void)state;
	factory_options(values);
	values[OPT_KEY_MODE].text = "by_tool";
	values[OPT_ENTROPY].text = values[OPT_ROOT_OF_TRUST].text = "by_tool";
	values[OPT_PARAMETERS].text = "site=Oulu 1; line:int=-7;;blob:hex=00fF ; empty=;";
	values[OPT_ENROLLMENT_ID_PARAMETER].flag = true;
	open_fcc(&fcc, values);
	inject(&fcc, "GW-ALL", &attempt);
	close_fcc(&fcc);
	gateways_look("GW-ALL", &gateway);
	assert_int_equal(attempt.status, PEP_OK);
	assert_int_equal(gateway.messages, 1);
	assert_non_null(memmem(gateway.last, gateway.last_size, "Entropy\x58\x30", 9));
	assert_non_null(memmem(gateway.last, gateway.last_size, "ROT\x50", 4));
	assert_non_null(memmem(gateway.last, gateway.last_size,
			       "\x64site\x64"
			       "Data\x66Oulu 1",
			       17));
	assert_non_null(memmem(gateway.last, gateway.last_size,
			       "\x64line\x64"
			       "Data\x26",
			       11));
	assert_non_null(memmem(gateway.last, gateway.last_size,
			       "\x64"
			       "blob\x64"
			       "Data\x42\x00\xff",
			       13));
	assert_non_null(memmem(gateway.last, gateway.last_size,
			       "\x65"
			       "empty\x64"
			       "Data\x60",
			       12));
	assert_non_null(memmem(gateway.last, gateway.last_size, attempt.issued_id, strlen(attempt.issued_id)));
}

/* With the certificate sent, to leave would only make a doubt: the answer is waited for, whoever stops. */
static void stop_waits_for_the_last_answer(void **state)
{
	static const char *const modes[] = {"by_device", "by_tool"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		union pep_value values[OPT_COUNT];
		char serial[64];
		struct attempt attempt = {.cancel_serial = serial};
		struct fcc fcc;

		factory_options(values);
		values[OPT_KEY_MODE].text = modes[i];
		open_fcc(&fcc, values);
		(void)snprintf(serial, sizeof(serial), "MUTE-STOP-%s", modes[i]);
		attempt.timeout_ms = 2500;
		inject(&fcc, serial, &attempt);
		close_fcc(&fcc);
		assert_int_equal(attempt.status, PEP_TIMEOUT);
		assert_int_equal(attempt.result.outcome, PEP_DOUBTFUL);
	}
}

/* Refused between the messages of a session: the second one is not begun. */
static void witness_stops_between_messages(void **state)
{
	union pep_value values[OPT_COUNT];
	struct attempt attempt = {.refuse = PEP_CONFLICT};
	struct gateway gateway;
	struct fcc fcc;

	(void)state;
	factory_options(values);
	open_fcc(&fcc, values);
	inject(&fcc, "GW-STOP", &attempt);
	close_fcc(&fcc);
	gateways_look("GW-STOP", &gateway);
	assert_int_equal(attempt.status, PEP_CONFLICT);
	assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
	assert_int_equal(gateway.messages, 1);
	assert_int_equal(gateway.certificate_size, 0);
}

static void serials_are_checked_first(void **state)
{
	static const char *const bad[] = {"", "a&b", "back\\slash",
					  "0123456789012345678901234567890123456789012345678901234567890123456"};
	unsigned before = gateways_connections();
	union pep_value values[OPT_COUNT];
	struct fcc fcc;

	(void)state;
	factory_options(values);
	open_fcc(&fcc, values);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct attempt attempt = {0};

		inject(&fcc, bad[i], &attempt);
		assert_int_equal(attempt.status, PEP_INVALID);
		assert_int_equal(attempt.result.outcome, PEP_NOT_SENT);
	}
	close_fcc(&fcc);
	assert_int_equal(gateways_connections(), before);
}

static gnutls_x509_crt_t certificate_of(const struct gateway *gateway)
{
	const gnutls_datum_t der = {.data = (uint8_t *)gateway->certificate, .size = (unsigned)gateway->certificate_size};
	gnutls_x509_crt_t certificate;

	assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
	assert_int_equal(gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER), 0);
	return certificate;
}

/* What the record says is the fingerprint of what the gateway holds, for serials of every kind. */
static void identity_is_that_of_the_certificate(void **state)
{
	static const char *const serials[] = {"GW 1'(),:=?/+-.", "-GW", "SN=1,2,3",
					      "0123456789012345678901234567890123456789012345678901234567890123"};
	union pep_value values[OPT_COUNT];

	(void)state;
	factory_options(values);
	for (size_t i = 0; i < 2 * sizeof(serials) / sizeof(serials[0]); i++) {
		const char *serial = serials[i / 2];
		struct attempt attempt = {0};
		char id[ENROLLMENT_ID_SIZE], name[80];
		size_t name_size = sizeof(name);
		struct gateway gateway;
		gnutls_x509_crt_t certificate;
		struct fcc fcc;

		values[OPT_KEY_MODE].text = i % 2 ? "by_tool" : "by_device";
		open_fcc(&fcc, values);
		inject(&fcc, serial, &attempt);
		close_fcc(&fcc);
		if (attempt.status != PEP_OK)
			fail_msg("%s", attempt.err.message);
		gateways_look(serial, &gateway);
		assert_true(certificate_enrollment_id((struct blob){.data = gateway.certificate, .size = gateway.certificate_size},
						      id));
		assert_string_equal(id, attempt.issued_id);
		assert_string_equal(id, attempt.result.enrollment_id);
		certificate = certificate_of(&gateway);
		assert_int_equal(gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 1, name, &name_size),
				 0);
		assert_int_equal(name_size, strlen(serial) + 2); /* DER: type and size in front */
		assert_memory_equal(name + 2, serial, name_size - 2);
		gnutls_x509_crt_deinit(certificate);
	}
}

static int begin(void **state)
{
	(void)state;
	(void)factory_init();
	port = gateways_init();
	return 0;
}

static int end(void **state)
{
	(void)state;
	gateways_fini();
	factory_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes_by_tool),
		cmocka_unit_test(outcomes_by_device),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(limits_of_connect),
		cmocka_unit_test(other_services),
		cmocka_unit_test(expired_update_certificate),
		cmocka_unit_test(all_settings_arrive),
		cmocka_unit_test(stop_waits_for_the_last_answer),
		cmocka_unit_test(witness_stops_between_messages),
		cmocka_unit_test(serials_are_checked_first),
		cmocka_unit_test(identity_is_that_of_the_certificate),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
