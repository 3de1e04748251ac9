/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool prints, in any pieces: the identities that are found are those that a search over the whole finds, what is written down
 * holds no long run of digits, and a result of any bytes is read or refused.
 */
#include "fuzz.h"

#include "plugins/injector/fcu/redact.h"
#include "plugins/injector/fcu/result.h"
#include "plugins/injector/fcu/tail.h"
#include "plugins/injector/fcu/verdict.h"

#include <stdlib.h>
#include <string.h>

static const char words[] = "enrollment id: ";

static void demand(bool holds)
{
	if (!holds)
		abort();
}

/* Pieces whose sizes come from the input itself. */
static struct output_found scan_pieces(const char *text, size_t size)
{
	struct output_found found = {0};
	struct output_scan scan;
	size_t at = 0;

	output_scan_init(&scan, &found);
	while (at < size) {
		size_t piece = 1 + (unsigned char)text[at] % 23;

		piece = piece < size - at ? piece : size - at;
		output_scan_feed(&scan, text + at, piece);
		at += piece;
	}
	output_scan_end(&scan);
	return found;
}

static bool is_word(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '-' ||
	       byte == ':' || byte == '_' || (byte & 0x80);
}

/* The plain way: look for the words from each place on. */
static struct output_found search(const char *text, size_t size)
{
	struct output_found found = {0};
	const char *end = text + size;
	const char *at = text;

	while ((at = memmem(at, (size_t)(end - at), words, sizeof(words) - 1))) {
		const char *stop = at + sizeof(words) - 1;
		size_t length;

		at = stop;
		while (stop < end && is_word(*stop))
			stop++;
		length = (size_t)(stop - at);
		if (!output_is_identity(at, length))
			found.malformed = true;
		else if (!found.identities)
			found.identities = 1;
		if (output_is_identity(at, length) && !found.identity[0])
			memcpy(found.identity, at, length);
		else if (output_is_identity(at, length) && strncasecmp(found.identity, at, length) != 0)
			found.identities = 2;
	}
	return found;
}

static void check_scan(const char *text, size_t size)
{
	struct output_found found = scan_pieces(text, size);
	struct output_found expected = search(text, size);

	demand(found.identities == expected.identities && found.malformed == expected.malformed);
	demand(strcasecmp(found.identity, expected.identity) == 0);
	demand(!found.identities == !found.identity[0]);
}

static void check_redacted(const char *text, size_t size)
{
	static const char *const secrets[] = {"canary-1", "canary", NULL};
	struct tail *tail = calloc(1, sizeof(*tail));
	size_t run = 0;

	if (!tail)
		abort();
	tail_feed(tail, text, size);
	tail_end(tail);
	demand(tail->size <= TAIL_SIZE);
	tail->size = redact_text(tail->data, tail->size, secrets);
	for (size_t i = 0; i < tail->size; i++) {
		bool is_digit = (tail->data[i] >= '0' && tail->data[i] <= '9') || (tail->data[i] >= 'A' && tail->data[i] <= 'F');

		run = is_digit ? run + 1 : 0;
		demand(run < REDACT_RUN_MIN);
		demand(tail->data[i] == '\n' || (unsigned char)tail->data[i] >= ' ');
	}
	demand(!memmem(tail->data, tail->size, "canary", 6));
	free(tail);
}

/* What is read says the same when it is printed and read again, and has a verdict. */
static void check_result(const char *text, size_t size)
{
	struct pep_injection injection = {.struct_size = sizeof(injection)};
	struct pep_error err = {0};
	struct result result;
	struct result again;
	char *copy;
	size_t copy_size;
	pep_status status;

	if (!result_read(text, size, &result))
		return;
	copy = malloc(size + 256);
	if (!copy)
		abort();
	copy_size = result_print(&result, copy, size + 256);
	demand(copy_size && result_read(copy, copy_size, &again));
	demand(again.end == result.end && again.number == result.number && strcmp(again.serial, result.serial) == 0);
	demand(again.output_size == result.output_size);
	status = verdict_of_result(&result, &injection, &err);
	demand((status == PEP_OK) == (injection.outcome == PEP_DELIVERED));
	if (status == PEP_OK)
		demand(result.end == RESULT_EXITED && result.number == 0 && output_is_identity(injection.enrollment_id, 97));
	demand(!strpbrk(injection.detail, "\r\n"));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_scan((const char *)data, size);
	check_redacted((const char *)data, size);
	check_result((const char *)data, size);
	return 0;
}
