/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/instance.h"
#include "loader_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

/* A plugin that notes which of its functions were called, and with what. */
static struct fake {
	int object, run_object;
	char calls[128];
	pep_status status;
	const void *run;
} fake;
static struct pep_error err;
static const struct pep_identity id = {.struct_size = sizeof(id), .serial = "S"};

static pep_status note(const char *call, const void *run)
{
	assert_true(strlen(fake.calls) + strlen(call) + 2 < sizeof(fake.calls));
	memcpy(fake.calls + strlen(fake.calls), call, strlen(call) + 1);
	fake.run = run;
	return fake.status;
}

static pep_status fake_open(const struct pep_host *host, const union pep_value *values, void **ret_exporter,
			    struct pep_error *ret_err)
{
	(void)values;
	(void)ret_err;
	assert_int_equal(host->struct_size, sizeof(*host));
	*ret_exporter = &fake.object;
	return note("open ", NULL);
}

static void fake_close(void *exporter)
{
	(void)note("close ", exporter);
}

static pep_status fake_begin(void *exporter, struct pep_sink *sink, void **ret_run, struct pep_error *ret_err)
{
	(void)sink;
	(void)ret_err;
	*ret_run = &fake.run_object;
	return note("begin ", exporter);
}

static pep_status fake_record(void *run, struct pep_sink *sink, const struct pep_identity *which, struct pep_error *ret_err)
{
	(void)sink;
	(void)ret_err;
	assert_ptr_equal(which, &id);
	return note("record ", run);
}

static pep_status fake_end(void *run, struct pep_sink *sink, struct pep_error *ret_err)
{
	(void)sink;
	(void)ret_err;
	return note("end ", run);
}

static void fake_drop(void *run)
{
	(void)note("drop ", run);
}

static struct exporter *open_fake(bool is_bare)
{
	static const struct instance_context context = {.plugin_dir = "/p", .data_dir = "/d"};
	static const struct config_instance config = {.name = "labels", .plugin = "fake", .place = {"c.yaml", 3, 5}};
	struct exporter *exporter = NULL;

	stub_library.ops.exporter = (struct pep_exporter_ops){
		.struct_size = sizeof(struct pep_exporter_ops), .media_type = "text/x", .suffix = "x", .record = fake_record};
	if (!is_bare) {
		stub_library.ops.exporter.open = fake_open;
		stub_library.ops.exporter.close = fake_close;
		stub_library.ops.exporter.begin = fake_begin;
		stub_library.ops.exporter.end = fake_end;
		stub_library.ops.exporter.drop = fake_drop;
	}
	err = (struct pep_error){0};
	if (exporter_open(&context, &config, &exporter, &err) != PEP_OK)
		assert_null(exporter);
	return exporter;
}

static void a_run_goes_from_begin_to_drop(void **state)
{
	struct exporter *exporter = open_fake(false);
	struct exporter_run *run = NULL;

	(void)state;
	assert_string_equal(exporter_name(exporter), "labels");
	assert_string_equal(exporter_media_type(exporter), "text/x");
	assert_string_equal(exporter_suffix(exporter), "x");
	assert_int_equal(exporter_begin(exporter, NULL, NULL, &run, &err), PEP_OK);
	assert_ptr_equal(fake.run, &fake.object);
	assert_int_equal(exporter_record(run, NULL, &id, &err), PEP_OK);
	assert_ptr_equal(fake.run, &fake.run_object);
	assert_int_equal(exporter_end(run, NULL, &err), PEP_OK);
	exporter_drop(run);
	exporter_drop(NULL);
	exporter_close(exporter);
	exporter_close(NULL);
	assert_string_equal(fake.calls, "open begin record end drop close ");
}

static void record_alone_is_enough(void **state)
{
	struct exporter *exporter = open_fake(true);
	struct exporter_run *run = NULL;

	(void)state;
	assert_int_equal(exporter_begin(exporter, NULL, NULL, &run, &err), PEP_OK);
	assert_int_equal(exporter_record(run, NULL, &id, &err), PEP_OK);
	assert_null(fake.run);
	assert_int_equal(exporter_end(run, NULL, &err), PEP_OK);
	exporter_drop(run);
	exporter_close(exporter);
	assert_string_equal(fake.calls, "record ");
}

static pep_status fake_rest(void *run, struct pep_sink *sink, bool *ret_more, struct pep_error *ret_err)
{
	(void)sink;
	(void)ret_err;
	*ret_more = true;
	return note("rest ", run);
}

static void fake_describe(void *exporter, const char **ret_media_type, const char **ret_suffix)
{
	(void)note("describe ", exporter);
	*ret_media_type = "text/own";
	*ret_suffix = "own";
}

static void forge_suffix(void *exporter, const char **ret_media_type, const char **ret_suffix)
{
	(void)exporter;
	(void)ret_media_type;
	*ret_suffix = "x\"; evil=\"";
}

static pep_status fake_deliver(void *exporter, const struct pep_identity *which, int64_t *ret_wait_ms, struct pep_error *ret_err)
{
	(void)ret_err;
	assert_ptr_equal(which, &id);
	assert_int_equal(*ret_wait_ms, 0);
	*ret_wait_ms = 7000;
	return note("deliver ", exporter);
}

/* As open_fake(), with the members of 1.1. */
static pep_status open_newer(bool is_push, void (*describe)(void *, const char **, const char **), struct exporter **ret_exporter)
{
	static const struct instance_context context = {.plugin_dir = "/p", .data_dir = "/d"};
	const struct config_instance config = {.name = "labels", .plugin = "fake", .place = {"c.yaml", 3, 5}, .is_push = is_push};

	err = (struct pep_error){0};
	stub_library.ops.exporter.describe = describe;
	return exporter_open(&context, &config, ret_exporter, &err);
}

static void an_instance_describes_itself_and_has_a_rest(void **state)
{
	struct exporter *exporter = open_fake(false);
	struct exporter_run *run = NULL;
	int64_t wait_ms = 1;
	bool more = true;

	(void)state;
	assert_int_equal(exporter_begin(exporter, NULL, NULL, &run, &err), PEP_OK);
	assert_int_equal(exporter_rest(run, NULL, &more, &err), PEP_OK);
	assert_false(more); /* it has no such function */
	assert_false(exporter_has_rest(exporter));
	assert_int_equal(exporter_deliver(exporter, &id, &wait_ms, &err), PEP_UNSUPPORTED);
	assert_int_equal(wait_ms, 0);
	exporter_drop(run);
	exporter_close(exporter);
	stub_library.ops.exporter.rest = fake_rest;
	assert_int_equal(open_newer(false, fake_describe, &exporter), PEP_OK);
	assert_string_equal(exporter_media_type(exporter), "text/own");
	assert_string_equal(exporter_suffix(exporter), "own");
	assert_true(exporter_has_rest(exporter));
	assert_int_equal(exporter_begin(exporter, NULL, NULL, &run, &err), PEP_OK);
	assert_int_equal(exporter_rest(run, NULL, &more, &err), PEP_OK);
	assert_true(more);
	assert_ptr_equal(fake.run, &fake.run_object);
	exporter_drop(run);
	exporter_close(exporter);
	assert_int_equal(open_newer(false, forge_suffix, &exporter), PEP_INVALID);
	assert_non_null(strstr(err.message, "no suffix"));
	assert_string_equal(fake.calls + strlen(fake.calls) - 6, "close ");
}

static void a_subscriber_needs_deliver_and_a_file_needs_record(void **state)
{
	struct exporter *exporter = open_fake(false);
	int64_t wait_ms = 1;

	(void)state;
	exporter_close(exporter);
	assert_int_equal(open_newer(true, NULL, &exporter), PEP_INVALID);
	assert_non_null(strstr(err.message, "name it under \"exporters\""));
	stub_library.ops.exporter.deliver = fake_deliver;
	stub_library.ops.exporter.record = NULL;
	assert_int_equal(open_newer(false, NULL, &exporter), PEP_INVALID);
	assert_non_null(strstr(err.message, "name it under \"push\""));
	assert_int_equal(open_newer(true, NULL, &exporter), PEP_OK);
	assert_int_equal(exporter_deliver(exporter, &id, &wait_ms, &err), PEP_OK);
	assert_int_equal(wait_ms, 7000);
	assert_ptr_equal(fake.run, &fake.object);
	fake.status = 99;
	assert_int_equal(exporter_deliver(exporter, &id, &wait_ms, &err), PEP_INTERNAL);
	fake.status = PEP_OK;
	exporter_close(exporter);
}

static void failures_come_back_and_nothing_is_dropped_twice(void **state)
{
	struct exporter *exporter = open_fake(false);
	struct exporter_run *run = NULL;

	(void)state;
	fake.status = PEP_CANCELLED;
	assert_int_equal(exporter_begin(exporter, NULL, NULL, &run, &err), PEP_CANCELLED);
	assert_null(run);
	assert_non_null(strstr(err.message, "plugin \"labels\" failed"));
	fake.status = PEP_OK;
	assert_int_equal(exporter_begin(exporter, NULL, NULL, &run, &err), PEP_OK);
	fake.status = 500;
	assert_int_equal(exporter_record(run, NULL, &id, &err), PEP_INTERNAL);
	fake.status = PEP_LIMIT;
	assert_int_equal(exporter_end(run, NULL, &err), PEP_LIMIT);
	exporter_drop(run);
	exporter_close(exporter);
	assert_string_equal(fake.calls, "open begin begin record end drop close ");
}

static void a_run_may_have_nothing_to_drop(void **state)
{
	struct exporter *exporter = open_fake(false);
	struct exporter_run *run = NULL;

	(void)state;
	stub_library.ops.exporter.drop = NULL;
	assert_int_equal(exporter_begin(exporter, NULL, NULL, &run, &err), PEP_OK);
	exporter_drop(run);
	exporter_close(exporter);
	assert_string_equal(fake.calls, "open begin close ");
}

static void failing_to_open_leaves_nothing(void **state)
{
	(void)state;
	fake.status = PEP_INVALID;
	assert_null(open_fake(false));
	assert_string_equal(fake.calls, "open ");
}

static int begin(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	stub_library = (struct library){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	return stub_options_open;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_run_goes_from_begin_to_drop, begin, end),
		cmocka_unit_test_setup_teardown(record_alone_is_enough, begin, end),
		cmocka_unit_test_setup_teardown(failures_come_back_and_nothing_is_dropped_twice, begin, end),
		cmocka_unit_test_setup_teardown(a_run_may_have_nothing_to_drop, begin, end),
		cmocka_unit_test_setup_teardown(an_instance_describes_itself_and_has_a_rest, begin, end),
		cmocka_unit_test_setup_teardown(a_subscriber_needs_deliver_and_a_file_needs_record, begin, end),
		cmocka_unit_test_setup_teardown(failing_to_open_leaves_nothing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
