/* SPDX-License-Identifier: Apache-2.0
 *
 * The mock injector: plays gateways that are not there, for tests, demonstrations and measurements. It goes through the same
 * moments as an injector that speaks to a device: connect, contacted, first message, certificate, issued, last message, answer.
 */
#include "memory.h"
#include "script.h"

#include <pep/injector.h>

#include <nettle/sha2.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENROLLMENT_ID_SIZE 98u /* "A-", 32 pairs, 31 colons, NUL */
#define ASK_EVERY_MS 25        /* how soon a wait sees that it is cancelled */

enum { OPT_SEED, OPT_DELAY_MS, OPT_FAIL_EVERY, OPT_GATEWAYS };
static const struct pep_option options[] = {
	[OPT_SEED] = {.key = "seed",
		      .fallback = "pep",
		      .help = "text that the enrollment identities are made from",
		      .max = 256,
		      .type = PEP_STRING},
	[OPT_DELAY_MS] = {.key = "delay_ms",
			  .fallback = "0",
			  .help = "how long a gateway takes, in milliseconds",
			  .max = 3600000,
			  .type = PEP_INT},
	[OPT_FAIL_EVERY] = {.key = "fail_every",
			    .fallback = "0",
			    .help = "refuse every so many injections; 0: none",
			    .max = INT32_MAX,
			    .type = PEP_INT},
	[OPT_GATEWAYS] = {.key = "gateways",
			  .fallback = "",
			  .help = "file in which the gateways note what they hold; empty: none",
			  .type = PEP_PATH},
	{.key = NULL},
};

struct mock {
	const char *seed;
	int64_t delay_ms, fail_every;
	atomic_uint_least64_t deliveries; /* injections that no script turned into something else */
	struct memory *memory;            /* NULL: the gateways note nothing */
};

/* One injection. */
struct visit {
	struct mock *mock;
	const struct pep_target *target;
	const struct pep_identity *id;
	struct pep_witness *witness;
	struct pep_injection *ret;
	struct pep_error *err;
	int64_t deadline_ms;
	bool is_served; /* the gateway's one connection is ours, until the end of the visit */
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void nap(long ms)
{
	const struct timespec time = {.tv_nsec = 1000000L * ms};

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

/* Other attempts get other identities, as other certificates would: attempt 1 is SHA-256(seed, NUL, serial), attempt n that of
 * (seed, NUL, serial, NUL, n). */
static void make_enrollment_id(const struct visit *visit, char ret_text[ENROLLMENT_ID_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx context;
	char number[16];
	char *next = ret_text;

	sha256_init(&context);
	sha256_update(&context, strlen(visit->mock->seed) + 1, (const uint8_t *)visit->mock->seed);
	sha256_update(&context, strlen(visit->id->serial), (const uint8_t *)visit->id->serial);
	if (visit->id->attempt > 1) {
		int size = snprintf(number, sizeof(number), "%c%u", '\0', visit->id->attempt);

		sha256_update(&context, (size_t)size, (const uint8_t *)number);
	}
	sha256_digest(&context, sizeof(digest), digest);
	*next++ = 'A';
	for (size_t i = 0; i < sizeof(digest); i++) {
		*next++ = i ? ':' : '-';
		*next++ = digits[digest[i] >> 4];
		*next++ = digits[digest[i] & 15];
	}
	*next = '\0';
}

/* Ends the visit with one sentence for log and operator. */
static pep_status end(struct visit *visit, uint32_t outcome, pep_status status, const char *what)
{
	visit->ret->outcome = outcome;
	(void)snprintf(visit->ret->detail, sizeof(visit->ret->detail), "mock gateway %s at %s port %u: %s", visit->id->serial,
		       visit->target->ip, visit->target->port, what);
	return status == PEP_OK ? PEP_OK : pep_fail(visit->err, status, 0, "%s", visit->ret->detail);
}

/* The witness said no: nothing more is sent, and *err is what it said. */
static pep_status hang_up(struct visit *visit, pep_status status)
{
	(void)end(visit, PEP_NOT_SENT, PEP_OK, "hung up, as the server no longer wants it");
	return status;
}

/* Before a byte that matters: is the work still wanted, and in time? */
static pep_status check_wanted(struct visit *visit)
{
	if (visit->witness->cancelled(visit->witness))
		return end(visit, PEP_NOT_SENT, PEP_CANCELLED, "given up, as the server asked to; try again");
	if (now_ms() >= visit->deadline_ms)
		return end(visit, PEP_NOT_SENT, PEP_TIMEOUT,
			   "no answer within the time limit; see whether its factory program runs");
	return PEP_OK;
}

/* The gateway drops whoever has waited when the connection that it serves ends. */
static pep_status wait_in_vain(struct visit *visit)
{
	pep_status status = check_wanted(visit);

	while (status == PEP_OK && !memory_enter(visit->mock->memory, visit->id)) {
		nap(ASK_EVERY_MS);
		status = check_wanted(visit);
	}
	if (status != PEP_OK)
		return status;
	memory_leave(visit->mock->memory, visit->id);
	return end(visit, PEP_NOT_SENT, PEP_UNAVAILABLE, "it served another server, and dropped this connection; try again");
}

/* Connect and send the first message, which erases what the gateway holds. */
static pep_status visit_erase(struct visit *visit)
{
	struct memory *memory = visit->mock->memory;
	pep_status status = check_wanted(visit);

	if (status != PEP_OK)
		return status;
	visit->is_served = !memory || memory_enter(memory, visit->id);
	status = visit->witness->contacted(visit->witness, visit->err);
	if (status != PEP_OK)
		return hang_up(visit, status);
	if (!visit->is_served)
		return wait_in_vain(visit);
	status = check_wanted(visit);
	if (status == PEP_OK && memory && memory_note(memory, visit->id, NULL, visit->err) != PEP_OK)
		return end(visit, PEP_NOT_SENT, PEP_INTERNAL, "cannot note that it was erased; look at the gateways' file");
	return status;
}

/* The gateway takes its time. */
static pep_status visit_wait(struct visit *visit, int64_t delay_ms)
{
	int64_t until_ms = now_ms() + delay_ms;

	for (int64_t left_ms = delay_ms; left_ms > 0; left_ms = until_ms - now_ms()) {
		pep_status status = check_wanted(visit);

		if (status != PEP_OK)
			return status;
		nap(left_ms < ASK_EVERY_MS ? (long)left_ms : ASK_EVERY_MS);
	}
	return PEP_OK;
}

/* Make the certificate, have its identity recorded, and send it: from then on the gateway has it. */
static pep_status visit_install(struct visit *visit, bool answer_is_lost)
{
	char enrollment_id[ENROLLMENT_ID_SIZE];
	pep_status status;

	make_enrollment_id(visit, enrollment_id);
	memcpy(visit->ret->enrollment_id, enrollment_id, sizeof(enrollment_id));
	status = visit->witness->issued(visit->witness, enrollment_id, visit->err);
	if (status != PEP_OK)
		return hang_up(visit, status);
	status = check_wanted(visit);
	if (status != PEP_OK)
		return status;
	if (visit->mock->memory)
		status = memory_note(visit->mock->memory, visit->id, enrollment_id, visit->err);
	if (status == PEP_UNAVAILABLE)
		return end(visit, PEP_NOT_SENT, PEP_INTERNAL, "cannot note its certificate; look at the gateways' file");
	if (status != PEP_OK)
		return end(visit, PEP_DOUBTFUL, PEP_INTERNAL, "its certificate may be noted or not; look at the gateways' file");
	if (answer_is_lost)
		return end(visit, PEP_DOUBTFUL, PEP_TIMEOUT, "no answer to the certificate; read the gateway, or try again");
	return end(visit, PEP_DELIVERED, PEP_OK, "has its certificate");
}

static enum script_act choose_act(struct mock *mock, enum script_act asked)
{
	uint64_t number;

	if (asked != SCRIPT_DELIVER || !mock->fail_every)
		return asked;
	number = atomic_fetch_add_explicit(&mock->deliveries, 1, memory_order_relaxed) + 1;
	return number % (uint64_t)mock->fail_every ? SCRIPT_DELIVER : SCRIPT_REFUSE;
}

/* From the connection to the last answer. */
static pep_status visit_gateway(struct visit *visit, enum script_act act, int64_t delay_ms)
{
	pep_status status = visit_erase(visit);

	if (status != PEP_OK)
		return status;
	if (act == SCRIPT_TIMEOUT)
		return end(visit, PEP_NOT_SENT, PEP_TIMEOUT,
			   "no answer within the time limit; see whether its factory program runs");
	status = visit_wait(visit, delay_ms >= 0 ? delay_ms : visit->mock->delay_ms);
	if (status != PEP_OK)
		return status;
	if (act == SCRIPT_REFUSE)
		return end(visit, PEP_REFUSED, PEP_CONFLICT, "it refused; see its factory program's log");
	if (act == SCRIPT_FAIL)
		return end(visit, PEP_NOT_SENT, PEP_INTERNAL, "no certificate could be made; as its serial asks for");
	return visit_install(visit, act == SCRIPT_IN_DOUBT);
}

static pep_status mock_inject(void *injector, const struct pep_target *target, const struct pep_identity *id, int64_t timeout_ms,
			      struct pep_witness *witness, struct pep_injection *ret, struct pep_error *err)
{
	struct mock *mock = injector;
	struct script script = script_read(id->serial);
	enum script_act act = choose_act(mock, script.act);
	struct visit visit = {
		.mock = mock,
		.target = target,
		.id = id,
		.witness = witness,
		.ret = ret,
		.err = err,
		.deadline_ms = now_ms() + timeout_ms,
	};
	pep_status status;

	ret->outcome = PEP_NOT_SENT;
	if (act == SCRIPT_UNREACHABLE)
		return end(&visit, PEP_NOT_SENT, PEP_UNAVAILABLE, "no connection; see whether its factory program runs");
	status = visit_gateway(&visit, act, script.delay_ms);
	if (mock->memory && visit.is_served)
		memory_leave(mock->memory, id);
	return status;
}

static void mock_close(void *injector)
{
	struct mock *mock = injector;

	memory_close(mock->memory);
	free(mock);
}

static pep_status mock_open(const struct pep_host *host, const union pep_value *values, void **ret_injector, struct pep_error *err)
{
	struct mock *mock = calloc(1, sizeof(*mock));
	const char *path = values[OPT_GATEWAYS].text;
	pep_status status = PEP_OK;

	(void)host;
	if (!mock)
		return pep_fail(err, PEP_NO_MEMORY, 0, "mock: no memory for an injector");
	mock->seed = values[OPT_SEED].text;
	mock->delay_ms = values[OPT_DELAY_MS].number;
	mock->fail_every = values[OPT_FAIL_EVERY].number;
	atomic_init(&mock->deliveries, 0);
	if (path && *path)
		status = memory_open(path, &mock->memory, err);
	if (status != PEP_OK) {
		mock_close(mock);
		return status;
	}
	*ret_injector = mock;
	return PEP_OK;
}

static pep_status mock_self_test(void *injector, struct pep_error *err)
{
	const struct mock *mock = injector;

	return mock->memory ? memory_test(mock->memory, err) : PEP_OK;
}

static const struct pep_injector_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.open = mock_open,
	.close = mock_close,
	.self_test = mock_self_test,
	.inject = mock_inject,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_INJECTOR,
	.option_size = sizeof(struct pep_option),
	.name = "mock",
	.version = "1.0.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
