/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include "fault.h"

#include <time.h>

#define WIRE_VERSION_MIN 9 /* MongoDB 4.4 */
/* After a wait for a server that was in vain the others are refused at once: else a hundred requests would each wait as long, one behind
 * the other. */
#define PAUSE_MS 200

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

pep_status link_fail(struct link *link, pep_status status, const bson_error_t *error, const char *doing, struct pep_error *err)
{
	if (error->domain == MONGOC_ERROR_SERVER_SELECTION) {
		(void)pthread_mutex_lock(&link->lock);
		link->down_until_ms = now_ms() + PAUSE_MS;
		(void)fault_fail(&link->down_error, PEP_UNAVAILABLE, error, "use", link->address.name);
		(void)pthread_mutex_unlock(&link->lock);
	}
	return fault_fail(err, status, error, doing, link->address.name);
}

/* What a server says about itself. */
struct server_facts {
	int64_t now_ms;
	int32_t wire_version;
	bool writable, replicated;
};

static bool ask(mongoc_client_t *client, struct server_facts *ret_facts, bson_error_t *error)
{
	mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
	bson_t *command = BCON_NEW("isMaster", BCON_INT32(1)), reply;
	bool good = mongoc_client_command_simple(client, "admin", command, primary, &reply, error);
	bson_iter_t iter;

	/* The driver does not try commands again, and the connection may have been lost since it was used last. */
	if (!good && !fault_is_before_sending(error)) {
		bson_destroy(&reply);
		good = mongoc_client_command_simple(client, "admin", command, primary, &reply, error);
	}

	*ret_facts = (struct server_facts){0};
	if (good && bson_iter_init_find(&iter, &reply, "localTime") && BSON_ITER_HOLDS_DATE_TIME(&iter))
		ret_facts->now_ms = bson_iter_date_time(&iter);
	if (good && bson_iter_init_find(&iter, &reply, "maxWireVersion"))
		ret_facts->wire_version = (int32_t)bson_iter_as_int64(&iter);
	if (good && bson_iter_init_find(&iter, &reply, "ismaster"))
		ret_facts->writable = bson_iter_as_bool(&iter);
	if (good)
		ret_facts->replicated = bson_has_field(&reply, "setName") || bson_has_field(&reply, "msg");
	bson_destroy(&reply);
	bson_destroy(command);
	mongoc_read_prefs_destroy(primary);
	return good;
}

pep_status link_ask(struct link *link, mongoc_client_t *client, int64_t *ret_now_ms, struct pep_error *err)
{
	struct server_facts facts;
	bson_error_t error = {0};

	if (!ask(client, &facts, &error))
		return link_fail(link, PEP_UNAVAILABLE, &error, "use", err);
	if (!facts.writable || facts.now_ms == 0)
		return pep_fail(err, PEP_UNAVAILABLE, 0, "cannot use %s: the server takes no writes now", link->address.name);
	*ret_now_ms = facts.now_ms;
	return PEP_OK;
}

static pep_status meet(struct link *link, struct pep_error *err)
{
	struct server_facts facts;
	bson_error_t error = {0};
	mongoc_client_t *client = mongoc_client_pool_pop(link->pool);
	bool good = ask(client, &facts, &error);

	mongoc_client_pool_push(link->pool, client);
	if (!good)
		return fault_fail(err, fault_of_start(&error), &error, "open", link->address.name);
	if (facts.wire_version < WIRE_VERSION_MIN)
		return pep_fail(err, PEP_INVALID, facts.wire_version,
				"cannot use %s: the server is older than MongoDB 4.4; update it", link->address.name);
	link->replicated = facts.replicated;
	return PEP_OK;
}

pep_status link_open(struct link *link, const struct pep_host *host, const struct address_setup *setup, struct pep_error *err)
{
	bson_error_t error = {0};
	pep_status status;

	mongoc_init(); /* does nothing the second time; the driver cleans up when the process ends */
	*link = (struct link){.host = host, .timeout_ms = setup->timeout_ms};
	(void)pthread_mutex_init(&link->lock, NULL);
	driver_log_start(&link->log, host);
	status = address_init(&link->address, setup, err);
	if (status != PEP_OK) {
		driver_log_stop(&link->log);
		(void)pthread_mutex_destroy(&link->lock);
		return status;
	}
	link->pool = mongoc_client_pool_new_with_error(link->address.uri, &error);
	if (link->pool) {
		(void)mongoc_client_pool_set_error_api(link->pool, MONGOC_ERROR_API_VERSION_2);
		(void)mongoc_client_pool_set_appname(link->pool, "pep-server");
		status = meet(link, err);
	} else {
		status = fault_fail(err, PEP_INVALID, &error, "open", link->address.name);
	}
	if (status != PEP_OK)
		link_close(link);
	return status;
}

void link_close(struct link *link)
{
	if (link->pool)
		mongoc_client_pool_destroy(link->pool);
	driver_log_stop(&link->log);
	(void)pthread_mutex_destroy(&link->lock);
	address_fini(&link->address);
}

static bool is_down(struct link *link, struct pep_error *err)
{
	bool down;

	(void)pthread_mutex_lock(&link->lock);
	down = now_ms() < link->down_until_ms;
	if (down && err)
		*err = link->down_error;
	(void)pthread_mutex_unlock(&link->lock);
	return down;
}

pep_status link_take(struct link *link, struct link_use *ret_use, struct pep_error *err)
{
	struct link_use use = {0};

	if (is_down(link, err))
		return PEP_UNAVAILABLE;
	use.client = mongoc_client_pool_pop(link->pool);
	if (!use.client)
		return pep_fail(err, PEP_UNAVAILABLE, 0,
				"cannot use %s: all connections are in use; raise connections, or look at its load",
				link->address.name);
	use.collection = mongoc_client_get_collection(use.client, link->address.database, LINK_COLLECTION);
	*ret_use = use;
	return PEP_OK;
}

void link_give(struct link *link, struct link_use *use)
{
	mongoc_collection_destroy(use->collection);
	mongoc_client_pool_push(link->pool, use->client);
}
