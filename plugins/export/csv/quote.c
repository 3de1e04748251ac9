/* SPDX-License-Identifier: Apache-2.0 */
#include "quote.h"

#include <string.h>

void quote_bytes(struct csv_line *line, const char *bytes, size_t size)
{
	if (size > (size_t)(line->end - line->next)) {
		line->full = true;
		return;
	}
	memcpy(line->next, bytes, size);
	line->next += size;
}

void quote_text(struct csv_line *line, const char *text)
{
	if (!text)
		return;
	quote_bytes(line, "\"", 1);
	for (;;) {
		const char *quote = strchrnul(text, '"');

		quote_bytes(line, text, (size_t)(quote - text));
		quote_bytes(line, "\"\"", *quote ? 2 : 1);
		if (!*quote)
			return;
		text = quote + 1;
	}
}

void quote_number(struct csv_line *line, int64_t number)
{
	char digits[24];
	char *first = digits + sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do {
		*--first = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		*--first = '-';
	quote_bytes(line, first, (size_t)(digits + sizeof(digits) - first));
}
