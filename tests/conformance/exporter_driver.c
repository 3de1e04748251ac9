/* SPDX-License-Identifier: Apache-2.0 */
#include "exporter_driver.h"

#include "core/base/text.h"
#include "plugin_table.h"
#include "poison.h"
#include "scarcity.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST ((size_t)1 << 12)
#define ROOM_MAX ((size_t)1 << 20)
#define REST_MAX 100000u /* calls of rest() after one other call */

/* What a failure must say; a sink that refused has said it already. */
static void check_answer(const char *call, pep_status status, const struct output *output, const struct pep_error *err)
{
	pep_status refused = output ? output->refused : PEP_OK;
	bool is_hostile = output && output->hostile;
	size_t size = strnlen(err->message, sizeof(err->message));

	suite_expect(status >= PEP_OK && status <= PEP_UNKNOWN, "%s() returned %d, which is no status", call, (int)status);
	if (refused != PEP_OK) {
		suite_expect(status == refused, "write() returned %d, and %s() returned %d: it must pass up what the sink said",
			     (int)refused, call, (int)status);
		return;
	}
	if (status == PEP_OK)
		return;
	suite_expect(err->status == status, "%s() returned %d, and its error says %d", call, (int)status, (int)err->status);
	suite_expect(size > 0 && size < sizeof(err->message) && (is_hostile || text_is_printable(err->message, size)),
		     "%s() failed without a message of one line, UTF-8, without control characters", call);
}

static void describe(struct driver *driver)
{
	driver->media_type = driver->ops->media_type;
	driver->suffix = driver->ops->suffix;
	if (!driver->ops->describe)
		return;
	driver->ops->describe(driver->exporter, &driver->media_type, &driver->suffix);
	suite_expect(driver->media_type && strchr(driver->media_type, '/'), "describe() gives no media type");
	suite_expect(driver->suffix && *driver->suffix, "describe() gives no suffix");
}

pep_status driver_try_open(struct driver *driver, const struct exporter_facts *facts, struct pep_error *ret_err)
{
	pep_status status = PEP_OK;
	struct pep_error err = {0};

	*driver = (struct driver){.facts = facts, .ops = facts->ops, .host = plugin_table_host()};
	(void)pthread_mutex_init(&driver->one_at_a_time, NULL);
	scarcity_enter();
	if (driver->ops->open)
		status = driver->ops->open(&driver->host, facts->values, &driver->exporter, &err);
	scarcity_leave();
	check_answer("open", status, NULL, &err);
	if (status != PEP_OK) {
		(void)pthread_mutex_destroy(&driver->one_at_a_time);
		*ret_err = err;
	}
	if (status == PEP_OK)
		describe(driver);
	return status;
}

void driver_open(struct driver *driver, const struct exporter_facts *facts)
{
	struct pep_error err;

	if (driver_try_open(driver, facts, &err) != PEP_OK)
		suite_fail("open() failed: %s", err.message);
}

void driver_close(struct driver *driver)
{
	if (driver->ops->close)
		driver->ops->close(driver->exporter);
	(void)pthread_mutex_destroy(&driver->one_at_a_time);
}

static void enter(struct driver *driver)
{
	if (driver->ops->threads == PEP_THREADS_SERIAL)
		(void)pthread_mutex_lock(&driver->one_at_a_time);
	scarcity_enter();
}

static void leave(struct driver *driver)
{
	scarcity_leave();
	if (driver->ops->threads == PEP_THREADS_SERIAL)
		(void)pthread_mutex_unlock(&driver->one_at_a_time);
}

static pep_status answered(struct driver_run *run, const char *call, pep_status status, const struct pep_error *err)
{
	leave(run->driver);
	check_answer(call, status, run->output, err);
	run->output->err = *err;
	return status;
}

static pep_status refuse(struct output *output, pep_status status)
{
	output->refused = status;
	return status;
}

/* The suite's own memory is always there: no allocation of it fails. */
static void make_room(struct output *output)
{
	scarcity_leave();
	while (output->size >= output->room)
		output->room *= 2;
	suite_expect(output->room <= ROOM_MAX, "over %zu bytes for so few records", ROOM_MAX);
	output->text = realloc(output->text, output->room);
	suite_expect(output->text, "the suite itself is out of memory");
	scarcity_enter();
}

static pep_status write_output(struct pep_sink *sink, const void *data, size_t size)
{
	struct output *output = sink->ctx;

	suite_expect(output->refused == PEP_OK, "write() was called again after it had returned %d", (int)output->refused);
	suite_expect(data || size == 0, "write() was called with %zu bytes at NULL", size);
	output->writes++;
	if (output->writes == output->refuse_at)
		return refuse(output, output->refusal);
	if (size > output->call_room)
		return refuse(output, PEP_LIMIT);
	output->call_room -= size;
	output->size += size;
	if (output->forget || !data || size == 0)
		return PEP_OK;
	if (output->size >= output->room)
		make_room(output);
	memcpy(output->text + output->size - size, data, size);
	output->text[output->size] = '\0';
	return PEP_OK;
}

/* What did not fit into the room of the last call. */
static pep_status take_rest(struct driver_run *run)
{
	const struct pep_exporter_ops *ops = run->driver->ops;
	bool more = ops->rest != NULL;

	for (unsigned i = 0; more; i++) {
		struct pep_error err = {0};
		pep_status status;

		suite_expect(i < REST_MAX, "rest() says %u times that there is more", REST_MAX);
		more = false;
		run->output->call_room = PEP_SINK_ROOM;
		enter(run->driver);
		status = ops->rest(run->run, &run->sink, &more, &err);
		status = answered(run, "rest", status, &err);
		if (status != PEP_OK)
			return status;
	}
	return PEP_OK;
}

pep_status driver_begin(struct driver *driver, struct output *output, struct driver_run *ret_run)
{
	pep_status status = PEP_OK;
	struct pep_error err = {0};

	*ret_run = (struct driver_run){.driver = driver, .output = output, .run = driver->exporter};
	ret_run->sink = (struct pep_sink){.struct_size = sizeof(ret_run->sink), .ctx = output, .write = write_output};
	if (!output->forget && !output->text) {
		output->room = ROOM_FIRST;
		output->text = calloc(1, output->room);
		suite_expect(output->text, "the suite itself is out of memory");
	}
	output->call_room = PEP_SINK_ROOM;
	enter(driver);
	if (driver->ops->begin_profile)
		status = driver->ops->begin_profile(driver->exporter, driver->facts->profile, &ret_run->sink, &ret_run->run, &err);
	else if (driver->ops->begin)
		status = driver->ops->begin(driver->exporter, &ret_run->sink, &ret_run->run, &err);
	status = answered(ret_run, "begin", status, &err);
	if (status != PEP_OK)
		return status;
	status = take_rest(ret_run);
	if (status != PEP_OK)
		driver_drop(ret_run);
	return status;
}

static struct pep_identity *copy_record(const struct pep_identity *id)
{
	struct pep_identity *copy = poison_copy(id);

	suite_expect(copy, "the suite itself is out of memory");
	return copy;
}

pep_status driver_check(struct driver_run *run, const struct pep_identity *id)
{
	struct pep_identity *copy;
	struct pep_error err = {0};
	pep_status status;

	if (!run->driver->ops->check)
		return PEP_UNSUPPORTED;
	copy = copy_record(id);
	enter(run->driver);
	status = run->driver->ops->check(run->run, copy, &err);
	leave(run->driver);
	poison_free(copy);
	if (status != PEP_UNSUPPORTED)
		check_answer("check", status, run->output, &err);
	run->output->err = err;
	return status;
}

pep_status driver_record(struct driver_run *run, const struct pep_identity *id)
{
	struct pep_identity *copy = run->output->lend ? NULL : copy_record(id);
	struct pep_error err = {0};
	pep_status status;

	run->output->call_room = PEP_SINK_ROOM;
	enter(run->driver);
	status = run->driver->ops->record(run->run, &run->sink, copy ? copy : id, &err);
	status = answered(run, "record", status, &err);
	if (copy)
		poison_free(copy);
	return status == PEP_OK ? take_rest(run) : status;
}

pep_status driver_end(struct driver_run *run)
{
	pep_status status = PEP_OK;
	struct pep_error err = {0};

	run->output->call_room = PEP_SINK_ROOM;
	enter(run->driver);
	if (run->driver->ops->end)
		status = run->driver->ops->end(run->run, &run->sink, &err);
	status = answered(run, "end", status, &err);
	return status == PEP_OK ? take_rest(run) : status;
}

void driver_drop(struct driver_run *run)
{
	const struct pep_exporter_ops *ops = run->driver->ops;

	if (!ops->drop || (!ops->begin && !ops->begin_profile))
		return;
	enter(run->driver);
	ops->drop(run->run);
	leave(run->driver);
}

static pep_status check_all(struct driver_run *run, const struct pep_identity *const *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pep_status status = driver_check(run, records[i]);

		if (status == PEP_UNSUPPORTED && i == 0)
			return PEP_OK;
		if (status != PEP_OK)
			return status;
	}
	return PEP_OK;
}

pep_status driver_export(struct driver *driver, struct output *output, const struct pep_identity *const *records, size_t count)
{
	struct driver_run run;
	pep_status status = driver_begin(driver, output, &run);

	if (status != PEP_OK)
		return status;
	status = check_all(&run, records, count);
	for (size_t i = 0; i < count && status == PEP_OK; i++)
		status = driver_record(&run, records[i]);
	if (status == PEP_OK)
		status = driver_end(&run);
	driver_drop(&run);
	return status;
}

void output_free(struct output *output)
{
	free(output->text);
	output->text = NULL;
}
