/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/orders.h"

#include "core/service/order_book.h"

#include <string.h>

pep_status orders_open(struct storage *storage, bool is_required, struct orders **ret_orders, struct pep_error *err)
{
	struct orders *orders;
	pep_status status;

	if (!storage_has_notes(storage))
		return pep_fail(err, PEP_UNSUPPORTED, 0,
				"storage \"%s\" keeps no notes, and so no orders; use another storage, or set orders.required to "
				"false",
				storage_name(storage));
	orders = calloc(1, sizeof(*orders));
	if (!orders)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	orders->storage = storage;
	orders->is_required = is_required;
	status = counter_open(storage, &orders->counter, err);
	if (status != PEP_OK) {
		free(orders);
		return status;
	}
	(void)pthread_mutex_init(&orders->load, NULL);
	(void)pthread_rwlock_init(&orders->lock, NULL);
	*ret_orders = orders;
	return PEP_OK;
}

void orders_close(struct orders *orders)
{
	if (!orders)
		return;
	book_fini(orders);
	counter_close(orders->counter);
	(void)pthread_rwlock_destroy(&orders->lock);
	(void)pthread_mutex_destroy(&orders->load);
	free(orders);
}

/* --- who is expected --- */

static bool expects(const struct book_entry *entry, const char *serial, int64_t now_ms)
{
	const struct order *order = &entry->order;

	if (!entry->is_open || now_ms < order->from_ms || (order->to_ms && now_ms >= order->to_ms))
		return false;
	return entry->has_regex ? order_matches(&entry->regex, serial) : order_lists(order, serial);
}

static bool copy_place(struct arena *arena, const struct book_entry *entry, struct orders_place *ret_place)
{
	const struct order *order = &entry->order;
	struct orders_place place = {.name = arena_text(arena, order->name), .quantity = order->quantity};

	memcpy(place.id, entry->id, sizeof(place.id));
	for (size_t i = 0; i < ORDER_FIELD_COUNT; i++) {
		place.fields[i] = arena_text(arena, order->fields[i]);
		if (order->fields[i] && !place.fields[i])
			return false;
	}
	*ret_place = place;
	return place.name != NULL;
}

/* The orders that expect the serial, oldest first. *ret_places is in the arena; NULL: out of memory. */
static size_t find_places(struct orders *orders, struct arena *arena, const char *serial, int64_t now_ms,
			  struct orders_place **ret_places, bool *ret_has_orders)
{
	struct orders_place *places = arena_alloc(arena, BOOK_MAX * sizeof(*places));
	size_t count = 0;

	(void)pthread_rwlock_rdlock(&orders->lock);
	*ret_has_orders = orders->first != NULL;
	for (const struct book_entry *entry = orders->first; entry && places && count < BOOK_MAX; entry = entry->next) {
		if (!expects(entry, serial, now_ms))
			continue;
		if (copy_place(arena, entry, &places[count]))
			count++;
		else
			places = NULL;
	}
	(void)pthread_rwlock_unlock(&orders->lock);
	*ret_places = places;
	return count;
}

/* Has this order room for the serial, as far as can be seen? */
static pep_status look(struct orders *orders, const struct orders_place *place, const char *serial,
		       enum orders_verdict *ret_verdict, struct pep_error *err)
{
	struct tally tally = {0};
	pep_status status = counter_read(orders->counter, place->id, &tally, err);

	if (status != PEP_OK)
		return status;
	if (tally_find(&tally, serial))
		*ret_verdict = ORDERS_EXPECTED;
	else if (tally.used + (int64_t)tally.held_count >= place->quantity)
		*ret_verdict = ORDERS_FULL;
	else
		*ret_verdict = tally.held_count < TALLY_HELD_MAX ? ORDERS_EXPECTED : ORDERS_UNSETTLED;
	tally_fini(&tally);
	return PEP_OK;
}

pep_status orders_admit(struct orders *orders, struct arena *arena, const char *serial, enum orders_verdict *ret_verdict,
			struct orders_place *ret_place, struct pep_error *err)
{
	enum orders_verdict verdict = ORDERS_NOT_EXPECTED;
	struct orders_place *places = NULL;
	bool has_orders = false;
	size_t count = 0;
	int64_t now_ms;
	pep_status status = book_refresh(orders, err);

	if (status == PEP_OK)
		status = storage_now(orders->storage, &now_ms, err);
	if (status != PEP_OK)
		return status;
	count = find_places(orders, arena, serial, now_ms, &places, &has_orders);
	if (!places)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	if (!has_orders && !orders->is_required)
		verdict = ORDERS_FREE;
	for (size_t i = 0; status == PEP_OK && i < count && verdict != ORDERS_EXPECTED; i++) {
		status = look(orders, &places[i], serial, &verdict, err);
		*ret_place = places[i];
	}
	if (status == PEP_OK)
		*ret_verdict = verdict;
	return status;
}

pep_status orders_hold(struct orders *orders, const struct orders_place *place, const char *serial, uint32_t attempt,
		       enum orders_verdict *ret_verdict, struct pep_error *err)
{
	const struct counter_change change = {
		.kind = COUNTER_HOLD, .order_id = place->id, .serial = serial, .quantity = place->quantity, .attempt = attempt};
	enum tally_answer answer;
	pep_status status = counter_do(orders->counter, &change, &answer, err);

	if (status != PEP_OK)
		return status;
	if (answer == TALLY_HELD)
		*ret_verdict = ORDERS_EXPECTED;
	else
		*ret_verdict = answer == TALLY_FULL ? ORDERS_FULL : ORDERS_UNSETTLED;
	return PEP_OK;
}

void orders_find_listed(struct orders *orders, const char *serial, char ret_name[ORDER_NAME_MAX + 1])
{
	ret_name[0] = '\0';
	(void)pthread_rwlock_rdlock(&orders->lock);
	for (const struct book_entry *entry = orders->first; entry && !ret_name[0]; entry = entry->next)
		if (entry->is_open && !entry->has_regex && order_lists(&entry->order, serial))
			(void)snprintf(ret_name, ORDER_NAME_MAX + 1, "%s", entry->order.name);
	(void)pthread_rwlock_unlock(&orders->lock);
}
