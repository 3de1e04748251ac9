/* SPDX-License-Identifier: Apache-2.0
 *
 * dns.h - the part of DNS that finding a service needs: a query made, an answer read (RFC 1035 4, RFC 2782, RFC 6763). Reads hostile
 * bytes. [any thread]
 */
#ifndef CLI_PROVISION_DNS_H
#define CLI_PROVISION_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_A = 1, DNS_PTR = 12, DNS_TXT = 16, DNS_SRV = 33, DNS_NAME_ROOM = 256, DNS_TXT_ROOM = 512, DNS_QUERY_ROOM = 300 };

/* A name as text: labels with dots between, a dot or a backslash inside of a label with a backslash before. */
struct dns_record {
	char name[DNS_NAME_ROOM];
	uint16_t type;
	char target[DNS_NAME_ROOM]; /* of PTR and SRV */
	uint16_t port;              /* of SRV */
	unsigned char address[4];   /* of A */
	char txt[DNS_TXT_ROOM];     /* of TXT: its strings, each with a NUL behind it, and one more NUL */
};

/* One question for one name. Returns its size; 0: the name is too long. */
size_t dns_make_query(uint16_t id, const char *name, uint16_t type, unsigned char ret_query[DNS_QUERY_ROOM]);

/* Reads an answer record by record: `take` is called for each A, PTR, SRV and TXT record of class IN, from all sections. False: it is no
 * answer to a query with that id, or broken; the records before the break were given. */
bool dns_read(const unsigned char *message, size_t size, uint16_t id, void (*take)(void *ctx, const struct dns_record *record),
	      void *ctx);
/* The value of a key of a TXT record (RFC 6763 6.4); NULL: it has none. */
const char *dns_txt_value(const char *txt, const char *key);

#endif
