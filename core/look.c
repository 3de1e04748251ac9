/* SPDX-License-Identifier: Apache-2.0 */
#include "core/look.h"

#include "core/api/status.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/http/broadcast.h"
#include "core/service/journal.h"
#include "core/service/orders.h"
#include "core/service/vitals.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_INTERVAL_MS 1000 /* between two messages of /events */
#define EVENT_COMMENT_MS 10000
#define EVENT_REFRESH_MS 15000 /* on a quiet line, too: a new hour, a new day, a store that has not answered for a while */
#define LOOK_INTERVAL_MS 2000  /* between two looks at the store */

/* Those who look on must not take the places of those who work. */
static unsigned event_clients(const struct config *config)
{
	unsigned most = config->connections / 4 ? config->connections / 4 : 1;

	return config->event_clients < most ? config->event_clients : most;
}

static pep_status list_orders(void *context, json_t **ret_list, struct pep_error *err)
{
	return orders_json(context, true, ret_list, err);
}

static void tell_change(void *context)
{
	broadcast_tell(context);
}

/* The certificate that gateways are signed with, where the injector's options name a file: its contract has no call for this. */
static const char *authority_path(const struct config *config)
{
	for (const struct config_option *option = config->injector.options; option; option = option->next)
		if (strcmp(option->key, "ca_certificate") == 0)
			return option->value[0] == '/' ? option->value : NULL;
	return NULL;
}

static pep_status start_journal(struct look *look, const char *folder, struct pep_error *err)
{
	int64_t now_ms = clock_wall_ms();
	struct pep_error ignored = {0};
	pep_status status = journal_new(now_ms, &look->journal, err);

	/* Without it the picture is not whole, and all else works. */
	if (status == PEP_OK && journal_recall(look->journal, folder, now_ms, &ignored) != PEP_OK)
		log_event(LOG_WARNING, "the dashboard begins anew", LOG_TEXT("error", ignored.message));
	return status;
}

static pep_status start_broadcast(struct look *look, const struct look_setup *setup, struct pep_error *err)
{
	const struct broadcast_settings settings = {.readers = event_clients(setup->config),
						    .message_size = STATUS_LIMIT,
						    .interval_ms = EVENT_INTERVAL_MS,
						    .comment_ms = EVENT_COMMENT_MS,
						    .refresh_ms = EVENT_REFRESH_MS,
						    .make = api_make_event,
						    .context = setup->api};

	return broadcast_new(&settings, &look->broadcast, err);
}

static pep_status start_vitals(struct look *look, const struct look_setup *setup, struct pep_error *err)
{
	const struct vitals_settings settings = {.storage = setup->storage,
						 .spool = setup->spool,
						 .push = setup->push,
						 .audit = setup->audit,
						 .data_dir = setup->config->data_dir,
						 .authority_path = authority_path(setup->config),
						 .tls_path = setup->config->tls_certificate,
						 .list_orders = setup->orders ? list_orders : NULL,
						 .orders_context = setup->orders,
						 .changed = tell_change,
						 .changed_context = look->broadcast,
						 .interval_ms = LOOK_INTERVAL_MS};

	return vitals_new(&settings, &look->vitals, err);
}

pep_status look_start(struct look *look, const struct look_setup *setup, struct pep_error *err)
{
	pep_status status = start_journal(look, setup->config->data_dir, err);

	if (status != PEP_OK)
		return status;
	look->export_meters = calloc(setup->config->exporter_count + 1, sizeof(*look->export_meters));
	if (!look->export_meters)
		return pep_fail(err, PEP_NO_MEMORY, 0, "out of memory");
	status = start_broadcast(look, setup, err);
	return status == PEP_OK ? start_vitals(look, setup, err) : status;
}

void look_stop(struct look *look)
{
	vitals_free(look->vitals);
	broadcast_free(look->broadcast);
	free(look->export_meters);
	journal_free(look->journal);
	*look = (struct look){0};
}
