/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#define FIRST_MS 1798761600000 /* 2027-01-01 */
#define APART_MS 7200          /* one every 7.2 s: 500 an hour */

/* Bytes that look like a digest, and are another for each n (splitmix64; Steele et al., 2014). */
static uint64_t mix(uint64_t n)
{
	n += 0x9e3779b97f4a7c15u;
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
	n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
	return n ^ (n >> 31);
}

/* "A-", then 32 pairs of digits with colons between. */
static void write_enrollment_id(uint64_t n, char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	*text++ = 'A';
	*text++ = '-';
	for (unsigned i = 0; i < 32; i++) {
		unsigned byte = (unsigned)(mix(n * 4 + i / 8) >> (i % 8 * 8)) & 0xffu;

		*text++ = digits[byte >> 4];
		*text++ = digits[byte & 15];
		*text++ = i < 31 ? ':' : '\0';
	}
}

void sample_make(int64_t n, struct sample *ret_sample)
{
	static const char *const categories[] = {"production", "production", "production", "development",
						 "Gr\303\266\303\237e M, \"blue\""};
	int64_t deployed_ms = FIRST_MS + n * APART_MS;
	unsigned u = (unsigned)n;

	(void)snprintf(ret_sample->serial, sizeof(ret_sample->serial), "SAMPLE-%07lld", (long long)n);
	(void)snprintf(ret_sample->dispatch_id, sizeof(ret_sample->dispatch_id), "%08llx%016llx",
		       (unsigned long long)(deployed_ms / 1000), (unsigned long long)n);
	(void)snprintf(ret_sample->ethernet_mac, sizeof(ret_sample->ethernet_mac), "0,37,150,%u,%u,%u", u >> 16 & 255, u >> 8 & 255,
		       u & 255);
	(void)snprintf(ret_sample->device_id, sizeof(ret_sample->device_id), "%016llx", (unsigned long long)mix((uint64_t)n));
	write_enrollment_id((uint64_t)n, ret_sample->enrollment_id);
	ret_sample->id = (struct pep_identity){
		.struct_size = sizeof(ret_sample->id),
		.state = PEP_DEPLOYED,
		.created_ms = deployed_ms - 4000,
		.deployed_ms = deployed_ms,
		.attempt = 1,
		.generation = 1,
		.serial = ret_sample->serial,
		.dispatch_id = ret_sample->dispatch_id,
		.enrollment_id = ret_sample->enrollment_id,
		.hardware_version = "izuma-edge-gateway",
		.radio_config = "00",
		.led_config = "01",
		.category = categories[u % (sizeof(categories) / sizeof(categories[0]))],
		.api_address = "https://api.example",
		.gateway_services_address = "https://gateways.example",
		.ou = "0123456789abcdef0123456789abcdef",
		.device_id = ret_sample->device_id,
		.ethernet_mac = ret_sample->ethernet_mac,
		.sixb_mac = "0,37,150,255,254,0,0,1",
		.station = "station-7",
	};
}
