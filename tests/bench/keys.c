/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIGNED_SIZE 400 /* the signed part of a gateway's certificate */

struct work {
	gnutls_privkey_t authority; /* one for all threads, as in the injector */
	struct timespec end;
	atomic_long done;
};

static void check(int code, const char *what)
{
	if (code >= 0)
		return;
	(void)fprintf(stderr, "bare: %s: %s\n", what, gnutls_strerror(code));
	exit(1);
}

static gnutls_x509_privkey_t make_pair(void)
{
	gnutls_x509_privkey_t pair;

	check(gnutls_x509_privkey_init(&pair), "key");
	check(gnutls_x509_privkey_generate(pair, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), "key");
	return pair;
}

static void *work(void *argument)
{
	struct work *work = argument;
	uint8_t bytes[SIGNED_SIZE];
	const gnutls_datum_t text = {.data = bytes, .size = sizeof(bytes)};
	struct timespec now;

	memset(bytes, 'x', sizeof(bytes));
	do {
		gnutls_datum_t signature;

		gnutls_x509_privkey_deinit(make_pair());
		check(gnutls_privkey_sign_data(work->authority, GNUTLS_DIG_SHA256, 0, &text, &signature), "signature");
		gnutls_free(signature.data);
		(void)atomic_fetch_add(&work->done, 1);
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < work->end.tv_sec || (now.tv_sec == work->end.tv_sec && now.tv_nsec < work->end.tv_nsec));
	return NULL;
}

double keys_per_second(unsigned thread_count, unsigned seconds)
{
	struct work shared = {0};
	gnutls_x509_privkey_t pair = make_pair();
	pthread_t *threads = calloc(thread_count, sizeof(*threads));

	if (!threads) {
		(void)fprintf(stderr, "bare: no memory for %u threads\n", thread_count);
		exit(1);
	}
	check(gnutls_privkey_init(&shared.authority), "key");
	check(gnutls_privkey_import_x509(shared.authority, pair, GNUTLS_PRIVKEY_IMPORT_COPY), "key");
	(void)clock_gettime(CLOCK_MONOTONIC, &shared.end);
	shared.end.tv_sec += (time_t)seconds;
	for (unsigned i = 0; i < thread_count; i++)
		if (pthread_create(&threads[i], NULL, work, &shared) != 0) {
			(void)fprintf(stderr, "bare: no %u threads\n", thread_count);
			exit(1);
		}
	for (unsigned i = 0; i < thread_count; i++)
		(void)pthread_join(threads[i], NULL);
	free(threads);
	gnutls_privkey_deinit(shared.authority);
	gnutls_x509_privkey_deinit(pair);
	return (double)atomic_load(&shared.done) / seconds;
}
