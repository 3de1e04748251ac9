/* SPDX-License-Identifier: Apache-2.0 */
#include "hint.h"

#include <string.h>

/* What is printed last is nearest to the reason, so the last one that is found counts. */
struct hint {
	const char *words, *advice;
};

static const struct hint hints[] = {
	/* What the tool's manual calls its errors 100 to 221. */
	{"is mandatory", "give the tool serial and endpoint name in command"},
	{"Bad type FCU argument", "correct the arguments in command"},
	{"DTLS private key", "put the gateway's key where fcu.yml says, or let the tool make it"},
	{"DTLS certificate", "put the gateway's certificate where fcu.yml says, or let the tool make it"},
	{"Failed to get Entropy", "look at entropy-generation-mode in fcu.yml"},
	{"does not match tool protocol", "the gateway's factory program and the tool are of different releases"},
	{"device-certificate-chain-depth", "correct device-certificate-chain-depth in fcu.yml, or complete the chain"},
	{"Device response does not contain", "are the gateway's factory program and the tool of the same release?"},
	{"Error loading configuration file", "correct fcu.yml"},
	{"no permission to open file", "give the server's user the right to read the file"},
	{"defined in environment variable", "correct the variable in environment"},
	{"not found in application home path", "correct home"},
	{"should be in Yml format", "fcu.yml is not YAML: correct it"},
	{"Invalid attributes were found", "fcu.yml has keys or values that this release does not know: correct them"},
	{"CA certificate file", "put the CA's certificate into the tool's keystore, in PEM"},
	{"CA key file", "put the CA's key into the tool's keystore, in PEM"},
	{"CA private key file", "put the CA's key into the tool's keystore, in PEM"},
	/* Python's and the system's. */
	{"ConnectionRefusedError", "start the gateway's factory program, look at ip and port"},
	{"Connection refused", "start the gateway's factory program, look at ip and port"},
	{"No route to host", "look at the gateway's cable and address"},
	{"Network is unreachable", "look at this machine's network and the gateway's address"},
	{"timed out", "the gateway did not answer: look at its cable, address and factory program"},
	{"ConnectionResetError", "the gateway hung up: look at what its factory program printed"},
	{"BrokenPipeError", "the gateway hung up: look at what its factory program printed"},
	{"ModuleNotFoundError", "install the tool's requirements into the virtual environment of python"},
	{"ImportError", "install the tool's requirements into the virtual environment of python, and let the service load them"},
	{"MemoryError", "raise memory_mb"},
	{"No space left on device", "make room on the disk"},
	{"Read-only file system", "name the folder in the service's ReadWritePaths"},
	{"PermissionError", "give the server's user the right to the file"},
};

/* Where the words stand last; NULL: nowhere. */
static const char *find_last(const char *text, size_t size, const char *words)
{
	size_t words_size = strlen(words);
	const char *end = text + size;
	const char *last = NULL;

	for (const char *at = memmem(text, size, words, words_size); at; at = memmem(at, (size_t)(end - at), words, words_size)) {
		last = at;
		at += words_size;
	}
	return last;
}

const char *hint_of_output(const char *output, size_t size)
{
	const char *last = NULL;
	const char *advice = NULL;

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		const char *at = find_last(output, size, hints[i].words);

		if (at && at > last) {
			last = at;
			advice = hints[i].advice;
		}
	}
	return advice;
}
