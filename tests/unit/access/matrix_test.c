/* SPDX-License-Identifier: Apache-2.0
 *
 * matrix_test.c - every route of the server, with and without /v3, with every method and every kind of caller: is each let in where the
 * table of routes says so, and nowhere else? Through sockets, by the real listener; only the handlers are others: they count.
 */
#include "world.h"

#include "../http/client.h"

#include "core/access/admission.h"
#include "core/access/scope.h"
#include "core/api/api.h"
#include "core/http/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum standing { NOBODY, KNOWN, ELSEWHERE };

struct caller {
	char header[256]; /* lines */
	enum standing standing;
	unsigned scopes; /* of KNOWN */
};

/* One with each scope by itself, one with all, and ten without any right. */
#define CALLER_COUNT (SCOPE_COUNT + 11u)

struct matrix {
	struct world world;
	struct route routes[API_ROUTE_COUNT];
	struct listener_settings settings;
	struct listener *listener;
	struct caller callers[CALLER_COUNT];
	atomic_uint handled;
};

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{"GET", HTTP_GET},         {"HEAD", HTTP_HEAD},    {"POST", HTTP_POST},
	{"OPTIONS", HTTP_OPTIONS}, {"DELETE", HTTP_OTHER}, {"get", HTTP_OTHER},
};
#define METHOD_COUNT (sizeof(methods) / sizeof(methods[0]))

/* What the world may see. A route that is open and not here is a mistake, or somebody has thought about it and adds it. */
static const char *const open_paths[] = {"/healthz", "/readyz", "/version", "/metrics", "/docs", "/docs/*", "/", "/assets/*"};

static void handle(void *context, struct http_request *request, struct http_reply *reply)
{
	struct matrix *matrix = context;

	atomic_fetch_add(&matrix->handled, 1);
	reply_text(reply, 200, request->actor);
}

static void add_caller(struct matrix *matrix, size_t i, enum standing standing, unsigned scopes, const char *header)
{
	struct caller *caller = &matrix->callers[i];

	caller->standing = standing;
	caller->scopes = scopes;
	(void)snprintf(caller->header, sizeof(caller->header), "%s", header);
}

static void add_known(struct matrix *matrix, size_t i, unsigned scopes, const char *token)
{
	char list[SCOPE_LIST_ROOM], name[TOKEN_ID_ROOM], quoted[2 * SCOPE_LIST_ROOM] = "\"", header[128];
	size_t size = 1;

	scope_write_list(scopes, list);
	for (const char *next = list; *next; next++)
		size += (size_t)snprintf(quoted + size, sizeof(quoted) - size, *next == ',' ? "\",\"" : "%c", *next);
	(void)snprintf(quoted + size, sizeof(quoted) - size, "\"");
	(void)snprintf(name, sizeof(name), "%.12s", token);
	world_add_token(&matrix->world, token, name, "station", quoted, "");
	(void)snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", token);
	add_caller(matrix, i, KNOWN, scopes, header);
}

#define EXPIRED TOKEN("8")
#define BOUND TOKEN("9")
#define ALL "\"provision\",\"read\",\"export\",\"operate\",\"audit\""
#define HEADER(token_) "Authorization: Bearer " token_ "\r\n"

static void make_callers(struct matrix *matrix)
{
	static const char *const tokens[] = {TOKEN("0"), TOKEN("1"), TOKEN("2"), TOKEN("3"), TOKEN("4")};
	static const char *const nobodies[] = {
		"",
		HEADER(TOKEN("7")),
		HEADER(EXPIRED),
		"Authorization: Basic " TOKEN("5") "\r\n",
		"Authorization: Bearer\r\n",
		"Authorization: \r\n",
		HEADER(TOKEN("5")) HEADER(TOKEN("5")),
		"X-Authorization: Bearer " TOKEN("5") "\r\n",
		"Cookie: token=" TOKEN("5") "\r\n",
	};
	unsigned all = 0;
	size_t i;

	for (i = 0; i < SCOPE_COUNT; i++) {
		add_known(matrix, i, scope_bit(i), tokens[i]);
		all |= scope_bit(i);
	}
	add_known(matrix, i++, all, TOKEN("5"));
	world_add_token(&matrix->world, EXPIRED, "late", "station", ALL, ",\"expires\":\"2026-02-03T04:05:06Z\"");
	world_add_token(&matrix->world, BOUND, "away", "station", ALL, ",\"networks\":[\"10.0.0.0/8\"]");
	for (size_t nobody = 0; nobody < sizeof(nobodies) / sizeof(nobodies[0]); nobody++)
		add_caller(matrix, i++, NOBODY, 0, nobodies[nobody]);
	add_caller(matrix, i++, ELSEWHERE, all, HEADER(BOUND));
	assert_int_equal(i, CALLER_COUNT);
}

static int setup(void **state)
{
	static struct matrix matrix;
	struct pep_error err = {0};

	matrix = (struct matrix){.handled = 0};
	world_make(&matrix.world);
	make_callers(&matrix);
	world_end_file(&matrix.world);
	world_open(&matrix.world);
	api_routes(true, matrix.routes);
	for (struct route *route = matrix.routes; route->path; route++) {
		route->place = ROUTE_INLINE;
		route->handler = handle;
	}
	matrix.settings = (struct listener_settings){.address = "127.0.0.1",
						     .threads = 1,
						     .connections = 16,
						     .workers = 1,
						     .worker_queue = 1,
						     .injections = 1,
						     .injection_queue = 1,
						     .header_timeout_ms = 10000,
						     .idle_timeout_ms = 10000,
						     .routes = matrix.routes,
						     .context = &matrix,
						     .admit = admission_admit,
						     .admit_context = matrix.world.access};
	*state = &matrix;
	return listener_start(&matrix.settings, &matrix.listener, &err) == PEP_OK ? 0 : -1;
}

static int teardown(void **state)
{
	struct matrix *matrix = *state;

	listener_stop(matrix->listener, 1000);
	world_destroy(&matrix->world);
	return 0;
}

static unsigned scope_of(const struct route *route, enum http_method method)
{
	return method == HTTP_POST && route->post_scope ? (unsigned)route->post_scope : (unsigned)route->scope;
}

static unsigned expected(const struct route *route, enum http_method method, const struct caller *caller)
{
	unsigned scope = scope_of(route, method);

	if (method == HTTP_OPTIONS)
		return 204;
	if (!(route->methods & method))
		return 405;
	if (!scope)
		return 200;
	if (caller->standing == NOBODY)
		return 401;
	return caller->standing == KNOWN && caller->scopes & scope ? 200 : 403;
}

static void check_reply(const struct client_reply *reply, unsigned status, const char *what)
{
	char value[256];

	if (reply->status != status)
		fail_msg("%u instead of %u: %s", reply->status, status, what);
	(void)client_header(reply, "Pep-Error", value);
	if (status == 401 || status == 403)
		assert_string_equal(value, status == 401 ? "not_authenticated" : "not_allowed");
	(void)client_header(reply, "WWW-Authenticate", value);
	if (status == 401)
		assert_memory_equal(value, "Bearer realm=\"pep\"", 18);
	else
		assert_string_equal(value, "");
	if (reply->body) /* nothing of a token comes back */
		assert_null(strstr(reply->body, WORLD_SECRET));
}

static void ask(struct matrix *matrix, const struct route *route, const char *prefix, size_t method, const struct caller *caller)
{
	size_t size = strlen(route->path);
	bool has_tail = size && route->path[size - 1] == '*';
	unsigned status = expected(route, methods[method].method, caller);
	unsigned before = atomic_load(&matrix->handled);
	struct client client = client_open(listener_port(matrix->listener));
	struct client_reply reply;
	char request[1024];

	(void)snprintf(request, sizeof(request), "%s %s%.*s%s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %s\r\n\r\n%s",
		       methods[method].name, prefix, (int)(has_tail ? size - 1 : size), route->path, has_tail ? "x" : "",
		       caller->header, methods[method].method == HTTP_POST ? "2" : "0",
		       methods[method].method == HTTP_POST ? "{}" : "");
	client_send(&client, request);
	reply = client_read(&client, methods[method].method == HTTP_HEAD);
	check_reply(&reply, status, request);
	assert_int_equal(atomic_load(&matrix->handled) - before, status == 200);
	client_reply_free(&reply);
	client_close(&client);
}

static void each_is_let_in_where_the_table_says(void **state)
{
	struct matrix *matrix = *state;
	unsigned count = 0;

	for (const struct route *route = matrix->routes; route->path; route++)
		for (unsigned prefixed = 0; prefixed < (route->exact_prefix ? 1u : 2u); prefixed++)
			for (size_t method = 0; method < METHOD_COUNT; method++)
				for (size_t caller = 0; caller < CALLER_COUNT; caller++, count++)
					ask(matrix, route, prefixed ? "/v3" : "", method, &matrix->callers[caller]);
	assert_true(count > 1000);
}

static bool may_be_open(const char *path)
{
	for (size_t i = 0; i < sizeof(open_paths) / sizeof(open_paths[0]); i++)
		if (strcmp(open_paths[i], path) == 0)
			return true;
	return false;
}

static void only_these_are_open(void **state)
{
	struct matrix *matrix = *state;

	for (const struct route *route = matrix->routes; route->path; route++) {
		if (!route->scope != may_be_open(route->path))
			fail_msg("%s: scope %u", route->path, (unsigned)route->scope);
		if (!route->scope && route->methods & HTTP_POST)
			fail_msg("%s: everybody may post", route->path);
	}
}

/* Nobody learns more of paths that are not there. */
static void what_is_not_there_is_not_there_for_anybody(void **state)
{
	struct matrix *matrix = *state;

	for (size_t caller = 0; caller < CALLER_COUNT; caller++) {
		char request[512];
		struct client_reply reply;

		(void)snprintf(request, sizeof(request), "GET /v3/none HTTP/1.1\r\nHost: h\r\n%s\r\n",
			       matrix->callers[caller].header);
		reply = client_ask(listener_port(matrix->listener), request);
		assert_int_equal(reply.status, 404);
		client_reply_free(&reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_these_are_open, setup, teardown),
		cmocka_unit_test_setup_teardown(each_is_let_in_where_the_table_says, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_not_there_for_anybody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
