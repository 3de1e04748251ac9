/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "core/base/log.h"

#include <stdlib.h>
#include <string.h>

int support_set_up(void **state)
{
	static const struct config_network networks[4] = {
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0}, 96 + 9},
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 5}, 128},
		{{0xfd}, 8},
		{{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128},
	};
	struct support *support = calloc(1, sizeof(*support));

	if (!support)
		return -1;
	log_setup(-1, LOG_FORMAT_LOGFMT);
	memcpy(support->networks, networks, sizeof(networks));
	support->config = (struct config){.hardware_version = "izuma-edge-gateway",
					  .radio_config = "00",
					  .led_config = "01",
					  .category = "production",
					  .api_address = "https://api.example",
					  .gateway_services_address = "https://gateways.example",
					  .gateway_port = 7777,
					  .lowest_gateway_port = 1,
					  .highest_gateway_port = 65535,
					  .networks = support->networks,
					  .network_count = 4};
	support->api.config = &support->config;
	support_get(support);
	*state = support;
	return 0;
}

static void drop_reply(struct support *support)
{
	free(support->reply.free_body);
	support->reply = (struct http_reply){0};
}

int support_tear_down(void **state)
{
	struct support *support = *state;

	drop_reply(support);
	arena_fini(&support->arena);
	free(support);
	return 0;
}

void support_get(struct support *support)
{
	drop_reply(support);
	support->request = (struct http_request){.arena = &support->arena,
						 .method = HTTP_GET,
						 .target = "/v3/x",
						 .path = "/v3/x",
						 .prefixed = true,
						 .tail = "",
						 .query = support->pairs,
						 .peer = "10.0.0.9",
						 .id = "req-1",
						 .headers = support->headers};
}

void support_post(struct support *support, const char *body)
{
	support_get(support);
	support->request.method = HTTP_POST;
	support->request.body = body;
	support->request.body_size = strlen(body);
	support_header(support, "content-type", "application/json");
}

void support_pair(struct support *support, const char *name, const char *value)
{
	assert_true(support->request.query_count < SUPPORT_PAIRS);
	support->pairs[support->request.query_count++] = (struct http_pair){name, value};
}

void support_header(struct support *support, const char *name, const char *value)
{
	assert_true(support->request.header_count < 4);
	support->headers[support->request.header_count++] = (struct http_pair){name, value};
}

const char *support_reply_header(const struct support *support, const char *name)
{
	for (size_t i = 0; i < support->reply.header_count; i++)
		if (strcmp(support->reply.headers[i].name, name) == 0)
			return support->reply.headers[i].value;
	return NULL;
}

void support_assert_body(const struct support *support, const char *text)
{
	assert_int_equal(support->reply.body_size, strlen(text));
	assert_memory_equal(support->reply.body, text, strlen(text));
}

void support_assert_has(const struct support *support, const char *part)
{
	if (!memmem(support->reply.body, support->reply.body_size, part, strlen(part)))
		fail_msg("%s is not in %.*s", part, (int)support->reply.body_size, (const char *)support->reply.body);
}

void support_assert_problem(const struct support *support, unsigned status, const char *code, const char *field)
{
	const struct http_reply *reply = &support->reply;
	char part[600];

	assert_int_equal(reply->status, status);
	assert_string_equal(reply->content_type, "application/problem+json");
	assert_string_equal(reply->error_code, code);
	(void)snprintf(part, sizeof(part), "\"status\":%u,", status);
	support_assert_has(support, part);
	(void)snprintf(part, sizeof(part), "\"code\":\"%s\",\"request_id\":\"req-1\"", code);
	support_assert_has(support, part);
	(void)snprintf(part, sizeof(part), ",\"field\":\"%s\"}", field ? field : "");
	if (field)
		support_assert_has(support, part);
	else
		assert_null(memmem(reply->body, reply->body_size, ",\"field\":", 9));
}

const char *support_repeat(struct support *support, const char *piece, size_t count)
{
	size_t size = strlen(piece);
	char *text = arena_alloc(&support->arena, size * count + 1);

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * size, piece, size);
	text[size * count] = '\0';
	return text;
}
