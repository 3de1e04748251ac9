/* SPDX-License-Identifier: Apache-2.0
 *
 * order_book.h - the orders as this server knows them: read again whenever the note that lists them has another revision.
 */
#ifndef CORE_SERVICE_ORDER_BOOK_H
#define CORE_SERVICE_ORDER_BOOK_H

#include "core/service/order_counter.h"
#include "core/service/orders.h"

#include <pthread.h>
#include <stdatomic.h>

#define BOOK_INDEX "orders" /* the note that lists them */
#define BOOK_MAX 400u       /* orders in it: with the longest names it is not full */
#define BOOK_CHUNK 60000u   /* bytes of one note with serials */

struct book_entry {
	struct arena arena, list; /* of the order; of its serials */
	char id[ORDER_ID_ROOM];
	struct order order;
	regex_t regex;
	bool has_regex;
	bool is_open;
	int64_t closed_ms;
	atomic_bool is_quiet; /* closed long ago, with nobody in it: nothing can happen to it any more */
	struct book_entry *next;
};

struct orders {
	struct storage *storage;
	struct counter *counter;
	bool is_required;
	pthread_mutex_t load;  /* one thread reads what is new; before `lock` */
	pthread_rwlock_t lock; /* of what follows */
	int64_t revision;      /* of the index; 0: there was none */
	struct book_entry *first;
};

/* Make it what the store says now. [any thread] */
pep_status book_refresh(struct orders *orders, struct pep_error *err);
/* Ends it. [main thread] */
void book_fini(struct orders *orders);
/* The name of a note of an order: `part` is "", ".list.0" and so on. */
void book_name(const char *id, const char *part, char ret_name[65]);
/* The array in the text of the index; "" has none. The caller's; NULL: *err says why. */
json_t *book_index(const char *text, struct pep_error *err);

#endif
