/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/provision/conf.h"

#include "core/base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_FILE "/etc/pep/pep-cli.conf"

static const char *const names[] = {
	"PEP_SERVER_URL",
	"PEP_TIMEOUT",
	"PEP_TOKEN",
	"PEP_TOKEN_FILE",
	"PEP_CA",
	"PEP_PIN",
	"PEP_PLATFORM",
	"PEP_FCC",
	"PEP_SERIAL",
	"PEP_SERIAL_FILE",
	"PEP_LED",
	"PEP_HOOK",
	"PEP_CERT",
	"PEP_KEY",
	"PEP_FSS_FILE",
	"PEP_HOOK_DIR",
	"PEP_MDNS",
	"ENTROPYSOURCE",
	"ETHERNET_LINUX_IFACE_NAME",
};

static int fault(struct failure *err, const char *path, unsigned line, const char *why)
{
	return failure_set(err, EXIT_CONFIGURATION, "configuration", "%s, line %u: %s", path, line, why);
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static char *trim(char *text)
{
	size_t size;

	text += strspn(text, " \t");
	for (size = strlen(text); size && isspace((unsigned char)text[size - 1]); size--)
		;
	text[size] = '\0';
	return text;
}

static int take_line(const char *path, unsigned number, char *line, bool is_private, struct failure *err)
{
	char *name = trim(line), *value = strchr(name, '=');
	const char *set;
	size_t size;

	if (!name[0] || name[0] == '#')
		return EXIT_OK;
	if (!value)
		return fault(err, path, number, "no \"=\"; write NAME=VALUE");
	*value++ = '\0';
	name = trim(name);
	value = trim(value);
	size = strlen(value);
	if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
		value[size - 1] = '\0';
		value++;
	}
	if (!is_known(name))
		return fault(err, path, number, "unknown name; pep-cli(1) lists those there are");
	if (!is_private && strcmp(name, "PEP_TOKEN") == 0)
		return fault(err, path, number, "a token in a file that others may read; chmod 0600 it, or use PEP_TOKEN_FILE");
	set = getenv(name);
	if (set && set[0])
		return EXIT_OK;
	if (setenv(name, value, 1) != 0)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory while reading %s", path);
	return EXIT_OK;
}

static void close_stream(FILE **stream)
{
	if (*stream)
		(void)fclose(*stream);
}

static int read_file(const char *path, FILE *stream, struct failure *err)
{
	AUTO(free_ptr) char *line = NULL;
	struct stat status;
	size_t room = 0;
	int code = EXIT_OK;

	if (fstat(fileno(stream), &status) != 0 || !S_ISREG(status.st_mode))
		return failure_set(err, EXIT_CONFIGURATION, "configuration", "%s is no file", path);
	/* It names programs that we run, and whom we trust. */
	if ((status.st_mode & 022) || (status.st_uid != 0 && status.st_uid != geteuid()))
		return failure_set(err, EXIT_CONFIGURATION, "configuration",
				   "others may write %s, and it says what is run here; chown it to root, and chmod it 0600", path);
	for (unsigned number = 1; code == EXIT_OK && getline(&line, &room, stream) > 0; number++)
		code = take_line(path, number, line, (status.st_mode & 077) == 0, err);
	if (line)
		explicit_bzero(line, room);
	return code;
}

int conf_load(const char *root, struct failure *err)
{
	const char *named = getenv("PEP_CONFIG");
	AUTO(free_ptr) char *path = NULL;
	AUTO(close_stream) FILE *stream = NULL;

	if (asprintf(&path, "%s%s", named && named[0] ? "" : root, named && named[0] ? named : DEFAULT_FILE) < 0) {
		path = NULL;
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	}
	stream = fopen(path, "re");
	if (stream)
		return read_file(path, stream, err);
	if (errno == ENOENT && !(named && named[0]))
		return EXIT_OK;
	return failure_set(err, EXIT_CONFIGURATION, "configuration", "cannot read %s: %s", path, strerror(errno));
}
