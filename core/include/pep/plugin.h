/* SPDX-License-Identifier: Apache-2.0
 *
 * pep/plugin.h - what every pep plugin shares: status codes, errors, options, and the one symbol that a plugin exports.
 *
 * A plugin is a shared object in the server's plugin folder. The server knows *what* must happen, a plugin knows *how* it is
 * done in one place. Read this file, then the header of your kind: pep/storage.h, pep/injector.h or pep/exporter.h.
 *
 * Rules that hold everywhere:
 *   - Nothing is freed by the side that did not allocate it. Inputs are borrowed for the call; text of options until close().
 *   - Outputs come last, named ret_..., and are written on success only. The error comes after them.
 *   - A struct that crosses the border starts with struct_size, set by whoever allocated it; the reader copies the smaller of
 *     the two sizes. Members are only ever appended.
 *   - [any thread] and the like say from which threads a function is called.
 */
#ifndef PEP_PLUGIN_H
#define PEP_PLUGIN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEP_ABI_MAJOR 1u /* a layout or a meaning changed: refuse to load */
#define PEP_ABI_MINOR 1u /* something was appended: load */

#define PEP_EXPORT __attribute__((visibility("default")))

/* How a call went. Not an enum type, whose width may vary. The values are frozen; new ones are appended. */
typedef int32_t pep_status;
enum {
	PEP_OK,          /* done */
	PEP_INVALID,     /* the caller's input or configuration is at fault */
	PEP_NOT_FOUND,   /* there is no such thing */
	PEP_CONFLICT,    /* somebody else was first; nothing was done */
	PEP_UNAVAILABLE, /* the thing behind the plugin is away; certainly nothing was done */
	PEP_TIMEOUT,     /* the time limit has passed */
	PEP_CANCELLED,   /* the other side does not want it any more */
	PEP_NO_MEMORY,   /* out of memory */
	PEP_UNSUPPORTED, /* this plugin cannot do that */
	PEP_LIMIT,       /* over a limit of size or number */
	PEP_INTERNAL,    /* a defect of the plugin, or damage */
	PEP_UNKNOWN,     /* it may have been done, now or later, or not */
};

/* Why a call failed. The caller owns and zeroes it, the callee fills it; read it only if the status is not PEP_OK.
 * It holds no pointers: nothing to free, safe to copy. The layout is frozen for ABI major 1. */
struct pep_error {
	pep_status status;
	int32_t native;    /* errno, SQLite code, tool exit status: for the log, not for decisions */
	char message[504]; /* UTF-8, one line, NUL-terminated, no secrets: what was tried, on what, why it failed */
};

/* Fill *err (NULL: do not) and return `status`, so that failing is one line: return pep_fail(err, PEP_INVALID, 0, "...").
 * A message that is too long is cut. [any thread] */
__attribute__((format(printf, 4, 5))) static inline pep_status pep_fail(struct pep_error *err, pep_status status, int32_t native,
									const char *format, ...)
{
	if (err) {
		va_list args;

		err->status = status;
		err->native = native;
		va_start(args, format);
		if (vsnprintf(err->message, sizeof(err->message), format, args) < 0)
			err->message[0] = '\0';
		va_end(args);
	}
	return status;
}

/* What the server lends to an instance of a plugin. Valid from open() until close() returns. */
struct pep_host {
	uint32_t struct_size;
	void *ctx; /* the server's own */
	/* One line for the server's log. `syslog_level` as in syslog(3): 3 error, 4 warning, 6 information, 7 debug.
	 * The server adds time and instance, and escapes what would break a line. [any thread] */
	void (*log)(const struct pep_host *host, int32_t syslog_level, const char *line);
	/* True from the moment at which the server began to stop: give up long work where that is safe. [any thread] */
	bool (*stopping)(const struct pep_host *host);
};

/* A configuration key that a plugin understands. The server parses the value, checks its range, fills in the default, refuses
 * unknown keys with file, line and the nearest known key, and keeps secrets out of every output. */
enum {
	PEP_STRING = 1,   /* text; min and max: bytes */
	PEP_INT,          /* a whole number */
	PEP_BOOL,         /* true or false */
	PEP_PATH,         /* a file or folder; a relative one is below the server's data folder */
	PEP_MILLISECONDS, /* a time span, written with its unit: 500ms, 30s, 2m, 1h; min and max in milliseconds */
	PEP_SECRET,       /* text that is never shown: "file:PATH" or "${NAME}" in the configuration; wiped after close() */
};
struct pep_option {
	const char *key;      /* [a-z][a-z0-9_]*; NULL ends the list */
	const char *fallback; /* the default as written in a file; NULL: the key is required */
	const char *help;     /* one line, with the unit */
	int64_t min, max;     /* range of numbers or length of text; both 0: any */
	int32_t type;         /* PEP_STRING ... */
};

/* The answer to options[i] is values[i]: `text` for PEP_STRING, PEP_PATH and PEP_SECRET (lives until close() returned),
 * `number` for PEP_INT and PEP_MILLISECONDS, `flag` for PEP_BOOL. */
union pep_value {
	const char *text;
	int64_t number;
	bool flag;
};

/* How many calls may be under way in one instance at the same time. */
enum {
	PEP_THREADS_SERIAL,   /* one, on any thread: the safe default */
	PEP_THREADS_PARALLEL, /* any number, on any threads */
};

enum { PEP_STORAGE = 1, PEP_INJECTOR, PEP_EXPORTER };

/* A plugin file about itself: static const data. */
struct pep_plugin {
	uint32_t struct_size;
	uint16_t abi_major, abi_minor;    /* PEP_ABI_MAJOR and PEP_ABI_MINOR of the header that it was compiled with */
	int32_t kind;                     /* PEP_STORAGE, PEP_INJECTOR or PEP_EXPORTER */
	uint32_t option_size;             /* sizeof(struct pep_option): the stride of `options` */
	const char *name;                 /* that of the file without ".so": [a-z0-9_-]{1,32} */
	const char *version;              /* the plugin's own, for people */
	const struct pep_option *options; /* ended by a NULL key; NULL: none */
	const void *ops;                  /* struct pep_storage_ops, pep_injector_ops or pep_exporter_ops */
};

/* The only symbol that a plugin exports. No input or output, no allocation, may be called often. Returns NULL if the plugin
 * cannot serve a host of this ABI major. [any thread] */
PEP_EXPORT const struct pep_plugin *pep_plugin_probe(uint16_t host_major);

#ifdef __cplusplus
}
#endif

#endif
