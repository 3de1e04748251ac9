/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/parse.h"

#include "core/base/cleanup.h"
#include "core/base/text.h"
#include "core/config/place.h"

#include <string.h>
#include <yaml.h>

#define DEPTH_LIMIT 8u   /* ours needs 4: the root, a section, a list, an instance */
#define KEY_LIMIT 256u   /* keys in one map; keeps the search for repeated ones short */
#define TEXT_LIMIT 4096u /* bytes of one text */

struct parser {
	yaml_parser_t yaml;
	struct arena *arena;
	const char *file, *text;
	struct pep_error *err;
};

static pep_status parse_value(struct parser *parser, const yaml_event_t *event, unsigned depth, struct parse_node **ret_node);

static struct config_place place_of(const struct parser *parser, const yaml_mark_t *mark)
{
	return (struct config_place){.file = parser->file, .line = (unsigned)mark->line + 1, .column = (unsigned)mark->column + 1};
}

/* libyaml gives the offset, not the line, of a character that it refuses. */
static struct config_place place_of_offset(const struct parser *parser, size_t offset)
{
	struct config_place place = {.file = parser->file, .line = 1, .column = 1};

	for (size_t i = 0; i < offset; i++) {
		place.column++;
		if (parser->text[i] != '\n')
			continue;
		place.line++;
		place.column = 1;
	}
	return place;
}

static pep_status no_memory(const struct parser *parser)
{
	return pep_fail(parser->err, PEP_NO_MEMORY, 0, "%s: out of memory while reading the configuration", parser->file);
}

static pep_status yaml_failed(const struct parser *parser)
{
	const yaml_parser_t *yaml = &parser->yaml;
	struct config_place place;

	if (yaml->error == YAML_MEMORY_ERROR)
		return no_memory(parser);
	place = yaml->error == YAML_READER_ERROR ? place_of_offset(parser, yaml->problem_offset)
						 : place_of(parser, &yaml->problem_mark);
	return place_fail(parser->err, PEP_INVALID, &place, "not YAML: %s%s%s%s", yaml->problem ? yaml->problem : "cannot be read",
			  yaml->context ? " " : "", yaml->context ? yaml->context : "",
			  yaml->problem && strstr(yaml->problem, "cannot start any token") ? "; indent with spaces, not with tabs"
											   : "");
}

static pep_status next_event(struct parser *parser, yaml_event_t *ret_event)
{
	return yaml_parser_parse(&parser->yaml, ret_event) ? PEP_OK : yaml_failed(parser);
}

static struct parse_node *new_node(struct parser *parser, enum parse_kind kind, const yaml_event_t *event)
{
	struct parse_node *node = arena_zalloc(parser->arena, sizeof(*node));

	if (!node) {
		(void)no_memory(parser);
		return NULL;
	}
	node->kind = kind;
	node->place = place_of(parser, &event->start_mark);
	return node;
}

static pep_status read_text(struct parser *parser, const yaml_event_t *event, struct parse_node **ret_node)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t size = event->data.scalar.length;
	struct parse_node *node = new_node(parser, PARSE_TEXT, event);

	if (!node)
		return PEP_NO_MEMORY;
	if (size > TEXT_LIMIT)
		return place_fail(parser->err, PEP_LIMIT, &node->place, "a value of %zu bytes; %u are allowed", size, TEXT_LIMIT);
	if (!text_is_printable(text, size))
		return place_fail(parser->err, PEP_INVALID, &node->place,
				  "control characters or line breaks in a value; write it in one line");
	node->is_absent = size == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_copy(parser->arena, text, size);
	if (!node->text)
		return no_memory(parser);
	*ret_node = node;
	return PEP_OK;
}

static pep_status read_key(struct parser *parser, const struct parse_node *map, const yaml_event_t *event,
			   struct parse_node **ret_key)
{
	const struct parse_node *other;
	struct parse_node *key = NULL;
	pep_status status = parse_value(parser, event, DEPTH_LIMIT, &key);

	if (status != PEP_OK)
		return status;
	if (key->kind != PARSE_TEXT)
		return place_fail(parser->err, PEP_INVALID, &key->place, "a key must be a plain word");
	other = parse_find(map, key->text);
	if (other)
		return place_fail(parser->err, PEP_INVALID, &key->place,
				  "key \"%s\" is repeated, the first one is in line %u; remove one", key->text,
				  other->key_place.line);
	*ret_key = key;
	return PEP_OK;
}

static pep_status read_map(struct parser *parser, const yaml_event_t *start, unsigned depth, struct parse_node **ret_node)
{
	struct parse_node *map = new_node(parser, PARSE_MAP, start);
	struct parse_node **tail = map ? &map->first : NULL;

	if (!map)
		return PEP_NO_MEMORY;
	for (unsigned count = 0;; count++) {
		AUTO(yaml_event_delete) yaml_event_t key_event = {0};
		AUTO(yaml_event_delete) yaml_event_t value_event = {0};
		struct parse_node *key = NULL, *value = NULL;
		pep_status status = next_event(parser, &key_event);

		if (status == PEP_OK && key_event.type == YAML_MAPPING_END_EVENT)
			break;
		if (count >= KEY_LIMIT)
			return place_fail(parser->err, PEP_LIMIT, &map->place, "more than %u keys in one place", KEY_LIMIT);
		if (status == PEP_OK)
			status = read_key(parser, map, &key_event, &key);
		if (status == PEP_OK)
			status = next_event(parser, &value_event);
		if (status == PEP_OK)
			status = parse_value(parser, &value_event, depth + 1, &value);
		if (status != PEP_OK || !key || !value)
			return status;
		value->key = key->text;
		value->key_place = key->place;
		*tail = value;
		tail = &value->next;
	}
	*ret_node = map;
	return PEP_OK;
}

static pep_status read_list(struct parser *parser, const yaml_event_t *start, unsigned depth, struct parse_node **ret_node)
{
	struct parse_node *list = new_node(parser, PARSE_LIST, start);
	struct parse_node **tail = list ? &list->first : NULL;

	if (!list)
		return PEP_NO_MEMORY;
	for (unsigned count = 0;; count++) {
		AUTO(yaml_event_delete) yaml_event_t event = {0};
		pep_status status = next_event(parser, &event);

		if (status == PEP_OK && event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (count >= KEY_LIMIT)
			return place_fail(parser->err, PEP_LIMIT, &list->place, "more than %u entries in one list", KEY_LIMIT);
		if (status == PEP_OK)
			status = parse_value(parser, &event, depth + 1, tail);
		if (status != PEP_OK)
			return status;
		tail = &(*tail)->next;
	}
	*ret_node = list;
	return PEP_OK;
}

/* Whatever would make a value mean something else than its text. */
static const char *decoration(const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_ALIAS_EVENT)
		return "an alias (*name)";
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	}
	return anchor ? "an anchor (&name)" : tag ? "a tag (!name)" : NULL;
}

static pep_status parse_value(struct parser *parser, const yaml_event_t *event, unsigned depth, struct parse_node **ret_node)
{
	struct config_place place = place_of(parser, &event->start_mark);
	const char *what = decoration(event);

	if (what)
		return place_fail(parser->err, PEP_INVALID, &place,
				  "%s is not supported here; write the plain value, in quotes if need be", what);
	if (event->type == YAML_SCALAR_EVENT)
		return read_text(parser, event, ret_node);
	if (depth >= DEPTH_LIMIT)
		return place_fail(parser->err, PEP_INVALID, &place, "a list or map has no place here");
	if (event->type == YAML_MAPPING_START_EVENT)
		return read_map(parser, event, depth, ret_node);
	return read_list(parser, event, depth, ret_node);
}

static pep_status check_root(struct parser *parser, struct parse_node *root)
{
	if (root->kind == PARSE_TEXT && root->is_absent)
		root->kind = PARSE_MAP;
	if (root->kind != PARSE_MAP)
		return place_fail(parser->err, PEP_INVALID, &root->place,
				  "expected sections such as \"server:\", found something else");
	return PEP_OK;
}

/* Everything between the start and the end of the stream. */
static pep_status read_stream(struct parser *parser, struct parse_node **ret_root)
{
	struct parse_node *root = NULL;

	for (;;) {
		AUTO(yaml_event_delete) yaml_event_t event = {0};
		pep_status status = next_event(parser, &event);
		struct config_place place;

		if (status != PEP_OK)
			return status;
		if (event.type == YAML_STREAM_END_EVENT)
			break;
		if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT ||
		    event.type == YAML_DOCUMENT_END_EVENT)
			continue;
		place = place_of(parser, &event.start_mark);
		if (root)
			return place_fail(parser->err, PEP_INVALID, &place, "a second document; a configuration is a single one");
		status = parse_value(parser, &event, 0, &root);
		if (status == PEP_OK && root)
			status = check_root(parser, root);
		if (status != PEP_OK)
			return status;
	}
	if (!root)
		root = arena_zalloc(parser->arena, sizeof(*root));
	if (!root)
		return no_memory(parser);
	root->kind = PARSE_MAP;
	*ret_root = root;
	return PEP_OK;
}

pep_status parse_text(struct arena *arena, const char *file, const char *text, size_t size, struct parse_node **ret_root,
		      struct pep_error *err)
{
	struct parser parser = {.arena = arena, .file = file, .text = text, .err = err};
	pep_status status;

	if (size > PARSE_FILE_LIMIT)
		return pep_fail(err, PEP_LIMIT, 0, "%s: over %zu bytes; that is no configuration", file, PARSE_FILE_LIMIT);
	if (!text_is_utf8(text, size))
		return pep_fail(err, PEP_INVALID, 0, "%s: not UTF-8; save it with that encoding", file);
	if (!yaml_parser_initialize(&parser.yaml))
		return no_memory(&parser);
	yaml_parser_set_encoding(&parser.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser.yaml, (const unsigned char *)text, size);
	status = read_stream(&parser, ret_root);
	yaml_parser_delete(&parser.yaml);
	return status;
}

struct parse_node *parse_find(const struct parse_node *map, const char *key)
{
	struct parse_node *node = map->first;

	while (node && strcmp(node->key, key) != 0)
		node = node->next;
	return node;
}
