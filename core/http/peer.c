/* SPDX-License-Identifier: Apache-2.0
 *
 * peer.c - what TLS knows of who is at the other end. Only from the session's own, verified chain: a header can say anything.
 */
#include "core/http/exchange.h"

gnutls_session_t exchange_session(const struct exchange *exchange)
{
	const union MHD_ConnectionInfo *info;

	if (!exchange->serving->settings->tls)
		return NULL;
	info = MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info ? info->tls_session : NULL;
}

void exchange_identify(struct exchange *exchange)
{
	gnutls_session_t session = exchange->has_identified ? NULL : exchange_session(exchange);
	const struct tls_peer *peer = &exchange->certificate;

	/* Once: there is no renegotiation, so it is the same for all requests of the connection. */
	if (session)
		tls_identify(exchange->serving->settings->tls, session, exchange->connection.peer, &exchange->certificate);
	exchange->has_identified = true;
	exchange->request.certificate_sha256 = *peer->sha256 ? peer->sha256 : NULL;
	exchange->request.certificate_name = *peer->name ? peer->name : NULL;
}
