/* SPDX-License-Identifier: Apache-2.0
 *
 * order_settle.c - what becomes of a place in an order, by the record of its serial alone. No clock has a part in it:
 *
 * claimed, contacted, issued: somebody is at it, or the end of its lease will say what it is: kept. in_doubt: the gateway may have its
 * certificate: kept until an operator or another attempt settles it. deployed, or retired after it was: used. retired before, no record at
 * all: given back. failed: given back, unless an earlier attempt is in doubt: the later one may have ended before its first byte erased
 * what the gateway got from that one. Then it is kept until the serial is deployed or retired.
 *
 * That is safe against who claims the serial meanwhile: a place is given back for the number of a claim, and the new one has another.
 */
#include "core/base/cleanup.h"
#include "core/base/log.h"
#include "core/service/history.h"
#include "core/service/order_book.h"

#include <string.h>

/* Closed orders with nobody in them are looked at for so long, for attempts that began before. */
#define CLOSED_MS INT64_C(3600000)

/* False: it stays. */
static bool decide(const struct pep_identity *record, const struct tally_place *place, struct counter_change *change)
{
	bool was_deployed = record && (record->state == PEP_DEPLOYED || (record->state == PEP_RETIRED && record->dispatch_id));

	if (was_deployed) {
		change->kind = COUNTER_DEPLOYED;
		change->attempt = record->contacted;
		return true;
	}
	change->kind = COUNTER_RELEASE;
	change->attempt = place->last;
	if (record && record->state == PEP_FAILED)
		return !history_in_doubt(record->history, place->first);
	return !record || record->state == PEP_RETIRED;
}

/* `place` was in the tally before the record is read here. */
static pep_status settle(struct orders *orders, const char *id, const struct tally_place *place, struct pep_error *err)
{
	AUTO(arena_fini) struct arena arena = {0};
	struct counter_change change = {.order_id = id, .serial = place->serial};
	const struct pep_identity *record = NULL;
	enum tally_answer answer;
	pep_status status = storage_get(orders->storage, &arena, place->serial, &record, err);

	if (status != PEP_OK || !decide(record, place, &change))
		return status;
	return counter_do(orders->counter, &change, &answer, err);
}

void orders_settle(struct orders *orders, const struct orders_place *place, const char *serial)
{
	struct tally tally = {0};
	const struct tally_place *held;
	struct pep_error err = {0};
	pep_status status = counter_read(orders->counter, place->id, &tally, &err);

	if (status == PEP_OK) {
		held = tally_find(&tally, serial);
		if (held)
			status = settle(orders, place->id, held, &err);
		tally_fini(&tally);
	}
	if (status != PEP_OK)
		log_event(LOG_WARNING, "an order's count is not up to date; it will be", LOG_TEXT("order", place->name),
			  LOG_TEXT("serial", serial), LOG_TEXT("error", err.message));
}

/* One to look at. */
struct look {
	char id[ORDER_ID_ROOM];
	bool is_over; /* closed, and so long ago that no attempt of before is under way */
};

/* What is to be looked at; the caller frees it. NULL: out of memory. */
static struct look *list_looks(struct orders *orders, int64_t now_ms, size_t *ret_count)
{
	struct look *looks = calloc(BOOK_MAX, sizeof(*looks));
	size_t count = 0;

	(void)pthread_rwlock_rdlock(&orders->lock);
	for (const struct book_entry *entry = orders->first; entry && looks && count < BOOK_MAX; entry = entry->next) {
		if (atomic_load(&entry->is_quiet))
			continue;
		memcpy(looks[count].id, entry->id, sizeof(looks[count].id));
		looks[count++].is_over = !entry->is_open && entry->closed_ms + CLOSED_MS < now_ms;
	}
	(void)pthread_rwlock_unlock(&orders->lock);
	*ret_count = count;
	return looks;
}

static void set_quiet(struct orders *orders, const char *id)
{
	(void)pthread_rwlock_rdlock(&orders->lock);
	for (struct book_entry *entry = orders->first; entry; entry = entry->next)
		if (strcmp(entry->id, id) == 0)
			atomic_store(&entry->is_quiet, true);
	(void)pthread_rwlock_unlock(&orders->lock);
}

static pep_status recover_one(struct orders *orders, const struct look *look, struct pep_error *err)
{
	struct tally tally = {0};
	pep_status status = counter_read(orders->counter, look->id, &tally, err);

	if (status == PEP_OK && look->is_over && !tally.held_count)
		set_quiet(orders, look->id);
	for (size_t i = 0; status == PEP_OK && i < tally.held_count; i++)
		status = settle(orders, look->id, &tally.held[i], err);
	tally_fini(&tally);
	return status;
}

pep_status orders_recover(struct orders *orders, struct pep_error *err)
{
	AUTO(free_ptr) struct look *looks = NULL;
	size_t count = 0;
	int64_t now_ms;
	pep_status status = book_refresh(orders, err);

	if (status == PEP_OK)
		status = storage_now(orders->storage, &now_ms, err);
	if (status != PEP_OK)
		return status;
	looks = list_looks(orders, now_ms, &count);
	if (!looks)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	for (size_t i = 0; status == PEP_OK && i < count; i++)
		status = recover_one(orders, &looks[i], err);
	return status;
}
