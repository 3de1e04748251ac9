/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include "core/base/cleanup.h"
#include "core/base/identity.h"
#include "core/config/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RULES_MAX 64u
#define LINE_SIZE 512u
#define BIT(kind) (1u << (unsigned)(kind))
#define WRITES (BIT(CALL_INSERT) | BIT(CALL_UPDATE))
#define READS (BIT(CALL_GET) | BIT(CALL_WALK) | BIT(CALL_NEXT) | BIT(CALL_NOW) | BIT(CALL_COUNT))

struct rule {
	unsigned calls; /* BIT()s */
	uint32_t state; /* 0: any */
	char serial[65];
	int64_t skip, times, ms;
	int64_t seen; /* calls that fitted */
	enum fault fault;
};

struct rules {
	pthread_mutex_t mutex;
	char *path;
	struct stat info; /* of the file as it was read; zero: there was none */
	uint64_t version;
	struct pep_error problem;
	struct rule list[RULES_MAX];
	size_t count;
};

/* A name and what it stands for. */
struct word {
	const char *name;
	unsigned meaning;
};
static const struct word call_words[] = {
	{"insert", BIT(CALL_INSERT)},
	{"update", BIT(CALL_UPDATE)},
	{"get", BIT(CALL_GET)},
	{"walk", BIT(CALL_WALK)},
	{"next", BIT(CALL_NEXT)},
	{"now", BIT(CALL_NOW)},
	{"count", BIT(CALL_COUNT)},
	{"ping", BIT(CALL_PING)},
	{"write", WRITES},
	{"read", READS},
	{"any", UINT32_MAX},
	{NULL, 0},
};
static const struct word fault_words[] = {
	{"pass", FAULT_PASS},
	{"unavailable", FAULT_UNAVAILABLE},
	{"unknown-applied", FAULT_APPLIED},
	{"unknown-not-applied", FAULT_NOT_APPLIED},
	{"unknown-late", FAULT_LATE},
	{"slow", FAULT_SLOW},
	{"hold", FAULT_HOLD},
	{NULL, 0},
};

static const struct word *find_word(const struct word *words, const char *name)
{
	while (words->name && strcmp(words->name, name) != 0)
		words++;
	return words->name ? words : NULL;
}

static const char *name_of(const struct word *words, unsigned meaning)
{
	while (words->name && words->meaning != meaning)
		words++;
	return words->name ? words->name : "?";
}

const char *rules_fault_name(enum fault fault)
{
	return name_of(fault_words, fault);
}

const char *rules_call_name(enum call_kind kind)
{
	return name_of(call_words, BIT(kind));
}

static bool set_member(struct rule *rule, const char *key, const char *value)
{
	const struct word *word;

	if (strcmp(key, "call") == 0) {
		word = find_word(call_words, value);
		rule->calls = word ? word->meaning : 0;
		return word;
	}
	if (strcmp(key, "fault") == 0) {
		word = find_word(fault_words, value);
		rule->fault = word ? (enum fault)word->meaning : FAULT_PASS;
		return word;
	}
	if (strcmp(key, "state") == 0) {
		rule->state = identity_state_from_name(value);
		return rule->state != 0;
	}
	if (strcmp(key, "serial") == 0)
		return snprintf(rule->serial, sizeof(rule->serial), "%s", value) < (int)sizeof(rule->serial);
	if (strcmp(key, "skip") == 0)
		return value_int(value, &rule->skip);
	if (strcmp(key, "times") == 0)
		return value_int(value, &rule->times);
	return strcmp(key, "ms") == 0 && value_int(value, &rule->ms);
}

static bool read_rule(char *line, struct rule *ret_rule)
{
	bool has_fault = false;
	char *rest = NULL;

	*ret_rule = (struct rule){0};
	for (char *word = strtok_r(line, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
		char *value = strchr(word, '=');

		if (!value)
			return false;
		*value++ = '\0';
		if (!set_member(ret_rule, word, value))
			return false;
		has_fault = has_fault || strcmp(word, "fault") == 0;
	}
	return has_fault && ret_rule->calls;
}

static void read_file(struct rules *rules, FILE *file)
{
	char line[LINE_SIZE];

	for (unsigned number = 1; fgets(line, sizeof(line), file); number++) {
		if (line[strspn(line, " \t\n")] == '\0' || line[0] == '#')
			continue;
		if (rules->count < RULES_MAX && read_rule(line, &rules->list[rules->count])) {
			rules->count++;
			continue;
		}
		(void)pep_fail(&rules->problem, PEP_INVALID, 0, "faulty: line %u of %s is no rule, or one too many", number,
			       rules->path);
		return;
	}
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* With the lock held. */
static void look_again(struct rules *rules)
{
	struct stat info = {0};
	FILE *file;

	if (stat(rules->path, &info) != 0)
		info = (struct stat){0};
	if (is_same(&info, &rules->info))
		return;
	file = fopen(rules->path, "re");
	if (file && fstat(fileno(file), &info) != 0)
		info = (struct stat){0};
	rules->info = info;
	rules->version++;
	rules->count = 0;
	rules->problem = (struct pep_error){0};
	if (!file)
		return;
	read_file(rules, file);
	(void)fclose(file);
}

struct rules *rules_new(const char *path)
{
	struct rules *rules = calloc(1, sizeof(*rules));

	if (!rules)
		return NULL;
	rules->path = strdup(path);
	if (!rules->path) {
		free(rules);
		return NULL;
	}
	(void)pthread_mutex_init(&rules->mutex, NULL);
	return rules;
}

void rules_free(struct rules *rules)
{
	(void)pthread_mutex_destroy(&rules->mutex);
	free(rules->path);
	free(rules);
}

static bool fits(const struct rule *rule, const struct call *call)
{
	if (!(rule->calls & BIT(call->kind)) || (rule->state && rule->state != call->state))
		return false;
	return !*rule->serial || (call->serial && strncmp(call->serial, rule->serial, strlen(rule->serial)) == 0);
}

pep_status rules_judge(struct rules *rules, const struct call *call, struct verdict *ret_verdict, struct pep_error *err)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&rules->mutex);

	(void)lock;
	look_again(rules);
	if (rules->problem.status != PEP_OK) {
		if (err)
			*err = rules->problem;
		return rules->problem.status;
	}
	*ret_verdict = (struct verdict){.fault = FAULT_PASS, .version = rules->version};
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->list[i];
		int64_t seen;

		if (!fits(rule, call))
			continue;
		seen = rule->seen++;
		if (seen < rule->skip || (rule->times && seen >= rule->skip + rule->times))
			continue;
		ret_verdict->fault = rule->fault;
		ret_verdict->ms = rule->ms;
		break;
	}
	return PEP_OK;
}

bool rules_changed(struct rules *rules, uint64_t version)
{
	AUTO(unlock_mutex) pthread_mutex_t *lock = lock_mutex(&rules->mutex);

	(void)lock;
	look_again(rules);
	return rules->version != version;
}
