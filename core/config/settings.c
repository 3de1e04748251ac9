/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/settings.h"

#include "core/base/text.h"
#include "core/config/place.h"
#include "core/config/schema.h"

#include <string.h>

static struct parse_node *new_text(struct arena *arena, const char *text, size_t size, const struct config_place *place)
{
	struct parse_node *node = arena_zalloc(arena, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = PARSE_TEXT;
	node->place = node->key_place = *place;
	node->text = arena_copy(arena, text, size);
	return node->text ? node : NULL;
}

struct parse_node *settings_list(struct arena *arena, const char *text, const struct config_place *place)
{
	struct parse_node *list = arena_zalloc(arena, sizeof(*list));
	struct parse_node **tail = list ? &list->first : NULL;

	if (!list)
		return NULL;
	list->kind = PARSE_LIST;
	list->place = list->key_place = *place;
	while (*text) {
		size_t size = strcspn(text, ",");
		const char *end = text + size;

		text += strspn(text, " ");
		size = (size_t)(end - text);
		while (size && text[size - 1] == ' ')
			size--;
		*tail = new_text(arena, text, size, place);
		if (!*tail)
			return NULL;
		tail = &(*tail)->next;
		text = end + (*end == ',');
	}
	return list;
}

/* The map's entry of a key, made if there is none. NULL: out of memory. */
static struct parse_node *entry(struct arena *arena, struct parse_node *map, const char *key, const struct config_place *place)
{
	struct parse_node **tail = &map->first;

	while (*tail) {
		if (strcmp((*tail)->key, key) == 0)
			return *tail;
		tail = &(*tail)->next;
	}
	*tail = new_text(arena, "", 0, place);
	if (!*tail)
		return NULL;
	(*tail)->is_absent = true;
	(*tail)->key = arena_text(arena, key);
	return (*tail)->key ? *tail : NULL;
}

/* "storage: sqlite" is short for "storage: {plugin: sqlite}": other keys need the long form. */
static bool become_map(struct arena *arena, struct parse_node *node)
{
	struct parse_node *plugin;

	if (node->kind != PARSE_TEXT)
		return true;
	node->kind = PARSE_MAP;
	if (node->is_absent) {
		node->is_absent = false;
		return true;
	}
	plugin = entry(arena, node, "plugin", &node->place);
	if (!plugin)
		return false;
	plugin->text = node->text;
	plugin->is_absent = false;
	return true;
}

static bool is_list(const char *section, const char *key)
{
	const struct schema_key *known = key ? schema_find(section, key) : NULL;

	return known ? known->type == SCHEMA_NETWORKS : strcmp(section, "exporters") == 0;
}

static bool put(struct arena *arena, struct parse_node *root, const struct config_place *place, const char *section,
		const char *key, const char *value)
{
	struct parse_node *node = entry(arena, root, section, place), *next, *made;
	const char *name;

	if (node && key)
		node = become_map(arena, node) ? entry(arena, node, key, place) : NULL;
	made = is_list(section, key) ? settings_list(arena, value, place) : new_text(arena, value, strlen(value), place);
	if (!node || !made)
		return false;
	next = node->next;
	name = node->key;
	*node = *made;
	node->next = next;
	node->key = name;
	return true;
}

pep_status settings_apply(struct arena *arena, struct parse_node *root, const char *origin, const char *path, const char *value,
			  struct pep_error *err)
{
	struct config_place place = {.file = origin};
	const char *dot = strchr(path, '.');
	char *section = dot ? arena_copy(arena, path, (size_t)(dot - path)) : arena_text(arena, path);

	if (!section)
		return pep_fail(err, PEP_NO_MEMORY, 0, "%s: out of memory", origin);
	if (strcmp(section, "exporters") == 0 ? dot != NULL : !dot || !dot[1] || strchr(dot + 1, '.'))
		return place_fail(err, PEP_INVALID, &place, "write SECTION.KEY=VALUE, or exporters=NAME,NAME");
	if (!text_is_printable(value, strlen(value)))
		return place_fail(err, PEP_INVALID, &place, "control characters or bytes that are not UTF-8 in the value");
	if (!put(arena, root, &place, section, dot ? dot + 1 : NULL, value))
		return pep_fail(err, PEP_NO_MEMORY, 0, "%s: out of memory", origin);
	return PEP_OK;
}
