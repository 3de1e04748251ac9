/* SPDX-License-Identifier: Apache-2.0
 *
 * secret.h - fetches a secret from where the configuration says that it is.
 */
#ifndef CORE_CONFIG_SECRET_H
#define CORE_CONFIG_SECRET_H

#include <pep/plugin.h>

#define SECRET_LIMIT 65536u /* bytes */

/* The text behind "file:PATH" (without the line's end; a relative PATH is below `data_dir`) or "${NAME}". The caller owns *ret_text,
 * and wipes it with secret_free(). PEP_INVALID: others have rights to the file. Messages name the source, never the text. [main thread: reads the environment] */
pep_status secret_read(const char *source, const char *data_dir, char **ret_text, struct pep_error *err);
/* Overwrite, then free. NULL is fine. */
void secret_free(char *text);

#endif
