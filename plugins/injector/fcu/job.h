/* SPDX-License-Identifier: Apache-2.0
 *
 * job.h - what the plugin gives its runner, pep-fcu-run: arguments and descriptors. The environment is the tool's.
 *
 * The files of an attempt lie in the state folder and are named by its nonce:
 *   NONCE.job      made by the plugin, on disk before the runner starts: "serial TEXT\n". The runner appends JOB_MARK and brings it to
 *                  disk before it starts the tool. Its lock (flock) is handed to the runner with the descriptor and to nobody else:
 *                  locked means that the runner lives.
 *   NONCE.result   written by the runner under another name, fsynced, renamed: result.h
 *   NONCE.tmp/     the tool's TMPDIR, removed by the runner
 */
#ifndef FCU_JOB_H
#define FCU_JOB_H

#define JOB_SUFFIX ".job"
#define JOB_RESULT_SUFFIX ".result"
#define JOB_FOLDER_SUFFIX ".tmp"
#define JOB_MARK "started\n"

/* Descriptors that the runner is started with; 0 to 2 are /dev/null. */
enum {
	JOB_FD_STATE = 3, /* the state folder */
	JOB_FD_JOB,       /* NONCE.job, locked */
	JOB_FD_ALIVE,     /* write end of a pipe: the plugin sees its end */
	JOB_FD_END,
};

/* argv of the runner. */
enum {
	JOB_ARG_NONCE = 1,
	JOB_ARG_SERIAL,
	JOB_ARG_DEADLINE_MS, /* CLOCK_BOOTTIME: the tool is dead then */
	JOB_ARG_GRACE_MS,    /* between SIGTERM and SIGKILL; SIGTERM comes so long before the deadline */
	JOB_ARG_MEMORY_MB,   /* address space of the tool; 0: no limit */
	JOB_ARG_SECRETS,     /* names of environment variables whose values are left out of the output, with blanks */
	JOB_ARG_FOLDER,      /* where the tool is started */
	JOB_ARG_COMMAND,     /* absolute path, then the tool's arguments */
};

#endif
