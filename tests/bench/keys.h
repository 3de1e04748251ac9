/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.h - the yardstick of the fcc injector: GnuTLS alone, making key pairs and signatures.
 */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

/* For so many seconds, in so many threads at once: a P-256 key pair, and the signature (ECDSA, SHA-256) of something as long as a
 * gateway's certificate by another such key. How many of both together were made in a second. Ends the program on an error. */
double keys_per_second(unsigned thread_count, unsigned seconds);

#endif
