/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo_world.h"

#include "plugin_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_COUNT ((sizeof(struct pep_identity) - offsetof(struct pep_identity, serial)) / sizeof(const char *))

void mongo_world_init(struct mongo_world *world, const char *const *options)
{
	*world = (struct mongo_world){.ops = plugin_table_load(PEP_TEST_PLUGIN_DIR "/mongo.so", PEP_STORAGE)->ops,
				      .host = plugin_table_host()};
	mongo_place_init(&world->place, options);
	mongo_world_next(world);
}

void mongo_world_fini(struct mongo_world *world)
{
	if (world->client) {
		mongoc_client_destroy(world->client);
		mongo_place_clean(&world->place, world->number + 1);
	}
	mongo_place_fini(&world->place);
}

void mongo_world_next(struct mongo_world *world)
{
	mongo_place_uri(&world->place, ++world->number, NULL, world->uri);
}

pep_status mongo_world_try(struct mongo_world *world, const char *uri, const char *password, void **ret_store,
			   struct pep_error *err)
{
	union pep_value values[MONGO_OPTION_COUNT];

	mongo_place_values(uri, password, values);
	return world->ops->open(&world->host, values, ret_store, err);
}

void *mongo_world_open(struct mongo_world *world)
{
	struct pep_error err = {0};
	void *store = NULL;

	if (mongo_world_try(world, world->uri, NULL, &store, &err) != PEP_OK)
		fail_msg("%s", err.message);
	return store;
}

void mongo_world_refuse(struct mongo_world *world, const char *uri, const char *password, pep_status status, const char *part,
			const char *secret)
{
	struct pep_error err = {0};
	void *store = NULL;
	pep_status got = mongo_world_try(world, uri, password, &store, &err);

	if (got == PEP_OK)
		world->ops->close(store);
	if (got != status || !strstr(err.message, part))
		fail_msg("%d: %s (wanted: %d, ...%s...)", (int)got, err.message, (int)status, part);
	if (strchr(err.message, '\n') || (secret && strstr(err.message, secret)))
		fail_msg("%s", err.message);
	(void)printf("             %s\n", err.message);
}

bson_t *mongo_world_run(struct mongo_world *world, bool admin, const char *json)
{
	bson_error_t error = {0};
	bson_t *command = bson_new_from_json((const uint8_t *)json, -1, &error), *reply, raw;
	char database[64];

	(void)snprintf(database, sizeof(database), "pep_test_%d_%u", (int)getpid(), world->number);
	if (!world->client)
		world->client = mongoc_client_new(world->place.uri);
	if (!command || !world->client ||
	    !mongoc_client_command_simple(world->client, admin ? "admin" : database, command, NULL, &raw, &error))
		fail_msg("%s: %s", json, error.message);
	assert_false(bson_has_field(&raw, "writeErrors"));
	reply = bson_copy(&raw);
	bson_destroy(&raw);
	bson_destroy(command);
	return reply;
}

void mongo_world_do(struct mongo_world *world, bool admin, const char *json)
{
	bson_destroy(mongo_world_run(world, admin, json));
}

char *mongo_world_document(struct mongo_world *world, const char *serial)
{
	char json[256];
	bson_t *reply, first;
	bson_iter_t iter, found;
	uint32_t size;
	const uint8_t *data;
	char *text;

	(void)snprintf(json, sizeof(json), "{\"find\": \"edge_identities\", \"filter\": {\"serialNumber\": \"%s\"}}", serial);
	reply = mongo_world_run(world, false, json);
	assert_true(bson_iter_init(&iter, reply) && bson_iter_find_descendant(&iter, "cursor.firstBatch.0", &found));
	bson_iter_document(&found, &size, &data);
	assert_true(bson_init_static(&first, data, size));
	text = bson_as_relaxed_extended_json(&first, NULL);
	bson_destroy(reply);
	return text;
}

/* In one piece of memory. */
static struct pep_identity *copy(const struct pep_identity *id)
{
	const char *const *texts = &id->serial;
	size_t size = sizeof(*id);
	struct pep_identity *own;
	const char **own_texts;
	char *next;

	for (size_t i = 0; i < TEXT_COUNT; i++)
		size += texts[i] ? strlen(texts[i]) + 1 : 0;
	own = malloc(size);
	assert_non_null(own);
	memcpy(own, id, sizeof(*own));
	own_texts = &own->serial;
	next = (char *)(own + 1);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		if (!texts[i])
			continue;
		own_texts[i] = memcpy(next, texts[i], strlen(texts[i]) + 1);
		next += strlen(next) + 1;
	}
	return own;
}

struct pep_identity *mongo_world_get(struct mongo_world *world, void *store, const char *serial)
{
	const struct pep_scan_query query = {.struct_size = sizeof(query), .serial = serial};
	const struct pep_identity *id = NULL;
	struct pep_identity *own = NULL;
	struct pep_error err = {0};
	void *scan = NULL;

	if (world->ops->scan_open(store, &query, &scan, &err) != PEP_OK || world->ops->scan_next(scan, &id, &err) != PEP_OK)
		fail_msg("%s", err.message);
	if (id)
		own = copy(id);
	world->ops->scan_close(scan);
	return own;
}
