/* SPDX-License-Identifier: Apache-2.0 */
#include "exporter_driver.h"

#include "plugin_table.h"
#include "poison.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void driver_open(struct driver *driver, const struct exporter_facts *facts)
{
	struct pep_error err = {0};

	*driver = (struct driver){.facts = facts, .host = plugin_table_host()};
	driver->ops = plugin_table_load(facts->file, PEP_EXPORTER)->ops;
	assert_int_equal(pthread_mutex_init(&driver->one_at_a_time, NULL), 0);
	if (driver->ops->open && driver->ops->open(&driver->host, facts->values, &driver->exporter, &err) != PEP_OK)
		fail_msg("open: %s", err.message);
}

void driver_close(struct driver *driver)
{
	if (driver->ops->close)
		driver->ops->close(driver->exporter);
	assert_int_equal(pthread_mutex_destroy(&driver->one_at_a_time), 0);
}

static void enter(struct driver *driver)
{
	if (driver->ops->threads == PEP_THREADS_SERIAL)
		(void)pthread_mutex_lock(&driver->one_at_a_time);
}

static void leave(struct driver *driver)
{
	if (driver->ops->threads == PEP_THREADS_SERIAL)
		(void)pthread_mutex_unlock(&driver->one_at_a_time);
}

static pep_status write_output(struct pep_sink *sink, const void *data, size_t size)
{
	struct output *output = sink->ctx;

	output->writes++;
	if (output->writes == output->refuse_at)
		return output->refusal;
	if (size > output->call_room)
		return PEP_LIMIT;
	output->call_room -= size;
	output->size += size;
	if (output->forget)
		return PEP_OK;
	if (!output->text)
		output->text = malloc(output->room);
	if (!output->text || output->size >= output->room)
		abort();
	memcpy(output->text + output->size - size, data, size);
	return PEP_OK;
}

pep_status driver_begin(struct driver *driver, struct output *output, struct driver_run *ret_run)
{
	pep_status status = PEP_OK;
	struct pep_error err = {0};

	*ret_run = (struct driver_run){.driver = driver, .output = output, .run = driver->exporter};
	ret_run->sink = (struct pep_sink){.struct_size = sizeof(ret_run->sink), .ctx = output, .write = write_output};
	output->call_room = PEP_SINK_ROOM;
	enter(driver);
	if (driver->ops->begin_profile)
		status = driver->ops->begin_profile(driver->exporter, driver->facts->profile, &ret_run->sink, &ret_run->run, &err);
	else if (driver->ops->begin)
		status = driver->ops->begin(driver->exporter, &ret_run->sink, &ret_run->run, &err);
	leave(driver);
	return status;
}

pep_status driver_record(struct driver_run *run, const struct pep_identity *id)
{
	struct pep_identity *copy = poison_copy(id);
	struct pep_error err = {0};
	pep_status status;

	if (!copy)
		abort();
	run->output->call_room = PEP_SINK_ROOM;
	enter(run->driver);
	status = run->driver->ops->record(run->run, &run->sink, copy, &err);
	leave(run->driver);
	poison_free(copy);
	return status;
}

pep_status driver_end(struct driver_run *run)
{
	pep_status status = PEP_OK;
	struct pep_error err = {0};

	run->output->call_room = PEP_SINK_ROOM;
	enter(run->driver);
	if (run->driver->ops->end)
		status = run->driver->ops->end(run->run, &run->sink, &err);
	leave(run->driver);
	return status;
}

void driver_drop(struct driver_run *run)
{
	enter(run->driver);
	if (run->driver->ops->drop)
		run->driver->ops->drop(run->run);
	leave(run->driver);
}

pep_status driver_export(struct driver *driver, struct output *output, const struct pep_identity *const *records, size_t count)
{
	struct driver_run run;
	pep_status status = driver_begin(driver, output, &run);

	if (status != PEP_OK)
		return status;
	for (size_t i = 0; i < count && status == PEP_OK; i++)
		status = driver_record(&run, records[i]);
	if (status == PEP_OK)
		status = driver_end(&run);
	driver_drop(&run);
	return status;
}

void output_terminate(struct output *output)
{
	if (!output->text)
		output->text = malloc(output->room);
	if (!output->text || output->size >= output->room)
		abort();
	output->text[output->size] = '\0';
}

void output_free(struct output *output)
{
	free(output->text);
	output->text = NULL;
}
