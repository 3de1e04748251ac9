/* SPDX-License-Identifier: Apache-2.0 */
#include "core/service/vitals.h"

#include "core/base/cleanup.h"
#include "core/base/clock.h"
#include "core/service/audit.h"
#include "core/service/certificate_end.h"
#include "core/service/push.h"
#include "core/service/spool.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define EXPIRY_DAYS 30
/* A look that takes longer than so many intervals is held up by the store. */
#define LATE_INTERVALS 5
/* Counting may take one part in so many of the time: a large store is counted seldom. */
#define COUNT_SHARE 50
#define COUNT_INTERVAL_MS 15000
#define COUNT_VALID_MS 60000 /* after the next one is due */

struct vitals {
	struct vitals_settings settings;
	pthread_t thread;
	bool is_running;
	int64_t count_after_ms; /* the thread's own: not before then (clock_boot_ms()) */
	pthread_mutex_t mutex;  /* of what follows */
	pthread_cond_t wake;
	bool is_stopping;
	int64_t begun_ms;       /* the look that is under way (clock_boot_ms()); 0: none is */
	int64_t valid_until_ms; /* the numbers of the report (clock_boot_ms()); 0: there are none */
	struct vitals_report report;
	json_t *orders;
};

/* --- one look, without the lock --- */

__attribute__((format(printf, 4, 5))) static void add_check(struct vitals_report *report, const char *name, bool is_ok,
							    const char *format, ...)
{
	struct vitals_check *check = &report->checks[report->check_count];
	va_list args;

	if (report->check_count == VITALS_CHECKS)
		return;
	report->check_count++;
	(void)snprintf(check->name, sizeof(check->name), "%s", name);
	check->is_ok = is_ok;
	va_start(args, format);
	(void)vsnprintf(check->detail, sizeof(check->detail), format, args);
	va_end(args);
}

static void check_storage(const struct vitals *vitals, struct vitals_report *report)
{
	struct pep_error err = {0};
	pep_status status = storage_ping(vitals->settings.storage, &err);

	if (status == PEP_OK)
		add_check(report, "storage", true, "ok");
	else
		add_check(report, "storage", false, "%s", err.message[0] ? err.message : "it does not answer");
}

static void check_spool(const struct vitals *vitals, struct vitals_report *report)
{
	unsigned count = spool_count(vitals->settings.spool);

	add_check(report, "spool", count == 0, "%u waiting", count);
}

int64_t vitals_disk_free(const char *path)
{
	struct statvfs disk;

	return statvfs(path, &disk) == 0 ? (int64_t)disk.f_bavail * (int64_t)disk.f_frsize : -1;
}

static void check_disk(const struct vitals *vitals, struct vitals_report *report)
{
	int64_t bytes = vitals_disk_free(vitals->settings.data_dir);

	if (bytes < 0)
		add_check(report, "disk", false, "the data folder cannot be looked at");
	else
		add_check(report, "disk", bytes >= VITALS_DISK_MIN, "%lld MB free", (long long)(bytes / 1000000));
}

static void check_audit(const struct vitals *vitals, struct vitals_report *report)
{
	struct audit_report audit;

	audit_report(vitals->settings.audit, &audit);
	if (!audit.is_well)
		add_check(report, "audit", false, "it cannot be written, and changes are refused; %u events wait", audit.waiting);
	else if (audit.is_altered)
		add_check(report, "audit", false, "somebody has changed it; run pep-server audit verify");
	else
		add_check(report, "audit", true, "ok");
}

static void check_subscriber(struct vitals *vitals, size_t i, struct vitals_report *report)
{
	struct subscriber_report of;
	char name[80];
	bool is_ok;

	push_report(vitals->settings.push, i, &of);
	(void)snprintf(name, sizeof(name), "push %s", of.name);
	is_ok = of.state != SUBSCRIBER_FAILING && of.state != SUBSCRIBER_WAITING && of.dead_letters == 0;
	if (*of.error)
		add_check(report, name, is_ok, "%lld behind, %zu set aside: %.160s", (long long)of.backlog, of.dead_letters,
			  of.error);
	else
		add_check(report, name, is_ok, "%lld behind, %zu set aside", (long long)of.backlog, of.dead_letters);
}

static int64_t check_certificate(const char *name, const char *path, struct vitals_report *report)
{
	struct pep_error err = {0};
	int64_t end_ms = 0;
	int64_t days;

	if (!path)
		return 0;
	if (certificate_end(path, &end_ms, &err) != PEP_OK) {
		add_check(report, name, false, "%s", err.message);
		return 0;
	}
	days = (end_ms - clock_wall_ms()) / DAY_MS;
	if (end_ms <= clock_wall_ms())
		add_check(report, name, false, "it has expired");
	else
		add_check(report, name, days >= EXPIRY_DAYS, "%lld days left", (long long)days);
	return end_ms;
}

static void look(struct vitals *vitals, struct vitals_report *report)
{
	const struct vitals_settings *settings = &vitals->settings;
	size_t pushes = push_count(settings->push);

	check_storage(vitals, report);
	check_spool(vitals, report);
	check_disk(vitals, report);
	check_audit(vitals, report);
	report->authority_ms = check_certificate("ca", settings->authority_path, report);
	report->tls_ms = check_certificate("tls", settings->tls_path, report);
	for (size_t i = 0; i < pushes; i++)
		check_subscriber(vitals, i, report);
}

/* True: every state was counted. */
static bool count(struct vitals *vitals, int64_t units[PEP_RETIRED + 1])
{
	for (uint32_t state = PEP_CLAIMED; state <= PEP_RETIRED; state++) {
		const struct pep_scan_query query = {.struct_size = sizeof(query), .state = state};
		struct pep_error err = {0};

		if (storage_count(vitals->settings.storage, &query, &units[state], &err) != PEP_OK)
			return false;
	}
	return true;
}

/* --- the lock --- */

static void begin(struct vitals *vitals)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&vitals->mutex);

	(void)lock;
	vitals->begun_ms = clock_boot_ms();
}

static bool checks_differ(const struct vitals_report *a, const struct vitals_report *b)
{
	if (a->check_count != b->check_count || a->authority_ms != b->authority_ms || a->tls_ms != b->tls_ms)
		return true;
	for (size_t i = 0; i < a->check_count; i++)
		if (a->checks[i].is_ok != b->checks[i].is_ok || strcmp(a->checks[i].name, b->checks[i].name) != 0)
			return true;
	return false;
}

/* Takes over `orders`. True: it is not as it was, for those who watch. */
static bool keep_look(struct vitals *vitals, struct vitals_report *report, json_t *orders)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&vitals->mutex);
	bool differs = checks_differ(report, &vitals->report) || (orders != vitals->orders && !json_equal(orders, vitals->orders));

	(void)lock;
	memcpy(report->units, vitals->report.units, sizeof(report->units));
	vitals->report = *report;
	json_decref(vitals->orders);
	vitals->orders = orders;
	return differs;
}

static void keep_count(struct vitals *vitals, const int64_t units[PEP_RETIRED + 1], bool is_good)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&vitals->mutex);

	(void)lock;
	vitals->valid_until_ms = is_good ? vitals->count_after_ms + COUNT_VALID_MS : 0;
	if (is_good)
		memcpy(vitals->report.units, units, sizeof(vitals->report.units));
}

static void take_look(struct vitals *vitals)
{
	const struct vitals_settings *settings = &vitals->settings;
	struct vitals_report report = {.check_count = 0};
	struct pep_error err = {0};
	json_t *orders = NULL;

	look(vitals, &report);
	if (settings->list_orders && settings->list_orders(settings->orders_context, &orders, &err) != PEP_OK)
		orders = vitals_orders(vitals); /* as they were */
	if (keep_look(vitals, &report, orders) && settings->changed)
		settings->changed(settings->changed_context);
}

static void take_count(struct vitals *vitals)
{
	int64_t units[PEP_RETIRED + 1] = {0};
	int64_t begun_ms = clock_boot_ms();
	int64_t rest_ms;
	bool is_good;

	if (begun_ms < vitals->count_after_ms)
		return;
	is_good = count(vitals, units);
	rest_ms = (clock_boot_ms() - begun_ms) * COUNT_SHARE;
	vitals->count_after_ms = clock_boot_ms() + (rest_ms > COUNT_INTERVAL_MS ? rest_ms : COUNT_INTERVAL_MS);
	keep_count(vitals, units, is_good);
}

/* False: it is to end. */
static bool rest(struct vitals *vitals)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&vitals->mutex);
	struct timespec until = {0};
	int waited = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(vitals->settings.interval_ms / 1000);
	until.tv_nsec += (long)(vitals->settings.interval_ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	vitals->begun_ms = 0;
	while (!vitals->is_stopping && waited == 0)
		waited = pthread_cond_timedwait(&vitals->wake, lock, &until);
	return !vitals->is_stopping;
}

static void *run(void *context)
{
	struct vitals *vitals = context;

	begin(vitals);
	take_count(vitals);
	while (rest(vitals)) {
		begin(vitals);
		take_look(vitals);
		take_count(vitals);
	}
	return NULL;
}

/* --- --- */

static pep_status start(struct vitals *vitals, struct pep_error *err)
{
	sigset_t all;
	sigset_t before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&vitals->thread, NULL, run, vitals);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return pep_fail(err, PEP_LIMIT, error,
				"start the thread that looks at the store: %s; allow the server more threads", strerror(error));
	vitals->is_running = true;
	(void)pthread_setname_np(vitals->thread, "pep-vitals");
	return PEP_OK;
}

pep_status vitals_new(const struct vitals_settings *settings, struct vitals **ret_vitals, struct pep_error *err)
{
	struct vitals *vitals = calloc(1, sizeof(*vitals));
	pthread_condattr_t attributes;
	pep_status status;

	if (!vitals)
		return pep_fail(err, PEP_NO_MEMORY, 0, "look at the store: out of memory");
	vitals->settings = *settings;
	(void)pthread_mutex_init(&vitals->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&vitals->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	take_look(vitals);
	status = start(vitals, err);
	if (status != PEP_OK) {
		vitals_free(vitals);
		return status;
	}
	*ret_vitals = vitals;
	return PEP_OK;
}

static void tell_to_stop(struct vitals *vitals)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&vitals->mutex);

	(void)lock;
	vitals->is_stopping = true;
	(void)pthread_cond_signal(&vitals->wake);
}

void vitals_free(struct vitals *vitals)
{
	if (!vitals)
		return;
	tell_to_stop(vitals);
	if (vitals->is_running)
		(void)pthread_join(vitals->thread, NULL);
	json_decref(vitals->orders);
	(void)pthread_cond_destroy(&vitals->wake);
	(void)pthread_mutex_destroy(&vitals->mutex);
	free(vitals);
}

/* With the lock held: the store does not let the look go on. */
static void tell_late(const struct vitals *vitals, int64_t now_ms, struct vitals_report *report)
{
	int64_t late_ms = vitals->begun_ms ? now_ms - vitals->begun_ms : 0;

	if (late_ms <= LATE_INTERVALS * vitals->settings.interval_ms)
		return;
	report->has_units = false;
	for (size_t i = 0; i < report->check_count; i++) {
		struct vitals_check *check = &report->checks[i];

		if (strcmp(check->name, "storage") != 0)
			continue;
		check->is_ok = false;
		(void)snprintf(check->detail, sizeof(check->detail), "it has not answered for %lld s", (long long)late_ms / 1000);
	}
}

void vitals_report(struct vitals *vitals, struct vitals_report *ret_report)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&vitals->mutex);
	int64_t now_ms = clock_boot_ms();

	(void)lock;
	*ret_report = vitals->report;
	ret_report->has_units = now_ms < vitals->valid_until_ms;
	if (vitals->report.check_count && !vitals->report.checks[0].is_ok) /* the store */
		ret_report->has_units = false;
	tell_late(vitals, now_ms, ret_report);
}

json_t *vitals_orders(struct vitals *vitals)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&vitals->mutex);

	(void)lock;
	/* A copy: the library's counter of references is not safe between threads. */
	return json_deep_copy(vitals->orders);
}
