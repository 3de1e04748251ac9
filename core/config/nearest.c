/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/nearest.h"

#include <stdint.h>
#include <string.h>

#define WORD_LIMIT 64u

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t nearest_distance(const char *a, const char *b)
{
	/* Three rows of the table are enough: a swap looks two back. */
	size_t rows[3][WORD_LIMIT + 1];
	size_t a_size = strlen(a), b_size = strlen(b);

	if (a_size > WORD_LIMIT || b_size > WORD_LIMIT)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_size; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t *row = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
	}
	return rows[a_size % 3][b_size];
}

void nearest_init(struct nearest *nearest, const char *word)
{
	size_t limit = strlen(word) / 3;

	*nearest = (struct nearest){.word = word, .distance = (limit ? limit : 1) + 1};
}

void nearest_offer(struct nearest *nearest, const char *known)
{
	size_t distance = nearest_distance(nearest->word, known);

	if (distance >= nearest->distance || distance >= strlen(known))
		return;
	nearest->distance = distance;
	nearest->best = known;
}
