/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/certificate_end.h"

#include "core/base/cleanup.h"
#include "core/config/file.h"

#include <gnutls/x509.h>

#define FILE_LIMIT 262144

pep_status certificate_end(const char *path, int64_t *ret_ms, struct pep_error *err)
{
	AUTO(free_ptr) char *text = NULL;
	size_t size = 0;
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t pem = {0};
	pep_status status = file_read(path, FILE_LIMIT, &text, &size, err);
	time_t end = (time_t)-1;

	if (status != PEP_OK)
		return status;
	pem = (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)size};
	if (gnutls_x509_crt_init(&certificate) != 0)
		return pep_fail(err, PEP_NO_MEMORY, 0, "read the certificate %s: out of memory", path);
	if (gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM) == 0)
		end = gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	if (end == (time_t)-1)
		return pep_fail(err, PEP_INVALID, 0, "read the certificate %s: there is none in it; write it as PEM", path);
	*ret_ms = (int64_t)end * 1000;
	return PEP_OK;
}
