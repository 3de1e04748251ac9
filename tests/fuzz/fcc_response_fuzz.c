/* SPDX-License-Identifier: Apache-2.0
 *
 * What a gateway answers, as CBOR, and the signing request in it: all that comes out lies in the input, and is fit to be shown.
 */
#include "fuzz.h"

#include "plugins/injector/fcc/keypair.h"
#include "plugins/injector/fcc/response.h"

#include <stdlib.h>
#include <string.h>

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_inside(struct blob bytes, const uint8_t *data, size_t size)
{
	demand(!bytes.data ||
	       (bytes.data >= data && bytes.data <= data + size && bytes.size <= (size_t)(data + size - bytes.data)));
}

static void check_shown(struct blob bytes)
{
	char small[7], large[200];

	response_show(bytes, small, sizeof(small));
	response_show(bytes, large, sizeof(large));
	demand(strlen(small) < sizeof(small) && strlen(large) < sizeof(large));
	for (const char *byte = large; *byte; byte++)
		demand(*byte >= ' ' && *byte <= '~');
}

static void check_csr(struct blob csr)
{
	gnutls_pubkey_t key = NULL;
	struct pep_error err = {0};

	if (keypair_from_csr(csr, "gw-csr", &key, &err) == PEP_OK)
		gnutls_pubkey_deinit(key);
	else
		demand(err.message[0] && !key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct response response = {0};
	const char *fault = NULL;

	if (!response_read((struct blob){.data = data, .size = size}, &response, &fault)) {
		demand(fault != NULL);
		return 0;
	}
	check_inside(response.sid, data, size);
	check_inside(response.info, data, size);
	check_inside(response.warnings, data, size);
	check_inside(response.csr_key_name, data, size);
	check_inside(response.csr, data, size);
	check_shown(response.info);
	check_shown(response.warnings);
	demand((response.csr_count > 0) == (response.csr.data != NULL));
	if (response.csr.data)
		check_csr(response.csr);
	return 0;
}
