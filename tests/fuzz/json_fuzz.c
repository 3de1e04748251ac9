/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON body of a request to provision. What is taken obeys the rule of each field; what is refused gets a problem that is JSON.
 */
#include "fuzz.h"

#include "core/api/body.h"
#include "core/api/fields.h"
#include "core/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static void check_text(const char *text, size_t limit, bool is_required)
{
	demand(text || !is_required);
	if (text)
		demand(*text && text_is_printable(text, strlen(text)) && count_characters(text) <= limit);
}

static void check_url(const char *text)
{
	demand(text && strlen(text) <= 256 && (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0));
	demand(text_is_printable(text, strlen(text)) && !strchr(text, ' ') && !strchr(text, '"'));
}

static void check_numbers(const char *text, int count)
{
	if (!text)
		return;
	for (; count > 0; count--) {
		char *end;
		long number = strtol(text, &end, 10);

		demand(*text >= '0' && *text <= '9' && number >= 0 && number <= 255);
		demand(end - text == 1 || *text != '0');
		demand(*end == (count > 1 ? ',' : '\0'));
		text = end + 1;
	}
}

static void check_serial(const char *serial, bool is_legacy)
{
	size_t size = strlen(serial);

	demand(size >= 1 && size <= 64 && text_is_printable(serial, size));
	if (!is_legacy)
		demand(serial[0] != ' ' && serial[size - 1] != ' ' && !strpbrk(serial, "\"\\*;&%<>|`$!{}[]@#^~"));
}

static void check_taken(const struct provision_request *request, bool is_legacy)
{
	const struct pep_identity *id = &request->fields;

	check_serial(id->serial, is_legacy);
	check_text(id->hardware_version, 128, true);
	check_text(id->radio_config, 128, true);
	check_text(id->led_config, 128, true);
	check_text(id->category, 128, true);
	check_text(id->verification_key, 256, false);
	check_text(id->ou, 128, false);
	check_text(id->device_id, 128, false);
	check_url(id->api_address);
	check_url(id->gateway_services_address);
	check_numbers(id->ethernet_mac, 6);
	check_numbers(id->sixb_mac, 8);
	demand(strlen(id->request_digest) == 64 && strspn(id->request_digest, "0123456789abcdef") == 64);
	demand(request->target.port >= 1 && strspn(request->target.ip, "0123456789abcdef.:") == strlen(request->target.ip));
	/* None of these is the caller's to set. */
	demand(!id->state && !id->revision && !id->created_ms && !id->enrollment_id && !id->dispatch_id && !id->nonce &&
	       !id->history);
}

static void check_refused(const struct http_reply *reply)
{
	json_t *problem = json_loadb(reply->body, reply->body_size, JSON_REJECT_DUPLICATES, NULL);

	demand(reply->status == 400 || reply->status == 403);
	demand(json_integer_value(json_object_get(problem, "status")) == (json_int_t)reply->status);
	demand(strcmp(json_string_value(json_object_get(problem, "code")), reply->error_code) == 0);
	json_decref(problem);
}

static void run(const struct config *config, const char *body, size_t size)
{
	static struct http_pair headers[] = {{"Content-Type", "application/json"}};
	const struct api_context api = {.config = config};
	struct arena arena = {0};
	struct http_request request = {.arena = &arena,
				       .method = HTTP_POST,
				       .body = body,
				       .body_size = size,
				       .peer = "10.0.0.9",
				       .id = "fuzz",
				       .headers = headers,
				       .header_count = 1};
	struct http_reply reply = {0};
	struct provision_request provision;
	struct http_pair *pairs = NULL;
	size_t count = 0;

	if (body_parse(&request, &pairs, &count, &reply) && fields_parse(&api, &request, pairs, count, &provision, &reply))
		check_taken(&provision, config->serials == CONFIG_SERIALS_LEGACY);
	else
		check_refused(&reply);
	free(reply.free_body);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* IPv4 anywhere, IPv6 in fd00::/8. */
	static struct config_network networks[] = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, {{0xfd}, 8}};
	struct config config = {.hardware_version = "hw",
				.radio_config = "00",
				.led_config = "01",
				.category = "production",
				.api_address = "https://api.example",
				.gateway_services_address = "https://gw.example",
				.gateway_port = 7777,
				.networks = networks,
				.network_count = 2};
	char *body = malloc(size + 1); /* as a request's body: with a NUL behind it */

	demand(body != NULL);
	if (size)
		memcpy(body, data, size);
	body[size] = '\0';
	run(&config, body, size);
	config.serials = CONFIG_SERIALS_LEGACY;
	run(&config, body, size);
	free(body);
	return 0;
}
