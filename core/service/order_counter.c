/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/order_counter.h"

#include "core/base/cleanup.h"
#include "core/base/failpoint.h"

#include <pthread.h>
#include <string.h>

/* Each round loses against another server: far more than can happen by chance. */
#define ROUNDS 100

/* A change that waits for its turn, or is under way. On its caller's stack. */
struct pending {
	const struct counter_change *change;
	enum tally_answer answer;
	pep_status status;
	struct pep_error err;
	bool is_done;
	struct pending *next;
};

/* An order's tally as it was read or written last. */
struct known {
	char order_id[17];
	bool is_known;
	int64_t revision;
	struct tally tally;
	struct known *next;
};

struct counter {
	struct storage *storage;
	pthread_mutex_t mutex;
	pthread_cond_t done;
	struct pending *first; /* waiting */
	bool is_busy;          /* somebody writes: `known` and `text` are his */
	struct known *known;
	char text[PEP_NOTE_SIZE + 1];
};

pep_status counter_open(struct storage *storage, struct counter **ret_counter, struct pep_error *err)
{
	struct counter *counter = calloc(1, sizeof(*counter));

	if (!counter)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	counter->storage = storage;
	(void)pthread_mutex_init(&counter->mutex, NULL);
	(void)pthread_cond_init(&counter->done, NULL);
	*ret_counter = counter;
	return PEP_OK;
}

void counter_close(struct counter *counter)
{
	if (!counter)
		return;
	while (counter->known) {
		struct known *known = counter->known;

		counter->known = known->next;
		tally_fini(&known->tally);
		free(known);
	}
	(void)pthread_cond_destroy(&counter->done);
	(void)pthread_mutex_destroy(&counter->mutex);
	free(counter);
}

/* --- the note --- */

static void name_note(const char *order_id, char ret_name[65])
{
	(void)snprintf(ret_name, 65, "order.%.16s.count", order_id);
}

static struct known *find_known(struct counter *counter, const char *order_id)
{
	struct known *known = counter->known;

	while (known && strcmp(known->order_id, order_id) != 0)
		known = known->next;
	if (known)
		return known;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	(void)snprintf(known->order_id, sizeof(known->order_id), "%s", order_id);
	known->next = counter->known;
	counter->known = known;
	return known;
}

static void forget(struct known *known)
{
	tally_fini(&known->tally);
	known->is_known = false;
}

static pep_status read_note(struct counter *counter, struct known *known, struct pep_error *err)
{
	char name[65];
	pep_status status;

	forget(known);
	name_note(known->order_id, name);
	status = storage_note_read(counter->storage, name, counter->text, &known->revision, err);
	if (status == PEP_OK)
		status = tally_read(counter->text, &known->tally, err);
	known->is_known = status == PEP_OK;
	return status;
}

static pep_status write_note(struct counter *counter, struct known *known, struct pep_error *err)
{
	struct buffer text;
	char name[65];
	pep_status status;

	name_note(known->order_id, name);
	buffer_init(&text, PEP_NOTE_SIZE + 1);
	tally_write(&known->tally, &text);
	buffer_byte(&text, '\0');
	status = text.failed ? pep_fail(err, PEP_NO_MEMORY, 0, "out of memory")
			     : storage_note_write(counter->storage, name, known->revision, text.data, err);
	buffer_fini(&text);
	if (status == PEP_OK)
		known->revision++;
	else
		forget(known);
	return status;
}

/* --- the changes of one order --- */

/* True: the tally is to be written. */
static bool apply(struct tally *tally, struct pending *pending)
{
	const struct counter_change *change = pending->change;

	pending->answer = TALLY_HELD;
	switch (change->kind) {
	case COUNTER_DEPLOYED:
		return tally_deployed(tally, change->serial, change->attempt);
	case COUNTER_RELEASE:
		return tally_release(tally, change->serial, change->attempt);
	case COUNTER_HOLD:
	default:
		pending->answer = tally_hold(tally, change->quantity, change->serial, change->attempt);
		return pending->answer == TALLY_HELD;
	}
}

static bool apply_all(struct tally *tally, struct pending *batch)
{
	bool is_changed = false;

	for (struct pending *pending = batch; pending; pending = pending->next)
		is_changed |= apply(tally, pending);
	return is_changed;
}

/* All of them in one write, or none. */
static pep_status change_note(struct counter *counter, struct known *known, struct pending *batch, struct pep_error *err)
{
	bool is_fresh = false;
	pep_status status;

	for (int round = 0; round < ROUNDS; round++) {
		if (!known->is_known || round > 0) {
			status = read_note(counter, known, err);
			if (status != PEP_OK)
				return status;
			is_fresh = true;
		}
		if (!apply_all(&known->tally, batch)) {
			if (is_fresh)
				return PEP_OK;
			continue; /* another server may have changed it since: a no is said only of what is there now */
		}
		PEP_FAILPOINT("before-count");
		status = write_note(counter, known, err);
		PEP_FAILPOINT("after-count");
		if (status == PEP_OK || status == PEP_UNAVAILABLE || status == PEP_NO_MEMORY || status == PEP_LIMIT)
			return status;
		/* PEP_CONFLICT: another server was first. Otherwise the answer was lost: read, and make the change again. */
	}
	return pep_fail(err, PEP_UNKNOWN, 0, "the count of an order is changed by others all the time");
}

/* The changes of the order that waits longest, out of the list. */
static struct pending *take_batch(struct counter *counter)
{
	const char *order_id = counter->first->change->order_id;
	struct pending *batch = NULL;
	struct pending **end = &batch;
	struct pending **link = &counter->first;

	while (*link) {
		struct pending *pending = *link;

		if (strcmp(pending->change->order_id, order_id) != 0) {
			link = &pending->next;
			continue;
		}
		*link = pending->next;
		pending->next = NULL;
		*end = pending;
		end = &pending->next;
	}
	return batch;
}

/* The mutex is held, and is let go of while the store works. */
static void work(struct counter *counter)
{
	struct pending *batch = take_batch(counter);
	struct pep_error err = {0};
	struct known *known;
	pep_status status;

	counter->is_busy = true;
	(void)pthread_mutex_unlock(&counter->mutex);
	known = find_known(counter, batch->change->order_id);
	status = known ? change_note(counter, known, batch, &err) : pep_fail(&err, PEP_NO_MEMORY, 0, "out of memory");
	(void)pthread_mutex_lock(&counter->mutex);
	counter->is_busy = false;
	while (batch) {
		struct pending *pending = batch;

		batch = batch->next; /* once done, it is its owner's to let go of */
		pending->status = status;
		pending->err = err;
		pending->is_done = true;
	}
	(void)pthread_cond_broadcast(&counter->done);
}

pep_status counter_do(struct counter *counter, const struct counter_change *change, enum tally_answer *ret_answer,
		      struct pep_error *err)
{
	struct pending mine = {.change = change};
	struct pending **end = &counter->first;

	(void)pthread_mutex_lock(&counter->mutex);
	while (*end)
		end = &(*end)->next;
	*end = &mine;
	while (!mine.is_done) {
		if (counter->is_busy)
			(void)pthread_cond_wait(&counter->done, &counter->mutex);
		else
			work(counter); /* mine may be in it, or in the next */
	}
	(void)pthread_mutex_unlock(&counter->mutex);
	if (mine.status == PEP_OK)
		*ret_answer = mine.answer;
	else
		*err = mine.err;
	return mine.status;
}

pep_status counter_read(struct counter *counter, const char *order_id, struct tally *ret_tally, struct pep_error *err)
{
	AUTO(free_ptr) char *text = malloc(PEP_NOTE_SIZE + 1);
	int64_t revision;
	char name[65];
	pep_status status;

	if (!text)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	name_note(order_id, name);
	status = storage_note_read(counter->storage, name, text, &revision, err);
	return status == PEP_OK ? tally_read(text, ret_tally, err) : status;
}
