/* SPDX-License-Identifier: Apache-2.0
 *
 * tls.h - the server's certificate and key, and the authority of client certificates: read, checked, and replaced while connections go on.
 *
 * TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) by GnuTLS, through the HTTP library. A client may show a certificate if there is an authority to
 * verify it against; whether it must is for those who let requests in.
 */
#ifndef CORE_HTTP_TLS_H
#define CORE_HTTP_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <pep/plugin.h>

struct tls;

/* Files; the texts are borrowed until tls_close(). */
struct tls_settings {
	const char *certificate; /* PEM: the server's, then those between it and its authority */
	const char *key;         /* PEM, not encrypted; nobody else may have rights to it (core/base/private_file.h) */
	const char *client_ca;   /* PEM: who signs client certificates; NULL: none are asked for */
	bool only_1_3;
};

/* The client certificate of a connection, verified in its handshake. */
struct tls_peer {
	char sha256[65]; /* of its DER bytes, in lower-case hex digits; "": there is none, or no good one */
	char name[65];   /* its common name; "": none, or not one of at most 64 printable bytes */
};

/* "sha256//", 44 characters of base64, NUL: how curl writes the hash of a public key. */
#define TLS_PIN_SIZE 53

/* Read and check everything. Errors name the file and say what to do. At most one at a time in a process: what GnuTLS asks for a
 * certificate is not told whose it is. [main thread] */
pep_status tls_open(const struct tls_settings *settings, struct tls **ret_tls, struct pep_error *err);
/* NULL is fine. After the last connection. [main thread] */
void tls_close(struct tls *tls);
/* Read the files again. If they are good, new connections use them; open ones go on as they began. If not, everything stays as it is.
 * [main thread] */
pep_status tls_reload(struct tls *tls, struct pep_error *err);

/* What GnuTLS is to be told of the protocol: a priority string. */
const char *tls_priorities(const struct tls *tls);
/* Its gnutls_certificate_retrieve_function2, which gives the certificate to a handshake. [any thread] */
int tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
	       const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_chain, unsigned *ret_count,
	       gnutls_privkey_t *ret_key);
/* Who is at the other end of a session whose handshake is done? Logs why a certificate of `address` is no good. [any thread] */
void tls_identify(struct tls *tls, gnutls_session_t session, const char *address, struct tls_peer *ret_peer);

/* For logs and pep-cli --pin: the hash of the server's public key. [main thread] */
void tls_pin(const struct tls *tls, char ret_pin[TLS_PIN_SIZE]);
/* When the server's certificate ends, in seconds since 1970. [any thread] */
int64_t tls_expires_s(const struct tls *tls);

/* tls_pin.c: the pin of any certificate. False: it has no key that can be written. [any thread] */
bool tls_pin_of(gnutls_x509_crt_t certificate, char ret_pin[TLS_PIN_SIZE]);

#endif
