/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/schema.h"

#include "core/config/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above it. */
#include <cmocka.h>

#define ROOT PEP_TEST_SOURCE_DIR

static struct pep_error err;

static char *read_text(const char *path)
{
	char *text = NULL;
	size_t size;

	if (file_read(path, 1u << 20, &text, &size, &err) != PEP_OK)
		fail_msg("%s", err.message);
	assert_non_null(text);
	return text;
}

static struct config *load(const char *path)
{
	struct config *config = NULL;

	if (config_load(path, &config, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return config;
}

/* Every key has a default that its own reading takes: config_load_from() with no file would have failed otherwise. */
static struct config *defaults(void)
{
	const struct config_source source = {.injector_is_optional = true};
	struct config *config = NULL;

	if (config_load_from(&source, &config, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return config;
}

static bool is_text(enum schema_type type)
{
	return type <= SCHEMA_PATTERN;
}

static size_t value_size(const struct schema_key *key)
{
	switch (key->type) {
	case SCHEMA_PORT:
		return sizeof(uint16_t);
	case SCHEMA_SPAN:
		return sizeof(int64_t);
	case SCHEMA_BOOL:
		return sizeof(bool);
	default:
		return sizeof(int);
	}
}

static void assert_same(const struct schema_key *key, const struct config *a, const struct config *b)
{
	const char *a_member = (const char *)a + key->offset, *b_member = (const char *)b + key->offset;
	const char *a_text, *b_text;
	bool same;

	if (key->type == SCHEMA_NETWORKS) {
		const struct config_network *const *a_list = (const void *)a_member, *const *b_list = (const void *)b_member;
		size_t count = *(const size_t *)(const void *)((const char *)a + key->count_offset);

		same = count == *(const size_t *)(const void *)((const char *)b + key->count_offset) &&
		       (!count || memcmp(*a_list, *b_list, count * sizeof(**a_list)) == 0);
	} else if (is_text(key->type)) {
		memcpy(&a_text, a_member, sizeof(a_text));
		memcpy(&b_text, b_member, sizeof(b_text));
		same = a_text && b_text ? strcmp(a_text, b_text) == 0 : a_text == b_text;
	} else {
		same = memcmp(a_member, b_member, value_size(key)) == 0;
	}
	if (!same)
		fail_msg("%s.%s differs from its default", key->section, key->name);
}

static void the_shown_configuration_is_the_default(void **state)
{
	struct config *shown = load(ROOT "/conf/pep.yaml"), *plain = defaults();

	(void)state;
	for (size_t i = 0; i < schema_count; i++)
		assert_same(&schema_keys[i], shown, plain);
	assert_string_equal(shown->storage.plugin, plain->storage.plugin);
	assert_int_equal(shown->exporter_count, plain->exporter_count);
	for (size_t i = 0; i < plain->exporter_count; i++)
		assert_string_equal(shown->exporters[i].name, plain->exporters[i].name);
	assert_string_equal(shown->injector.plugin, "mock");
	config_free(shown);
	config_free(plain);
}

/* Is there a line that says "KEY:", perhaps behind a '#', within the text of the section? */
static bool shows(const char *text, const struct schema_key *key)
{
	char section[64], plain[64], commented[64];
	const char *start, *found;

	(void)snprintf(section, sizeof(section), "\n%s:\n", key->section);
	(void)snprintf(plain, sizeof(plain), "\n  %s:", key->name);
	(void)snprintf(commented, sizeof(commented), "\n  # %s:", key->name);
	start = strstr(text, section);
	if (!start)
		return false;
	found = strstr(start, plain);
	return found || strstr(start, commented);
}

static void every_key_is_shown(void **state)
{
	char *text = read_text(ROOT "/conf/pep.yaml");

	(void)state;
	for (size_t i = 0; i < schema_count; i++)
		if (!shows(text, &schema_keys[i]))
			fail_msg("conf/pep.yaml does not show %s.%s", schema_keys[i].section, schema_keys[i].name);
	free(text);
}

/* The manual has each key as "*key* = default" at the start of a line. */
static void every_key_is_in_the_manual(void **state)
{
	char *text = read_text(ROOT "/docs/man/pep.yaml.5.scd");

	(void)state;
	for (size_t i = 0; i < schema_count; i++) {
		const struct schema_key *key = &schema_keys[i];
		char entry[64];
		const char *found, *line_end, *fallback;

		(void)snprintf(entry, sizeof(entry), "\n*%s*: ", key->name);
		found = strstr(text, entry);
		if (!found) {
			fail_msg("pep.yaml(5) does not explain %s.%s", key->section, key->name);
			continue; /* never reached, but fail_msg() does not say so */
		}
		line_end = strchr(found + 1, '\n');
		fallback = key->fallback && strcmp(key->name, "plugin_dir") != 0 ? strstr(found, key->fallback) : found;
		if (!fallback || fallback > line_end)
			fail_msg("pep.yaml(5) gives another default of %s.%s than %s", key->section, key->name, key->fallback);
	}
	free(text);
}

static void the_examples_are_good(void **state)
{
	struct config *ci = load(ROOT "/conf/examples/ci-mock.yaml"), *factory = load(ROOT "/conf/examples/factory-sqlite.yaml");

	(void)state;
	assert_int_equal(ci->port, 0);
	assert_string_equal(ci->injector.plugin, "mock");
	assert_int_equal(ci->network_count, 2);
	assert_string_equal(factory->storage.plugin, "sqlite");
	assert_true(factory->lease_ms > factory->injection_timeout_ms);
	config_free(ci);
	config_free(factory);
}

static void the_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < schema_count; i++) {
		const struct schema_key *key = &schema_keys[i];

		assert_ptr_equal(schema_find(key->section, key->name), key); /* no key twice */
		assert_true(key->offset < sizeof(struct config));
		assert_non_null(key->help);
		assert_true((key->type == SCHEMA_CHOICE) == (key->choices != NULL));
		assert_true(key->min <= key->max);
		for (size_t other = 0; other < i; other++)
			assert_int_not_equal(key->offset, schema_keys[other].offset);
	}
	assert_null(schema_find("server", "lease"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shown_configuration_is_the_default),
		cmocka_unit_test(every_key_is_shown),
		cmocka_unit_test(every_key_is_in_the_manual),
		cmocka_unit_test(the_examples_are_good),
		cmocka_unit_test(the_table_is_sound),
	};

	if (unsetenv("PEP_SERVER_PORT"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
