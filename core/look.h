/* SPDX-License-Identifier: Apache-2.0
 *
 * look.h - what a server has for those who look on: the picture of the day, counts, checks, and who is told of news.
 */
#ifndef CORE_LOOK_H
#define CORE_LOOK_H

#include "core/api/api.h"
#include "core/http/traffic.h"
#include "core/service/meters.h"

struct orders;

/* Zeroed at first; does not move while it runs. */
struct look {
	struct journal *journal;
	struct meters meters;
	struct meters_export *export_meters;
	struct traffic traffic;
	struct broadcast *broadcast;
	struct vitals *vitals;
};

/* Borrowed until look_stop(); `api` is read when somebody watches, so it is to be filled before the listener starts. */
struct look_setup {
	const struct config *config;
	struct storage *storage;
	struct spool *spool;
	struct push *push;
	struct audit *audit;
	struct orders *orders; /* NULL: there are none */
	struct api_context *api;
};

/* On failure, too, it is to be stopped. [main thread] */
pep_status look_start(struct look *look, const struct look_setup *setup, struct pep_error *err);
/* After the listener. Again, or without a start: nothing. [main thread] */
void look_stop(struct look *look);

#endif
