/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <string.h>

static const char words[] = "enrollment id: ";
enum { WORDS_SIZE = sizeof(words) - 1 };
/* borders[n]: how many bytes of the words are matched by the end of their first n + 1 ("enrollmen" ends as it begins). */
static const unsigned char borders[WORDS_SIZE] = {0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0};

static bool is_hex(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F') || (byte >= 'a' && byte <= 'f');
}

static char upper(char byte)
{
	return byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
}

bool output_is_identity(const char *text, size_t size)
{
	if (size != OUTPUT_IDENTITY_SIZE || upper(text[0]) != 'A' || text[1] != '-')
		return false;
	for (size_t i = 2; i < size; i++)
		if ((i - 2) % 3 == 2 ? text[i] != ':' : !is_hex(text[i]))
			return false;
	return true;
}

/* What may belong to an identity, or would make it another one. */
static bool is_of_word(char byte)
{
	return is_hex(byte) || (byte >= 'G' && byte <= 'Z') || (byte >= 'g' && byte <= 'z') || byte == '-' || byte == ':' ||
	       byte == '_' || (byte & 0x80);
}

static void end_word(struct output_scan *scan)
{
	struct output_found *found = scan->found;
	char identity[OUTPUT_IDENTITY_SIZE + 1] = "";

	scan->in_word = false;
	if (!output_is_identity(scan->word, scan->size)) {
		found->malformed = true;
		return;
	}
	for (size_t i = 0; i < OUTPUT_IDENTITY_SIZE; i++)
		identity[i] = upper(scan->word[i]);
	if (found->identities == 0) {
		memcpy(found->identity, identity, sizeof(identity));
		found->identities = 1;
	} else if (strcmp(found->identity, identity) != 0) {
		found->identities = 2;
	}
}

static void take(struct output_scan *scan, char byte)
{
	if (scan->in_word && !is_of_word(byte)) {
		end_word(scan);
	} else if (scan->in_word) {
		if (scan->size < OUTPUT_IDENTITY_SIZE)
			scan->word[scan->size] = byte;
		if (scan->size <= OUTPUT_IDENTITY_SIZE)
			scan->size++;
	}
	while (scan->matched && words[scan->matched] != byte)
		scan->matched = borders[scan->matched - 1];
	if (words[scan->matched] == byte)
		scan->matched++;
	if (scan->matched < WORDS_SIZE)
		return;
	scan->matched = 0;
	scan->in_word = true;
	scan->size = 0;
}

void output_scan_init(struct output_scan *scan, struct output_found *found)
{
	*scan = (struct output_scan){.found = found};
}

void output_scan_feed(struct output_scan *scan, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		take(scan, data[i]);
}

void output_scan_end(struct output_scan *scan)
{
	if (scan->in_word)
		end_word(scan);
}
