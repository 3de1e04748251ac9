/* SPDX-License-Identifier: Apache-2.0 */
#include "fcc-sim/print.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>

#define OUTPUT_LIMIT (4u << 20)
#define SHOWN_MAX_SIZE 128u

static void write_out(const struct buffer *out)
{
	if (out->size > 0 && !out->failed) {
		(void)fwrite(out->data, 1, out->size, stdout);
		(void)fflush(stdout);
	}
}

void print_listening(const struct options *options, const char *serial, const struct device *device)
{
	AUTO(buffer_fini) struct buffer out;

	buffer_init(&out, OUTPUT_LIMIT);
	if (options->json) {
		buffer_format(&out, "{\"event\":\"listening\",\"serial\":\"%s\",\"ip\":\"%s\",\"port\":%u}\n", serial, device->ip,
			      device->port);
	} else {
		if (options->count > 1)
			buffer_format(&out, "%s ", serial);
		buffer_format(&out, "Client IP Address and Port :  %s:%u\n", device->ip, device->port);
		if (options->count == 1)
			buffer_text(&out, "Client is waiting for incoming connection...\nFactory flow begins...\n");
	}
	write_out(&out);
}

void print_enrollment(const struct store *store, char ret_id[PRINT_ENROLLMENT_SIZE])
{
	const struct store_item *item = store_find_text(store, STORE_CERTIFICATE, "mbed.BootstrapDeviceCert");
	char hex[65];

	ret_id[0] = '\0';
	if (!item)
		item = store_find_text(store, STORE_CERTIFICATE, "mbed.LwM2MDeviceCert");
	if (!item)
		return;
	text_sha256(item->parts[0].data, item->parts[0].size, hex);
	ret_id[0] = 'A';
	for (size_t i = 0; i < 32; i++) {
		ret_id[1 + 3 * i] = i ? ':' : '-';
		ret_id[2 + 3 * i] = hex[2 * i];
		ret_id[3 + 3 * i] = hex[2 * i + 1];
	}
	ret_id[PRINT_ENROLLMENT_SIZE - 1] = '\0';
}

/* A text is not cut inside a character. */
static size_t shown_size(struct span value, bool is_text)
{
	size_t size = value.size < SHOWN_MAX_SIZE ? value.size : SHOWN_MAX_SIZE;

	while (is_text && size > 0 && size < value.size && (value.data[size] & 0xc0) == 0x80)
		size--;
	return size;
}

/* Text as it is, anything else as hex digits; cut where it gets long. */
static void put_value(struct buffer *out, const struct store_item *item)
{
	struct span value = item->parts[0];
	bool is_text = item->kind == STORE_PARAMETER && text_is_printable((const char *)value.data, value.size);
	size_t shown = shown_size(value, is_text);
	char hex[2 * SHOWN_MAX_SIZE + 1];

	if (item->kind == STORE_PRIVATE_KEY) {
		buffer_text(out, "(private)");
	} else if (is_text) {
		buffer_append(out, value.data, shown);
	} else {
		text_hex(value.data, shown, hex);
		buffer_text(out, hex);
	}
	if (shown < value.size && item->kind != STORE_PRIVATE_KEY)
		buffer_text(out, "...");
}

static void put_item(struct buffer *out, const struct options *options, const char *serial, const struct store_item *item)
{
	AUTO(buffer_fini) struct buffer value;

	buffer_init(&value, 4096);
	put_value(&value, item);
	buffer_byte(&value, '\0');
	if (value.failed) {
		out->failed = true;
		return;
	}
	if (options->json) {
		buffer_format(
			out,
			"{\"event\":\"item\",\"serial\":\"%s\",\"kind\":\"%s\",\"name\":\"%.*s\",\"size\":%zu,\"value\":", serial,
			store_kind_name(item->kind), (int)item->name.size, (const char *)item->name.data, item->parts[0].size);
		buffer_json_text(out, value.data);
		buffer_text(out, "}\n");
		return;
	}
	if (options->count > 1)
		buffer_format(out, "%s ", serial);
	buffer_format(out, "%-5s %.*s = %s\n", store_kind_name(item->kind), (int)item->name.size, (const char *)item->name.data,
		      value.data);
}

void print_ended(const struct options *options, const char *serial, const struct device *device, int exit_code)
{
	AUTO(buffer_fini) struct buffer out;
	char id[PRINT_ENROLLMENT_SIZE], status[16] = "null";

	buffer_init(&out, OUTPUT_LIMIT);
	if (device->last_status >= 0)
		(void)snprintf(status, sizeof(status), "%d", device->last_status);
	if (options->print)
		for (const struct store_item *item = device->gateway.store.items; item; item = item->next)
			put_item(&out, options, serial, item);
	print_enrollment(&device->gateway.store, id);
	if (options->json)
		buffer_format(&out,
			      "{\"event\":\"ended\",\"serial\":\"%s\",\"exitCode\":%d,\"messages\":%" PRIu32
			      ",\"returnStatus\":%s,\"enrollmentID\":\"%s\"}\n",
			      serial, exit_code, device->gateway.message_count, status, id);
	else if (options->print || (options->count > 1 && options->task == OPTIONS_SIMULATE))
		buffer_format(&out, "%s ended: exit code %d, %" PRIu32 " messages%s%s%s%s\n", serial, exit_code,
			      device->gateway.message_count, device->last_status >= 0 ? ", ReturnStatus " : "",
			      device->last_status >= 0 ? status : "", id[0] ? ", enrollment id: " : "", id);
	write_out(&out);
}
