/* SPDX-License-Identifier: Apache-2.0
 *
 * fixture.h - one provisioner over a fake store and a fake injector, a spool in a folder of its own, and a request.
 */
#ifndef TESTS_UNIT_PROVISION_FIXTURE_H
#define TESTS_UNIT_PROVISION_FIXTURE_H

#include "fake_injector.h"
#include "fake_store.h"

#include "core/service/provision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SERIAL "GW-1"
#define ID_1 "A-11:11"
#define ID_2 "A-22:22"
#define OWNER "line-1/20270301"

enum { FIXTURE_LEASE_MS = 60000, FIXTURE_TIMEOUT_MS = 30000 };

struct fixture {
	struct storage store;
	struct injector injector;
	struct provisioner provisioner;
	atomic_bool stopping;
	char folder[64];
	struct arena arena;
	struct provision_request request;
	struct provision_result result;
	bool had_history; /* for the test that puts one there */
};

/* For cmocka_unit_test_setup_teardown(). The injector plays: contacted, issued ID_1, delivered. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Provision, and check what holds after every call: the answer is honest, nothing is held, the lease frees what is unfinished. */
enum provision_outcome fixture_provision(struct fixture *fixture);
/* The record of SERIAL, which must be there. */
const struct pep_identity *fixture_record(struct fixture *fixture);
/* A record of SERIAL as another server would have left it, at revision 5: attempt 1 contacted, attempt 1 (or 2 while claimed) is the
 * last; ID_2 from issued on. Active ones have a lease until `lease_until_ms`. */
struct pep_identity fixture_left_behind(uint32_t state, int64_t lease_until_ms);

/* Request as of another gateway. */
struct provision_request fixture_request(const char *serial, uint16_t port);

/* The native script with this enrollment id; the one of an opaque tool, which tells it at the end. */
void fixture_native(struct fixture *fixture, const char *id);
void fixture_opaque(struct fixture *fixture, const char *id);
/* How the script ends. */
void fixture_outcome(struct fixture *fixture, uint32_t outcome, pep_status status);
/* Put a step before the others, or in place of one. */
void fixture_step(struct fixture *fixture, size_t at, struct injector_step step);

/* Close and open the spool, as a restart does. */
void fixture_reopen_spool(struct fixture *fixture);
/* How many files with this ending the spool's folder has. */
unsigned fixture_files(const struct fixture *fixture, const char *ending);

#endif
