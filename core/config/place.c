/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/place.h"

#include <stdarg.h>
#include <stdio.h>

static pep_status fail_at(struct pep_error *err, pep_status status, int32_t native, const struct config_place *place,
			  const char *message)
{
	if (place->line)
		return pep_fail(err, status, native, "%s:%u:%u: %s", place->file, place->line, place->column, message);
	return pep_fail(err, status, native, "%s: %s", place->file, message);
}

pep_status place_fail(struct pep_error *err, pep_status status, const struct config_place *place, const char *format, ...)
{
	char message[sizeof(err->message)];
	va_list args;

	va_start(args, format);
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		message[0] = '\0';
	va_end(args);
	return fail_at(err, status, 0, place, message);
}

pep_status place_prefix(struct pep_error *err, const struct config_place *place)
{
	struct pep_error original;

	if (!err)
		return PEP_INVALID;
	original = *err;
	return fail_at(err, original.status, original.native, place, original.message);
}
