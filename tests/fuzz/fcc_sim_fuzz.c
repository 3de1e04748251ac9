/* SPDX-License-Identifier: Apache-2.0
 *
 * What a tool sends to the simulated gateway: up to four messages of one session, cut by two bytes of length before each. Every answer
 * must be CBOR of FCC's size, and every item stored must have a name fit for a file.
 */
#include "fuzz.h"

#include "fcc-sim/gateway.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 4u

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_store(const struct store *store)
{
	for (const struct store_item *item = store->items; item; item = item->next) {
		demand(store_check_name(item->name) == STORE_GOOD);
		demand(store_find(store, item->kind, item->name) == item);
		demand(item->part_count >= 1 && item->part_count <= STORE_PARTS_MAX);
	}
}

/* In memory of its own size, so that a look beyond it is seen. */
static void handle(struct gateway *gateway, const uint8_t *data, size_t size)
{
	uint8_t *message = malloc(size ? size : 1);
	struct answer answer;
	struct buffer encoded;

	demand(message != NULL);
	memcpy(message, data, size);
	answer_init(&answer);
	gateway_handle(gateway, (struct span){message, size}, &answer);
	demand(answer.outcome.status <= STATUS_MAX);
	if (answer_encode(&answer, &encoded)) {
		demand(encoded.size <= (answer.csr_stage ? ANSWER_MAX_SIZE_CSR : ANSWER_MAX_SIZE));
		demand(reader_is_whole((const uint8_t *)encoded.data, encoded.size));
	}
	check_store(&gateway->store);
	buffer_fini(&encoded);
	answer_fini(&answer);
	free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fault no_fault;
	struct gateway gateway;

	demand(gateway_init(&gateway, NULL, &no_fault));
	for (unsigned i = 0; i < MESSAGES_MAX && size >= 2; i++) {
		size_t part = data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		if (part > size)
			part = size;
		handle(&gateway, data, part);
		data += part;
		size -= part;
	}
	gateway_fini(&gateway);
	return 0;
}
