/* SPDX-License-Identifier: Apache-2.0
 *
 * The webhook exporter: tells an HTTP server of each deployed identity, with a signature.
 */
#include "object.h"
#include "request.h"
#include "signature.h"

#include <pep/exporter.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BODY_SIZE 65536u

enum { OPT_URL, OPT_SECRET, OPT_CA, OPT_TIMEOUT, OPT_CONNECT_TIMEOUT };
static const struct pep_option options[] = {
	[OPT_URL] = {"url", NULL, "where to: https://HOST[:PORT]/PATH, or http:// in a network that you trust", 8, 2048,
		     PEP_STRING},
	[OPT_SECRET] = {"secret", NULL, "what messages are signed with: 24 bytes or more, or whsec_ and base64", 24, 2048,
			PEP_SECRET},
	[OPT_CA] = {"ca", "", "PEM file of the authorities that may have signed the server's certificate; empty: the system's", 0,
		    4000, PEP_PATH},
	[OPT_TIMEOUT] = {"timeout", "10s", "for one message, from connect to the end of the answer", 100, 30000, PEP_MILLISECONDS},
	[OPT_CONNECT_TIMEOUT] = {"connect_timeout", "3s", "to find and reach the server, TLS included", 100, 30000,
				 PEP_MILLISECONDS},
	{0},
};

struct exporter {
	struct signature_key key;
	struct request *request;
	char body[BODY_SIZE];
};

static void webhook_close(void *opaque)
{
	struct exporter *exporter = opaque;

	request_close(exporter->request);
	explicit_bzero(&exporter->key, sizeof(exporter->key));
	free(exporter);
}

static pep_status webhook_open(const struct pep_host *host, const union pep_value *values, void **ret_exporter,
			       struct pep_error *err)
{
	const struct request_settings settings = {
		.url = values[OPT_URL].text,
		.ca = values[OPT_CA].text,
		.timeout_ms = values[OPT_TIMEOUT].number,
		.connect_timeout_ms = values[OPT_CONNECT_TIMEOUT].number,
	};
	struct exporter *exporter = calloc(1, sizeof(*exporter));
	pep_status status;

	(void)host;
	if (!exporter)
		return pep_fail(err, PEP_NO_MEMORY, 0, "webhook: out of memory");
	status = signature_read_key(values[OPT_SECRET].text, &exporter->key, err);
	if (status == PEP_OK)
		status = request_open(&settings, &exporter->request, err);
	if (status != PEP_OK) {
		webhook_close(exporter);
		return status;
	}
	*ret_exporter = exporter;
	return PEP_OK;
}

static void put(struct json_object *out, const char *text)
{
	member_bytes(out, text, strlen(text));
}

/* RFC 3339, with milliseconds. */
static void put_time(struct json_object *out, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[40] = "", whole[64];
	struct tm parts;

	if (gmtime_r(&seconds, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(whole, sizeof(whole), "\"%s.%03dZ\"", text, (int)(ms % 1000));
	put(out, whole);
}

static size_t write_body(struct exporter *exporter, const struct pep_identity *id)
{
	struct json_object out = {.next = exporter->body, .end = exporter->body + sizeof(exporter->body)};
	struct json_object data;

	put(&out, "{\"type\":\"identity.deployed\",\"timestamp\":");
	put_time(&out, id->deployed_ms);
	put(&out, ",\"data\":");
	data = (struct json_object){.next = out.next, .end = out.end};
	object_write(&data, id);
	out.next = data.next;
	put(&out, "}");
	return out.full || data.full ? 0 : (size_t)(out.next - exporter->body);
}

static pep_status webhook_deliver(void *opaque, const struct pep_identity *id, int64_t *ret_wait_ms, struct pep_error *err)
{
	struct exporter *exporter = opaque;
	char timestamp[24], signature[SIGNATURE_SIZE];
	const struct request_headers headers = {.id = id->dispatch_id, .timestamp = timestamp, .signature = signature};
	size_t size = write_body(exporter, id);

	if (!size)
		return pep_fail(err, PEP_LIMIT, 0, "webhook: the object of serial %.64s is over %u bytes; look at its record",
				id->serial, BODY_SIZE);
	(void)snprintf(timestamp, sizeof(timestamp), "%" PRId64, (int64_t)time(NULL));
	signature_make(&exporter->key, id->dispatch_id, timestamp, exporter->body, size, signature);
	return request_send(exporter->request, &headers, exporter->body, size, ret_wait_ms, err);
}

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_SERIAL,
	.media_type = "application/json",
	.suffix = "json",
	.open = webhook_open,
	.close = webhook_close,
	.deliver = webhook_deliver,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = "webhook",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
