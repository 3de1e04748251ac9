/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key.h"

#include "cli/file.h"
#include "cli/interrupt.h"
#include "cli/print.h"
#include "cli/process.h"
#include "core/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MACHINE_ID_FILE "/etc/machine-id"

struct sealing {
	char *file, *saving, *saved; /* NULL: this machine keeps no sealing key */
	int lock;                    /* the folder of the file, locked; -1: not */
	char key[KEY_ROOM];
};

/* Runs `sudo WORD...` and shows it, as an operator should see what is done as root. 0: it went well. */
static int run_sudo(const struct session *session, const char *const *argv, char *line, size_t room)
{
	char shown[1024] = "";
	size_t size = 0;
	int written;

	for (size_t i = 0; argv[i] && size < sizeof(shown); i++) {
		written = snprintf(shown + size, sizeof(shown) - size, "%s%s", i ? " " : "", argv[i]);
		size += written > 0 ? (size_t)written : 0;
	}
	print_note(session, "%s", shown);
	return process_run(argv, line, room);
}

static bool sudo(const struct session *session, const char *const *argv)
{
	char line[2];

	return run_sudo(session, argv, line, sizeof(line)) == 0;
}

/* Whether there is a file. Where we may not look, root is asked. */
static bool is_there(const struct session *session, const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0)
		return true;
	return errno == EACCES && sudo(session, (const char *const[]){"sudo", "test", "-e", path, NULL});
}

/* Where journald keeps the sealing key, sd-journal's own layout; PEP_FSS_FILE names another. NULL: no machine id, no such file. */
static char *sealing_file(void)
{
	const char *other = getenv("PEP_FSS_FILE");
	AUTO(close_fd) int fd = -1;
	char id[33] = "", *path = NULL;

	if (other && other[0])
		return strdup(other);
	fd = open(MACHINE_ID_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, id, 32) != 32 || strspn(id, "0123456789abcdef") != 32)
		return NULL;
	return asprintf(&path, "/var/log/journal/%s/fss", id) < 0 ? NULL : path;
}

/* False: another pep-cli is at work. The folder can be locked by whoever may read it; nothing is made for that. */
static bool lock_folder(struct sealing *sealing)
{
	AUTO(free_ptr) char *folder = sealing->file ? file_folder(sealing->file) : NULL;

	sealing->lock = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return sealing->lock < 0 || flock(sealing->lock, LOCK_EX | LOCK_NB) == 0;
}

static struct sealing *make_sealing(void)
{
	struct sealing *sealing = calloc(1, sizeof(*sealing));

	if (!sealing)
		return NULL;
	sealing->lock = -1;
	sealing->file = sealing_file();
	if (!sealing->file)
		return sealing;
	if (asprintf(&sealing->saving, "%s.pep-saving", sealing->file) < 0)
		sealing->saving = NULL;
	if (asprintf(&sealing->saved, "%s.pep-saved", sealing->file) < 0)
		sealing->saved = NULL;
	if (!sealing->saving || !sealing->saved)
		key_end(&sealing);
	return sealing;
}

void key_end(struct sealing **sealing)
{
	struct sealing *ended = TAKE(*sealing);

	if (!ended)
		return;
	if (ended->lock >= 0)
		(void)close(ended->lock);
	free(ended->file);
	free(ended->saving);
	free(ended->saved);
	explicit_bzero(ended->key, sizeof(ended->key));
	free(ended);
}

const char *key_text(const struct sealing *sealing)
{
	return sealing->key;
}

/* Puts the copy back, if there is one. False: it is still there. */
static bool bring_back(const struct session *session, const struct sealing *sealing)
{
	if (!sealing->saved || !is_there(session, sealing->saved))
		return true;
	return sudo(session, (const char *const[]){"sudo", "mv", "-f", "--", sealing->saved, sealing->file, NULL});
}

/* Copies the key, flushes, and only then gives the copy the name that counts: half a copy is never brought back. */
static bool save_old(const struct session *session, const struct sealing *sealing)
{
	return sudo(session, (const char *const[]){"sudo", "cp", "--preserve=all", "--", sealing->file, sealing->saving, NULL}) &&
	       sudo(session, (const char *const[]){"sudo", "sync", "--", sealing->saving, NULL}) &&
	       sudo(session, (const char *const[]){"sudo", "mv", "-f", "--", sealing->saving, sealing->saved, NULL});
}

static int fail_generation(const struct session *session, const struct sealing *sealing, const char *why, struct failure *err)
{
	bool back = bring_back(session, sealing);

	if (interrupt_signal() && back)
		return interrupt_failure(err);
	return failure_set(err, EXIT_OTHER, "key_generation", "Error while generating verification key: %s%s%s", why,
			   back ? "" : "; the old sealing key is kept in ", back ? "" : sealing->saved);
}

static int generate(const struct session *session, struct sealing *sealing, const char *interval, struct failure *err)
{
	AUTO(free_ptr) char *word = NULL;
	int status;

	if (asprintf(&word, "--interval=%s", interval) < 0) {
		word = NULL;
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	}
	if (sealing->saved && is_there(session, sealing->file) && !save_old(session, sealing)) {
		(void)sudo(session, (const char *const[]){"sudo", "rm", "-f", "--", sealing->saving, NULL});
		return fail_generation(session, sealing, "the old sealing key could not be copied, so it was left alone", err);
	}
	if (interrupt_signal())
		return fail_generation(session, sealing, "interrupted", err);
	status = run_sudo(session, (const char *const[]){"sudo", "journalctl", "--setup-keys", "--force", word, NULL}, sealing->key,
			  sizeof(sealing->key));
	if (status != 0)
		return fail_generation(session, sealing, "journalctl failed; see its message, and whether sudo may run it", err);
	if (!sealing->key[0])
		return fail_generation(session, sealing, "journalctl printed no key", err);
	return EXIT_OK;
}

/* One sealing key, one unfinished request for it: a second would have to destroy a key that the server may have taken. */
static int refuse_second(const struct pending *pending, struct failure *err)
{
	AUTO(free_ptr) char *other = pending_other_with_key(pending);

	if (!other)
		return EXIT_OK;
	return failure_set(
		err, EXIT_OTHER, "key_pending",
		"Error while generating verification key: an earlier request with -k has no known outcome yet; repeat that request "
		"first, or remove %s to give it up and get the old sealing key back",
		other);
}

int key_begin(const struct session *session, const struct pending *pending, const char *interval, struct sealing **ret_sealing,
	      struct failure *err)
{
	AUTO(key_end) struct sealing *sealing = make_sealing();
	const char *earlier = pending_verification_key(pending);
	int code;

	if (!sealing)
		return failure_set(err, EXIT_OTHER, "no_memory", "out of memory");
	if (!lock_folder(sealing))
		return failure_set(err, EXIT_OTHER, "key_busy",
				   "Error while generating verification key: another pep-cli is at it on this machine; try again "
				   "when it is done");
	code = refuse_second(pending, err);
	if (code != EXIT_OK)
		return code;
	if (earlier && strlen(earlier) < sizeof(sealing->key)) {
		print_note(session, "the verification key of the unfinished request is used again, no new one is made");
		(void)snprintf(sealing->key, sizeof(sealing->key), "%s", earlier);
	} else {
		/* A copy without a note: a call ended between copying and sending. The server never saw that key. */
		if (!bring_back(session, sealing))
			return failure_set(
				err, EXIT_OTHER, "key_generation",
				"Error while generating verification key: the old sealing key could not be brought back from %s",
				sealing->saved);
		code = generate(session, sealing, interval, err);
	}
	if (code == EXIT_OK)
		*ret_sealing = TAKE(sealing);
	return code;
}

bool key_accept(const struct session *session, struct sealing *sealing)
{
	if (!sealing->saved || !is_there(session, sealing->saved))
		return true;
	return sudo(session, (const char *const[]){"sudo", "rm", "-f", "--", sealing->saved, NULL});
}

void key_restore(const struct session *session, struct sealing *sealing)
{
	if (!bring_back(session, sealing))
		print_note(session, "the old sealing key could not be put back; it is kept in %s, the next -k will put it back",
			   sealing->saved);
}
