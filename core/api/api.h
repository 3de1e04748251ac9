/* SPDX-License-Identifier: Apache-2.0
 *
 * api.h - the resources of the HTTP API: what each handler is given, and the table of routes.
 */
#ifndef CORE_API_API_H
#define CORE_API_API_H

#include "core/config/config.h"
#include "core/http/router.h"
#include "core/plugin/instance.h"

#include <regex.h>

struct audit;
struct provisioner;
struct broadcast;
struct buffer;
struct meters;
struct meters_export;
struct push;
struct spool;
struct journal;
struct journal_attempt;
struct traffic;
struct vitals;

/* The `context` of every handler. Set up by the server before the listener starts, unchanged until it stopped. */
struct api_context {
	const struct config *config;
	struct storage *storage;
	_Atomic(uint16_t) own_port; /* where the server listens; 0: not yet */
	struct exporter *const *exporters;
	size_t exporter_count;
	struct provisioner *provisioner;
	struct spool *spool;
	struct audit *audit;
	struct push *push;             /* NULL: nobody is told */
	const regex_t *serial_pattern; /* NULL: none */
	struct journal *journal;
	struct meters *meters;
	struct meters_export *export_meters; /* one for each exporter */
	struct vitals *vitals;
	struct traffic *traffic;
	struct broadcast *broadcast; /* of /events */
	const struct route *routes;  /* the listener's */
	_Atomic(unsigned) walks;     /* through the audit, for one serial number: under way */
	int64_t started_ms;          /* this server, since 1970 */
};

#define API_ROUTE_COUNT 32u

/* The table of routes, ended by a NULL path. `inline_reads`: lookups of one record may run on an HTTP thread. */
void api_routes(bool inline_reads, struct route ret_routes[API_ROUTE_COUNT]);

/* Handlers: [any thread], `context` is a struct api_context. */
void api_identity(void *context, struct http_request *request, struct http_reply *reply);
void api_enrollment_id(void *context, struct http_request *request, struct http_reply *reply);
void api_verification_key(void *context, struct http_request *request, struct http_reply *reply);
void api_enrollment_ids(void *context, struct http_request *request, struct http_reply *reply);
void api_export(void *context, struct http_request *request, struct http_reply *reply);
void api_audit(void *context, struct http_request *request, struct http_reply *reply);
void api_docs(void *context, struct http_request *request, struct http_reply *reply);
void api_dashboard(void *context, struct http_request *request, struct http_reply *reply);
void api_orders(void *context, struct http_request *request, struct http_reply *reply);
void api_order(void *context, struct http_request *request, struct http_reply *reply);
void api_identities(void *context, struct http_request *request, struct http_reply *reply);
/* The part of api_identities() that is GET .../SERIAL/events. */
void api_identity_events(void *context, struct http_request *request, struct http_reply *reply, const char *serial);
void api_healthz(void *context, struct http_request *request, struct http_reply *reply);
void api_events(void *context, struct http_request *request, struct http_reply *reply);
void api_metrics(void *context, struct http_request *request, struct http_reply *reply);
void api_version(void *context, struct http_request *request, struct http_reply *reply);
void api_status(void *context, struct http_request *request, struct http_reply *reply);
void api_readyz(void *context, struct http_request *request, struct http_reply *reply);

/* An attempt has ended: the picture of the day, the metrics and who watches /events learn of it. [any thread] */
void api_observe(const struct api_context *api, const struct journal_attempt *attempt);
/* One server-sent event with what /status says; what failed is remembered by the buffer. [any thread] */
void api_make_event(void *context, struct buffer *message);

#endif
