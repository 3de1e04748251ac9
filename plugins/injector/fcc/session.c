/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "bundle.h"
#include "keypair.h"
#include "rules.h"
#include "visit.h"

#include <gnutls/crypto.h>
#include <string.h>
#include <time.h>

#define SID_SIZE 37

struct session {
	const struct fcc *fcc;
	struct visit visit;
	char sid[SID_SIZE];
	char enrollment_id[ENROLLMENT_ID_SIZE];
	int64_t now_s; /* of the certificate and of the gateway's clock */
	/* Ours, given back by session_fini(). */
	gnutls_pubkey_t key;
	gnutls_datum_t private_key; /* DER; none if the gateway has made its own */
	gnutls_datum_t certificate; /* DER */
	uint8_t entropy[BUNDLE_ENTROPY_SIZE], root_of_trust[BUNDLE_ROOT_OF_TRUST_SIZE];
	struct message message;
};

static void session_fini(struct session *session)
{
	connection_close(&session->visit.connection);
	gnutls_pubkey_deinit(session->key);
	certificate_wipe(&session->private_key);
	certificate_wipe(&session->certificate);
	gnutls_memset(session->entropy, 0, sizeof(session->entropy));
	gnutls_memset(session->root_of_trust, 0, sizeof(session->root_of_trust));
	message_fini(&session->message);
}

/* A random UUID, version 4 (RFC 4122, 4.4). */
static bool make_sid(char ret_sid[SID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[16];
	char *next = ret_sid;

	if (gnutls_rnd(GNUTLS_RND_NONCE, bytes, sizeof(bytes)) != 0)
		return false;
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*next++ = '-';
		*next++ = digits[bytes[i] >> 4];
		*next++ = digits[bytes[i] & 15];
	}
	*next = '\0';
	return true;
}

static pep_status failed(struct session *session, const char *what)
{
	return visit_end(&session->visit, PEP_NOT_SENT, PEP_INTERNAL, "%s", what);
}

static bool make_seeds(struct session *session)
{
	const struct settings *settings = &session->fcc->settings;

	return make_sid(session->sid) &&
	       (!settings->entropy_by_tool || gnutls_rnd(GNUTLS_RND_KEY, session->entropy, sizeof(session->entropy)) == 0) &&
	       (!settings->root_of_trust_by_tool ||
		gnutls_rnd(GNUTLS_RND_KEY, session->root_of_trust, sizeof(session->root_of_trust)) == 0);
}

/* The gateway's first message has them. */
static void add_seeds(struct session *session, struct bundle *bundle)
{
	const struct settings *settings = &session->fcc->settings;

	if (settings->entropy_by_tool)
		bundle->entropy = (struct blob){.data = session->entropy, .size = sizeof(session->entropy)};
	if (settings->root_of_trust_by_tool)
		bundle->root_of_trust = (struct blob){.data = session->root_of_trust, .size = sizeof(session->root_of_trust)};
}

/* All that can be checked before the gateway is erased. */
static pep_status session_begin(struct session *session)
{
	struct visit *visit = &session->visit;
	struct pep_error why = {0};
	const char *fault = rules_serial_fault(visit->id->serial, session->fcc->settings.by_device);

	if (fault)
		return visit_end(visit, PEP_NOT_SENT, PEP_INVALID, "this serial number cannot be given to it: %s", fault);
	if (session->now_s < RULES_EARLIEST_S)
		return failed(session, "the server's clock stands before 2017; set it");
	if (authority_check(session->fcc->authority, session->now_s, &why) != PEP_OK)
		return failed(session, why.message);
	if (session->fcc->update_expires_s <= session->now_s)
		return failed(session, "update_certificate has expired, and every gateway would refuse it; give a new one");
	if (!make_seeds(session))
		return failed(session, "no random numbers can be made");
	return visit_check(visit);
}

/* The certificate for session->key, and the message with it. */
static pep_status make_identity(struct session *session, struct pep_error *why)
{
	const struct fcc *fcc = session->fcc;
	const struct settings *settings = &fcc->settings;
	const struct pep_identity *id = session->visit.id;
	struct blob chain[AUTHORITY_CHAIN_LIMIT];
	struct bundle bundle = {
		.settings = settings,
		.sid = session->sid,
		.serial = id->serial,
		.hardware_version = *settings->hardware_version ? settings->hardware_version
				    : id->hardware_version      ? id->hardware_version
								: "",
		.now_s = session->now_s,
		.server_ca = {.data = fcc->server_ca.data, .size = fcc->server_ca.size},
		.update_certificate = {.data = fcc->update_certificate.data, .size = fcc->update_certificate.size},
		.private_key = {.data = session->private_key.data, .size = session->private_key.size},
		.enrollment_id = session->enrollment_id,
		.chain = chain,
	};
	pep_status status = authority_issue(fcc->authority, id->serial, session->key, session->now_s, &session->certificate, why);

	if (status != PEP_OK)
		return status;
	if (!settings->by_device)
		add_seeds(session, &bundle);
	bundle.chain_count = authority_chain(
		fcc->authority, (struct blob){.data = session->certificate.data, .size = session->certificate.size}, chain);
	if (!certificate_enrollment_id(chain[0], session->enrollment_id))
		return pep_fail(why, PEP_INTERNAL, 0, "fcc: no enrollment identity can be made");
	message_fini(&session->message);
	return bundle_write_identity(&bundle, &session->message) ? PEP_OK
								 : pep_fail(why, PEP_INTERNAL, 0, "fcc: no memory for its message");
}

/* The certificate is on record: from its last byte on, the gateway may have it. */
static pep_status send_identity(struct session *session)
{
	struct visit *visit = &session->visit;
	const struct settings *settings = &session->fcc->settings;
	pep_status status;

	(void)snprintf(visit->ret->enrollment_id, sizeof(visit->ret->enrollment_id), "%s", session->enrollment_id);
	status = visit->witness->issued(visit->witness, session->enrollment_id, visit->err);

	if (status != PEP_OK)
		return visit_give_up(visit, status, "hung up before its certificate was sent, as the server no longer wants it");
	status = visit_check(visit);
	if (status == PEP_OK)
		status = visit_send(visit, &session->message, !settings->by_device, settings->send_timeout_ms);
	if (status == PEP_OK)
		visit->is_sent = true;
	return status;
}

static pep_status delivered(struct session *session, const struct response *response)
{
	const struct pep_host *host = session->fcc->host;
	struct pep_injection *ret = session->visit.ret;
	char warnings[384];

	if (!response->warnings.size)
		return visit_end(&session->visit, PEP_DELIVERED, PEP_OK, "has its certificate");
	response_show(response->warnings, warnings, sizeof(warnings));
	(void)visit_end(&session->visit, PEP_DELIVERED, PEP_OK, "has its certificate, and warns: %s", warnings);
	host->log(host, 4, ret->detail);
	return PEP_OK;
}

static pep_status finish_identity(struct session *session)
{
	struct frame_reader reader;
	struct response response;
	pep_status status = send_identity(session);

	if (status != PEP_OK)
		return status;
	message_fini(&session->message); /* the private key, if any, is not needed while we wait */
	status = visit_receive(&session->visit, session->fcc->settings.answer_timeout_ms, &reader, &response);
	if (status == PEP_OK)
		status = delivered(session, &response);
	frame_reader_fini(&reader);
	return status;
}

/* by_tool: all is ready before the connection, so that `issued` also says that the gateway was reached. */
static pep_status run_by_tool(struct session *session)
{
	struct pep_error why = {0};
	pep_status status;

	status = keypair_make(&session->key, &session->private_key, &why);
	if (status == PEP_OK)
		status = make_identity(session, &why);
	certificate_wipe(&session->private_key);
	if (status != PEP_OK)
		return failed(session, why.message);
	status = visit_connect(&session->visit, session->fcc->settings.connect_timeout_ms);
	return status == PEP_OK ? finish_identity(session) : status;
}

/* by_device, the first message: the gateway makes a key, and asks for a certificate for it. */
static pep_status request_csr(struct session *session)
{
	const struct settings *settings = &session->fcc->settings;
	struct visit *visit = &session->visit;
	struct bundle bundle = {.settings = settings, .sid = session->sid, .serial = visit->id->serial};
	pep_status status;

	add_seeds(session, &bundle);
	if (!bundle_write_request(&bundle, &session->message))
		return failed(session, "its first message cannot be made");
	status = visit_connect(visit, settings->connect_timeout_ms);
	if (status != PEP_OK)
		return status;
	status = visit->witness->contacted(visit->witness, visit->err);
	if (status != PEP_OK)
		return visit_give_up(visit, status, "hung up before anything was sent, as the server no longer wants it");
	status = visit_check(visit);
	return status == PEP_OK ? visit_send(visit, &session->message, true, settings->send_timeout_ms) : status;
}

static pep_status take_csr(struct session *session, const struct response *response)
{
	struct visit *visit = &session->visit;
	struct pep_error why = {0};

	if (response->csr_count != 1 || !response_is(response->csr_key_name, bundle_key_name(&session->fcc->settings)))
		return failed(session, "it sent no signing request, or not the one it was asked for; see its log");
	if (keypair_from_csr(response->csr, visit->id->serial, &session->key, &why) != PEP_OK)
		return failed(session, why.message);
	return PEP_OK;
}

static pep_status run_by_device(struct session *session)
{
	struct frame_reader reader;
	struct response response;
	struct pep_error why = {0};
	pep_status status = request_csr(session);

	if (status != PEP_OK)
		return status;
	status = visit_receive(&session->visit, session->fcc->settings.answer_timeout_ms, &reader, &response);
	if (status == PEP_OK)
		status = take_csr(session, &response);
	frame_reader_fini(&reader);
	if (status != PEP_OK)
		return status;
	return make_identity(session, &why) == PEP_OK ? finish_identity(session) : failed(session, why.message);
}

pep_status session_run(const struct fcc *fcc, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms,
		       struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err)
{
	struct session session = {.fcc = fcc,
				  .now_s = time(NULL),
				  .visit = {.target = target,
					    .id = id,
					    .witness = witness,
					    .ret = ret,
					    .err = err,
					    .connection = {.fd = -1},
					    .deadline_ms = connection_now_ms() + timeout_ms}};
	pep_status status;

	session.visit.sid = session.sid;
	ret->outcome = PEP_NOT_SENT;
	status = session_begin(&session);
	if (status == PEP_OK)
		status = fcc->settings.by_device ? run_by_device(&session) : run_by_tool(&session);
	session_fini(&session);
	return status;
}
