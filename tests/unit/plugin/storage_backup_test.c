/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plugin/instance.h"
#include "loader_stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

/* What the plugin answers, and whether it was asked. */
static struct fake {
	pep_status status;
	int backups, restores;
} fake;
static struct pep_error err;
static const struct instance_context context = {.plugin_dir = "/plugins", .data_dir = "/data"};
static const struct config_instance config = {.name = "storage", .plugin = "fake"};

static pep_status answer(const struct pep_host *host, const char *path, struct pep_storage_copy *ret_copy,
			 struct pep_error *ret_err)
{
	assert_non_null(host->log);
	assert_string_equal(path, "/backup");
	assert_int_equal(ret_copy->struct_size, sizeof(*ret_copy));
	assert_int_equal(ret_copy->record_count, 0);
	if (fake.status != PEP_OK)
		return pep_fail(ret_err, fake.status, 0, "fake says no");
	ret_copy->record_count = 7;
	memset(ret_copy->kept, 'k', sizeof(ret_copy->kept)); /* and no end */
	return PEP_OK;
}

static pep_status fake_backup(const struct pep_host *host, const union pep_value *values, const char *path,
			      struct pep_storage_copy *ret_copy, struct pep_error *ret_err)
{
	(void)values;
	fake.backups++;
	return answer(host, path, ret_copy, ret_err);
}

static pep_status fake_restore(const struct pep_host *host, const union pep_value *values, const char *path,
			       struct pep_storage_copy *ret_copy, struct pep_error *ret_err)
{
	(void)values;
	fake.restores++;
	return answer(host, path, ret_copy, ret_err);
}

static int set_up(void **state)
{
	(void)state;
	fake = (struct fake){0};
	err = (struct pep_error){0};
	stub_load_fails = stub_options_fail = false;
	stub_library = (struct library){.ops.storage = {.backup = fake_backup, .restore = fake_restore}};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return stub_options_open;
}

static void each_call_reaches_its_function(void **state)
{
	struct pep_storage_copy copy = {0};

	(void)state;
	assert_int_equal(storage_backup(&context, &config, "/backup", &copy, &err), PEP_OK);
	assert_int_equal(copy.record_count, 7);
	assert_int_equal(strlen(copy.kept), sizeof(copy.kept) - 1);
	copy = (struct pep_storage_copy){0};
	assert_int_equal(storage_restore(&context, &config, "/backup", &copy, &err), PEP_OK);
	assert_int_equal(copy.record_count, 7);
	assert_int_equal(fake.backups, 1);
	assert_int_equal(fake.restores, 1);
}

static void a_failure_is_passed_on(void **state)
{
	struct pep_storage_copy copy = {.record_count = -1};

	(void)state;
	fake.status = PEP_CONFLICT;
	assert_int_equal(storage_restore(&context, &config, "/backup", &copy, &err), PEP_CONFLICT);
	assert_string_equal(err.message, "fake says no");
	fake.status = 99;
	assert_int_equal(storage_backup(&context, &config, "/backup", &copy, &err), PEP_INTERNAL);
	assert_int_equal(copy.record_count, -1);
}

static void a_plugin_without_it_names_the_tools(void **state)
{
	struct pep_storage_copy copy;

	(void)state;
	stub_library.ops.storage = (struct pep_storage_ops){0};
	assert_int_equal(storage_backup(&context, &config, "/backup", &copy, &err), PEP_UNSUPPORTED);
	assert_non_null(strstr(err.message, "\"fake\""));
	assert_non_null(strstr(err.message, "pg_dump"));
	assert_non_null(strstr(err.message, "mongodump"));
	assert_int_equal(storage_restore(&context, &config, "/backup", &copy, &err), PEP_UNSUPPORTED);
}

static void a_wrong_configuration_is_refused(void **state)
{
	struct pep_storage_copy copy;

	(void)state;
	assert_int_equal(storage_check(&context, &config, &err), PEP_OK);
	stub_options_fail = true;
	assert_int_equal(storage_check(&context, &config, &err), PEP_INVALID);
	assert_int_equal(storage_backup(&context, &config, "/backup", &copy, &err), PEP_INVALID);
	assert_int_equal(storage_restore(&context, &config, "/backup", &copy, &err), PEP_INVALID);
	assert_string_equal(err.message, "c.yaml:1:1: options are refused");
	assert_int_equal(fake.backups + fake.restores, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_call_reaches_its_function),
		TEST(a_failure_is_passed_on),
		TEST(a_plugin_without_it_names_the_tools),
		TEST(a_wrong_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
