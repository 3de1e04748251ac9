/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_driver.h"

#include "core/base/identity.h"
#include "core/base/text.h"
#include "plugin_table.h"
#include "poison.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void begin_call(struct store_driver *driver)
{
	if (driver->ops->threads == PEP_THREADS_SERIAL)
		(void)pthread_mutex_lock(&driver->one_at_a_time);
}

static void end_call(struct store_driver *driver)
{
	if (driver->ops->threads == PEP_THREADS_SERIAL)
		(void)pthread_mutex_unlock(&driver->one_at_a_time);
}

/* Not assert_...(): cmocka's jump is for the main thread only, and these calls come from any. */
static void check_error(const char *call, pep_status status, const struct pep_error *err)
{
	size_t size = strnlen(err->message, sizeof(err->message));

	if (status == PEP_OK)
		return;
	if (err->status == status && size > 0 && size < sizeof(err->message) && text_is_printable(err->message, size))
		return;
	(void)fprintf(stderr, "%s() returned %d with an error of status %d: \"%.*s\"\n", call, (int)status, (int)err->status,
		      (int)size, err->message);
	abort();
}

static void must_work(const char *call, pep_status status, const struct pep_error *err)
{
	check_error(call, status, err);
	if (status == PEP_OK)
		return;
	(void)fprintf(stderr, "%s() returned %d: %s\n", call, (int)status, err->message);
	abort();
}

void store_open(struct store_driver *driver, const struct storage_facts *facts, unsigned number)
{
	struct pep_error err = {0};

	*driver = (struct store_driver){.facts = facts,
					.ops = plugin_table_load(facts->file, PEP_STORAGE)->ops,
					.host = plugin_table_host(),
					.number = number};
	(void)pthread_mutex_init(&driver->one_at_a_time, NULL);
	must_work("open", driver->ops->open(&driver->host, facts->values(facts->ctx, number), &driver->store, &err), &err);
	assert_non_null(driver->store);
}

void store_close(struct store_driver *driver)
{
	driver->ops->close(driver->store);
	(void)pthread_mutex_destroy(&driver->one_at_a_time);
}

static pep_status write_copy(struct store_driver *driver, const char *call,
			     pep_status (*function)(void *, const struct pep_identity *, struct pep_error *),
			     const struct pep_identity *id)
{
	struct pep_identity *copy = poison_copy(id);
	struct pep_error err = {0};
	pep_status status;

	if (!copy)
		abort();
	begin_call(driver);
	status = function(driver->store, copy, &err);
	end_call(driver);
	poison_free(copy);
	check_error(call, status, &err);
	return status;
}

pep_status store_insert(struct store_driver *driver, const struct pep_identity *id)
{
	return write_copy(driver, "insert", driver->ops->insert, id);
}

pep_status store_update(struct store_driver *driver, const struct pep_identity *id)
{
	return write_copy(driver, "update", driver->ops->update, id);
}

void *walk_open(struct store_driver *driver, const struct pep_scan_query *query)
{
	struct pep_scan_query own = {0};
	char *serial, *after, *key;
	struct pep_error err = {0};
	pep_status status;
	void *scan = NULL;

	/* The texts of a query are lent for the call, too. */
	memcpy(&own, query, query->struct_size < sizeof(own) ? query->struct_size : sizeof(own));
	own.struct_size = query->struct_size;
	own.serial = serial = own.serial ? strdup(own.serial) : NULL;
	own.after = after = own.after ? strdup(own.after) : NULL;
	own.idempotency_key = key = own.idempotency_key ? strdup(own.idempotency_key) : NULL;
	begin_call(driver);
	status = driver->ops->scan_open(driver->store, &own, &scan, &err);
	end_call(driver);
	if (serial)
		memset(serial, '#', strlen(serial));
	if (after)
		memset(after, '#', strlen(after));
	if (key)
		memset(key, '#', strlen(key));
	free(serial);
	free(after);
	free(key);
	must_work("scan_open", status, &err);
	return scan;
}

const struct pep_identity *walk_next(struct store_driver *driver, void *scan)
{
	const struct pep_identity *id = NULL;
	struct pep_error err = {0};
	pep_status status;

	begin_call(driver);
	status = driver->ops->scan_next(scan, &id, &err);
	end_call(driver);
	must_work("scan_next", status, &err);
	return id;
}

void walk_close(struct store_driver *driver, void *scan)
{
	begin_call(driver);
	driver->ops->scan_close(scan);
	end_call(driver);
}

const struct pep_identity *store_get(struct store_driver *driver, struct arena *arena, const char *serial)
{
	void *scan = walk_open(driver, SCAN_QUERY(.serial = serial));
	const struct pep_identity *id = walk_next(driver, scan);

	if (id) {
		id = identity_copy(arena, id);
		if (!id || walk_next(driver, scan))
			abort();
	}
	walk_close(driver, scan);
	return id;
}

size_t store_count(struct store_driver *driver, const struct pep_scan_query *query)
{
	void *scan = walk_open(driver, query);
	struct pep_error err = {0};
	pep_status status;
	int64_t counted = -1;
	size_t count = 0;

	while (walk_next(driver, scan))
		count++;
	walk_close(driver, scan);
	if (!driver->ops->count)
		return count;
	begin_call(driver);
	status = driver->ops->count(driver->store, query, &counted, &err);
	end_call(driver);
	must_work("count", status, &err);
	assert_int_equal(counted, count);
	return count;
}

#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))

void assert_same_identity(const struct pep_identity *actual, const struct pep_identity *expected)
{
	const char *const *actual_texts = &actual->serial;
	const char *const *expected_texts = &expected->serial;

	assert_true(actual->struct_size >= sizeof(*actual));
	assert_int_equal(actual->state, expected->state);
	assert_int_equal(actual->revision, expected->revision);
	assert_int_equal(actual->created_ms, expected->created_ms);
	assert_int_equal(actual->deployed_ms, expected->deployed_ms);
	assert_int_equal(actual->lease_until_ms, expected->lease_until_ms);
	assert_int_equal(actual->attempt, expected->attempt);
	assert_int_equal(actual->contacted, expected->contacted);
	assert_int_equal(actual->before, expected->before);
	assert_int_equal(actual->generation, expected->generation);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		if (!text_equal(actual_texts[i], expected_texts[i]))
			fail_msg("text %zu is %s instead of %s", i, actual_texts[i] ? actual_texts[i] : "absent",
				 expected_texts[i] ? expected_texts[i] : "absent");
	}
}

/* Only texts that a brief walk may leave out are in this list. */
static bool may_be_missing(const struct pep_identity *id, const char *const *text)
{
	return text == &id->verification_key || text == &id->nonce || text == &id->owner || text == &id->idempotency_key ||
	       text == &id->request_digest || text == &id->request_id || text == &id->history;
}

void assert_same_brief(const struct pep_identity *actual, const struct pep_identity *expected)
{
	struct pep_identity whole = *actual;
	const char **texts = &whole.serial;
	const char *const *expected_texts = &expected->serial;

	if (!whole.revision)
		whole.revision = expected->revision;
	if (!whole.lease_until_ms)
		whole.lease_until_ms = expected->lease_until_ms;
	if (!whole.contacted)
		whole.contacted = expected->contacted;
	if (!whole.before)
		whole.before = expected->before;
	for (size_t i = 0; i < TEXT_COUNT; i++)
		if (!texts[i] && may_be_missing(expected, &expected_texts[i]))
			texts[i] = expected_texts[i];
	assert_same_identity(&whole, expected);
}
