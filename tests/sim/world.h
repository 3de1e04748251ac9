/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h - one serial number and everything that can happen to it: what a schedule of the simulation plays with.
 *
 * Up to three servers, each with a worker, a spool, a reaper and the runner of a tool; one store with one record, whose answers
 * can be lost; one gateway; two clients; an operator; a clock. Each step of an actor is one thing that can happen between two
 * others, so a kill, a pause or a lost answer fits between any two. What is decided is decided by core/service/machine.c.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "core/service/machine.h"

enum {
	SERVERS = 3,
	CLIENTS = 2,
	RUNS = 48,       /* attempts at a claim; number 0 means none */
	DISPATCHES = 96, /* number 0 means none */
	STARTS = 16,
	KEYS = 8,
	PENDING = 4,
	LEASE_MS = 100,
	MARGIN_MS = 10, /* between the deadline of a tool and the end of its lease */
};

/* How the identity gets into the gateway. */
enum kind { BY_DEVICE, BY_TOOL, OPAQUE, KINDS };

/* What is done wrong on purpose: the simulation has to notice. */
enum mutant {
	MUTANT_NONE,
	MUTANT_TOUCH_FIRST,         /* row 7 before connect() */
	MUTANT_LATE_RECORD,         /* no row 8 */
	MUTANT_FENCE_FACTS,         /* a late delivery of another attempt is dropped */
	MUTANT_DELETE_ON_FAIL,      /* a doubtful attempt leaves no record */
	MUTANT_UNKNOWN_IS_FAILED,   /* doubtful counts as refused */
	MUTANT_UNKNOWN_IS_DEPLOYED, /* doubtful counts as delivered */
	MUTANT_SPOOL_EARLY,         /* a spooled outcome is removed before it is stored */
	MUTANT_NO_READBACK,         /* a lost answer counts as PEP_OK */
	MUTANT_NO_CAS,              /* the store does not compare revisions */
	MUTANT_OVER_CONTACTED,      /* a late delivery wins over a later contact */
	MUTANT_UNSENT_FAILED,       /* row 10 forgets what was before */
	MUTANT_GIVE_TWICE,          /* a delivery that is known gets a new dispatch id */
	MUTANT_RESOLVE_EARLY,       /* row 14 while the factory program runs */
	MUTANT_STALE_EVIDENCE,      /* row 14 for whatever attempt is in doubt by now */
	MUTANT_TOOL_OUTLIVES,       /* a tool is not killed before its lease ends */
	MUTANT_TOOL_IS_NATIVE,      /* row 13 takes an opaque tool for a native injector */
	MUTANT_GRANT_ANY,           /* row 6 replaces whatever is there */
	MUTANT_LEASE_FOREVER,       /* nobody looks at the end of a lease */
	MUTANTS,
};

/* Names of things, made once and shared by all worlds. */
struct names {
	char nonce[RUNS][16], enrollment[RUNS][16], dispatch[DISPATCHES][16];
	char own_name[SERVERS][8], owner[SERVERS][STARTS][16], key[KEYS][8];
};

/* How often each fault may still happen. */
struct faults {
	int crashes, expiries, lost_writes, outages, lost_answers, power_cuts, timeouts;
	int grants, resolves, retires, second_requests; /* of people: not faults, but as untimely */
};

struct store {
	bool exists;
	struct pep_identity record;
	struct pep_identity pending[PENDING]; /* writes whose answer was lost */
	int pending_count;
};

/* A connection to the gateway; it has the number of its run. */
struct connection {
	bool open, dead;                            /* our end; dead: the gateway has dropped it */
	bool first_sent, last_sent;                 /* on the way or arrived, not yet read */
	bool first_answered, last_answered, denied; /* answers that have arrived; denied: to the last message */
};

struct gateway {
	bool up;         /* its factory program runs */
	bool wiped;      /* since then: the old credentials are gone */
	int serving;     /* the connection whose turn it is; 0: none */
	int queue[RUNS]; /* the others, in the order of connect() */
	int queue_count;
	int key;             /* the run whose key exchange was made */
	int certificate;     /* the run whose certificate it holds; 0: none */
	uint32_t last_touch; /* the attempt that wiped last */
};

/* One try of one server to claim the serial, and what follows. */
struct run {
	uint32_t attempt; /* 0: never claimed */
	bool delivered;   /* that it was delivered is stored or spooled somewhere, or was */
	bool granted;     /* an operator has allowed to replace its identity */
	const char *key;  /* of the request that it served */
	struct connection connection;
};

/* What the record's history says; checked apart from history.c. */
struct note {
	bool there, delivered;
	int run;
};

enum phase {
	PHASE_IDLE,
	PHASE_READ,
	PHASE_CLAIM,
	PHASE_CLAIM_BACK, /* _BACK: the answer was lost, read back */
	PHASE_CONNECT,
	PHASE_CONTACT_READ,
	PHASE_CONTACT,
	PHASE_CONTACT_BACK,
	PHASE_SEND_FIRST,
	PHASE_WAIT_FIRST,
	PHASE_ISSUE_READ,
	PHASE_ISSUE,
	PHASE_ISSUE_BACK,
	PHASE_SEND_LAST,
	PHASE_WAIT_LAST,
	PHASE_TOOL_START,
	PHASE_TOOL_WAIT,
	PHASE_DELIVER_READ,
	PHASE_DELIVER,
	PHASE_SPOOL,
	PHASE_END_READ,
	PHASE_END,
	PHASE_RECOVER_READ,
	PHASE_RECOVER,
	PHASES,
};

struct request {
	int client; /* -1: nobody waits */
	int server;
	unsigned number;
	const char *key, *digest, *replace;
};

struct worker {
	enum phase phase;
	struct request request;
	struct pep_identity fields; /* of the request */
	struct pep_identity seen;   /* the record as it was read or written last */
	bool exists;                /* there was one */
	bool contacted, sent_last;
	int run;
	uint32_t attempt;
	int64_t now_ms, deadline_ms;
	enum machine_end_kind end;
	const char *candidate;
};

enum tool_state {
	TOOL_NONE,
	TOOL_STARTED,
	TOOL_SENDS_FIRST,
	TOOL_WAITS_FIRST,
	TOOL_SENDS_LAST,
	TOOL_WAITS_LAST,
	TOOL_DELIVERED,
	TOOL_REFUSED,
	TOOL_DOUBTFUL
};

/* A runner with its tool, or the result that it has left. Outlives its server. */
struct tool {
	enum tool_state state;
	int run;
	int64_t deadline_ms;
	struct pep_identity fields;
};

/* A read that one of a server's threads still works on. */
struct look {
	bool taken, exists;
	int run; /* of a spooled outcome */
	int64_t now_ms;
	struct pep_identity seen;
};

struct server {
	bool down;
	int start;
	struct worker worker;
	struct look spooler, reaper;
	struct tool tool;
	bool spool[RUNS];
	int spool_count;
};

enum client_state { CLIENT_IDLE, CLIENT_WAITS, CLIENT_DONE };
struct client {
	enum client_state state;
	struct request request;
};

struct world {
	uint64_t random;
	enum kind kind;
	enum mutant mutant;
	int server_count;
	bool trace;
	bool calm; /* no more faults */
	struct faults faults;
	struct store store;
	struct gateway gateway;
	struct run runs[RUNS];
	int run_count, dispatch_count, key_count;
	uint32_t dispatch_of[RUNS];      /* by attempt: the dispatch id that it was given */
	uint32_t attempt_of[DISPATCHES]; /* by dispatch id */
	struct note notes[RUNS];         /* by attempt */
	struct server servers[SERVERS];
	struct client clients[CLIENTS];
	struct look operator;     /* what the operator saw last */
	int operator_certificate; /* ... on the gateway */
	bool operator_up;
	int64_t now_ms;
	uint64_t events;
	int calm_claims;
	struct arena arena; /* histories; until the end of the schedule */
	const struct names *names;
	char violation[256]; /* empty: none so far */
};

/* --- schedule.c --- */

/* The names of mutants, by number; NULL ends. */
extern const char *const mutant_names[MUTANTS + 1];
void names_init(struct names *names);
/* Plays the schedule of this seed. False: ret_world->violation tells which rule was broken. The arena is given back. */
bool schedule_play(struct world *world, const struct names *names, uint64_t seed, enum mutant mutant, bool trace);
/* 0 to limit - 1. */
unsigned world_random(struct world *world, unsigned limit);
/* One of the budget, one time in `odds`. */
bool world_fault(struct world *world, int *budget, unsigned odds);
__attribute__((format(printf, 2, 3))) void world_trace(struct world *world, const char *format, ...);
/* Remembers the first violation. */
__attribute__((format(printf, 2, 3))) void world_violated(struct world *world, const char *format, ...);
/* The number in a name of ours: "A-07" is 7; of NULL 0. */
int name_number(const char *name);

/* --- store.c: what pep/storage.h promises, no more --- */

pep_status store_read(struct world *world, struct pep_identity *ret_record, bool *ret_exists);
pep_status store_write(struct world *world, const struct pep_identity *next);
void store_delete(struct world *world); /* for a mutant */
/* Something becomes of a write whose answer was lost. */
bool store_step(struct world *world);

/* --- gateway.c --- */

void gateway_start(struct world *world);
/* False: nobody listens. */
bool gateway_connect(struct world *world, int run);
void gateway_hang_up(struct world *world, int run);
bool gateway_step(struct world *world);

/* --- worker.c, record.c, tool.c, background.c: the servers. A step is false if there is nothing to do. --- */

bool worker_step(struct world *world, int server);
void worker_begin(struct world *world, int server, const struct request *request);
/* After a restart: the tool that an earlier start has left. */
void worker_adopt(struct world *world, int server);
/* The steps of the worker that read or change the record. */
bool record_step(struct world *world, int server);
/* Rows 9 and 9h, as driven by worker and spooler: writes if need be. PEP_OK: the record read or written shows it. */
pep_status record_deliver(struct world *world, const struct pep_identity *seen, int run, struct pep_identity *ret_record);
void worker_reply(struct world *world, int server, int status, int run);
void worker_end(struct world *world, int server, enum machine_end_kind kind, const char *candidate);
bool tool_step(struct world *world, int server);
void tool_kill_late(struct world *world);
bool spooler_step(struct world *world, int server);
void spool_put(struct world *world, int server, int run);
void spool_remove(struct world *world, int server, int run);
bool reaper_step(struct world *world, int server);
/* kill -9, or the start after it. */
bool power_step(struct world *world, int server);

/* --- people.c: clients, operator, clock --- */

bool client_step(struct world *world, int client);
void client_answer(struct world *world, const struct request *request, int status, int run);
bool operator_step(struct world *world);
bool clock_step(struct world *world);

/* --- invariants.c --- */

/* Before *record becomes next. */
void check_change(struct world *world, const struct pep_identity *next);
void check_world(struct world *world);
/* All is quiet: what has to have come to an end. */
void check_end(struct world *world);
/* Deployed, also under a claim. */
bool is_deployed(const struct pep_identity *record);

#endif
