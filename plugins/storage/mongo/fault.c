/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <string.h>

bool fault_is_password(const bson_error_t *error)
{
	return error->domain == MONGOC_ERROR_CLIENT && error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE;
}

bool fault_is_before_sending(const bson_error_t *error)
{
	if (error->domain == MONGOC_ERROR_SERVER_SELECTION || fault_is_password(error))
		return true;
	return error->domain == MONGOC_ERROR_STREAM &&
	       (error->code == MONGOC_ERROR_STREAM_NAME_RESOLUTION || error->code == MONGOC_ERROR_STREAM_CONNECT ||
		error->code == MONGOC_ERROR_STREAM_NOT_ESTABLISHED);
}

pep_status fault_of_write(const bson_error_t *error)
{
	if (error->domain == MONGOC_ERROR_SERVER && error->code == FAULT_DUPLICATE_KEY)
		return PEP_CONFLICT;
	if (error->domain == MONGOC_ERROR_BSON ||
	    (error->domain == MONGOC_ERROR_COMMAND && error->code == MONGOC_ERROR_COMMAND_INVALID_ARG))
		return PEP_INVALID;
	return fault_is_before_sending(error) ? PEP_UNAVAILABLE : PEP_UNKNOWN;
}

pep_status fault_of_start(const bson_error_t *error)
{
	if (fault_is_password(error))
		return PEP_INVALID;
	if (error->domain == MONGOC_ERROR_SERVER && (error->code == FAULT_UNAUTHORIZED || error->code == FAULT_DUPLICATE_KEY ||
						     error->code == FAULT_INDEX_OPTIONS || error->code == FAULT_INDEX_KEYS))
		return PEP_INVALID;
	return PEP_UNAVAILABLE;
}

static const char *advice(const bson_error_t *error)
{
	if (fault_is_password(error))
		return "; check the user in uri, authSource, and password";
	if (strstr(error->message, "TLS handshake failed") || strstr(error->message, "initialize TLS"))
		return "; check tls, tlsCAFile and tlsCertificateKeyFile in uri";
	if (error->domain == MONGOC_ERROR_SERVER_SELECTION)
		return "; is it running, and are host and port in uri right?";
	if (error->domain != MONGOC_ERROR_SERVER)
		return "";
	switch (error->code) {
	case FAULT_UNAUTHORIZED:
		return "; the user needs the role readWrite on this database";
	case FAULT_DUPLICATE_KEY:
		return "; correct the documents that share it";
	case FAULT_INDEX_OPTIONS:
	case FAULT_INDEX_KEYS:
		return "; drop that index, it is made anew at the next start";
	default:
		return "";
	}
}

pep_status fault_fail(struct pep_error *err, pep_status status, const bson_error_t *error, const char *doing, const char *what)
{
	if (!err)
		return status;
	(void)pep_fail(err, status, (int32_t)error->code, "cannot %s %s: %.300s%s", doing, what, error->message, advice(error));
	for (char *at = err->message; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == '\x7f')
			*at = ' ';
	}
	return status;
}
