/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/log.h"
#include "core/base/text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct provision_request fixture_request(const char *serial, uint16_t port)
{
	return (struct provision_request){.fields = {.struct_size = sizeof(struct pep_identity),
						     .serial = serial,
						     .hardware_version = "hw-1",
						     .category = "production",
						     .idempotency_key = "key-1",
						     .request_digest = "digest-1",
						     .station = "10.0.0.9",
						     .request_id = "req-1"},
					  .target = {.struct_size = sizeof(struct pep_target), .ip = "10.0.0.1", .port = port}};
}

int fixture_set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct pep_error err = {0};

	if (!fixture)
		return -1;
	log_setup(-1, LOG_FORMAT_LOGFMT);
	fake_store_init(&fixture->store);
	fixture_native(fixture, ID_1);
	(void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/pep-provision-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	atomic_init(&fixture->stopping, false);
	fixture->provisioner = (struct provisioner){.storage = &fixture->store,
						    .injector = &fixture->injector,
						    .owner = OWNER,
						    .injection_timeout_ms = FIXTURE_TIMEOUT_MS,
						    .lease_ms = FIXTURE_LEASE_MS,
						    .stopping = &fixture->stopping};
	dispatch_init(&fixture->provisioner.dispatch, NULL);
	endpoints_init(&fixture->provisioner.endpoints);
	fixture->request = fixture_request(SERIAL, 7777);
	*state = fixture;
	return spool_open(fixture->folder, &fixture->provisioner.spool, &err) == PEP_OK ? 0 : -1;
}

static void remove_folder(const char *path)
{
	DIR *list = opendir(path);

	if (!list)
		return;
	for (const struct dirent *file = readdir(list); file; file = readdir(list))
		(void)unlinkat(dirfd(list), file->d_name, 0);
	(void)closedir(list);
	(void)rmdir(path);
}

int fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;

	spool_close(fixture->provisioner.spool);
	remove_folder(fixture->folder);
	endpoints_fini(&fixture->provisioner.endpoints);
	dispatch_fini(&fixture->provisioner.dispatch);
	arena_fini(&fixture->arena);
	fake_store_fini(&fixture->store);
	free(fixture);
	return 0;
}

/* "honest: 200 with e only if deployed with e". */
static void check_deployed(struct fixture *fixture)
{
	const struct provision_result *result = &fixture->result;
	const struct pep_identity *record = fake_store_record(&fixture->store, fixture->request.fields.serial);

	assert_non_null(record);
	assert_non_null(result->identity);
	assert_int_equal(record->state, PEP_DEPLOYED);
	assert_int_equal(result->identity->state, PEP_DEPLOYED);
	assert_string_equal(result->identity->enrollment_id, record->enrollment_id);
	assert_string_equal(result->identity->dispatch_id, record->dispatch_id);
	assert_int_equal(result->identity->created_ms, record->created_ms);
	assert_int_equal(record->lease_until_ms, 0);
}

enum provision_outcome fixture_provision(struct fixture *fixture)
{
	fixture->result = (struct provision_result){0};
	provision_identity(&fixture->provisioner, &fixture->arena, &fixture->request, &fixture->result);
	if (fixture->result.outcome == PROVISION_DEPLOYED || fixture->result.outcome == PROVISION_REPLAYED)
		check_deployed(fixture);
	assert_null(fixture->provisioner.endpoints.first);
	assert_int_equal(fixture->store.open_scans, 0);
	return fixture->result.outcome;
}

const struct pep_identity *fixture_record(struct fixture *fixture)
{
	const struct pep_identity *record = fake_store_record(&fixture->store, SERIAL);

	assert_non_null(record);
	return record;
}

struct pep_identity fixture_left_behind(uint32_t state, int64_t lease_until_ms)
{
	bool is_deployed = state == PEP_DEPLOYED || state == PEP_RETIRED;
	bool is_active = state == PEP_CLAIMED || state == PEP_CONTACTED || state == PEP_ISSUED;

	return (struct pep_identity){.struct_size = sizeof(struct pep_identity),
				     .state = state,
				     .revision = 5,
				     .created_ms = 500,
				     .deployed_ms = is_deployed ? 600 : 0,
				     .lease_until_ms = is_active ? lease_until_ms : 0,
				     .attempt = state == PEP_CLAIMED ? 2 : 1,
				     .contacted = 1,
				     .before = state == PEP_CLAIMED ? PEP_FAILED : 0,
				     .generation = 1,
				     .serial = SERIAL,
				     .dispatch_id = is_deployed ? "000000000000000000000001" : NULL,
				     .enrollment_id = state == PEP_CONTACTED || state == PEP_CLAIMED ? NULL : ID_2,
				     .hardware_version = "hw-old",
				     .nonce = "nonce-old",
				     .owner = "line-2/20260101",
				     .idempotency_key = "key-old",
				     .request_digest = "digest-old"};
}

/* "recorded": the last byte would be sent now. */
static void check_recorded(void *context)
{
	struct fixture *fixture = context;
	const struct pep_identity *record = fixture_record(fixture);
	const struct injector_step *step = fixture->injector.steps;

	while (step->verb != INJECTOR_ISSUED)
		step++;
	assert_int_equal(record->state, PEP_ISSUED);
	assert_int_equal(record->contacted, fixture->injector.id.attempt);
	assert_string_equal(record->enrollment_id, step->id);
}

void fixture_native(struct fixture *fixture, const char *id)
{
	struct injector *injector = &fixture->injector;

	*injector = (struct injector){.outcome = PEP_DELIVERED,
				      .status = PEP_OK,
				      .enrollment_id = id,
				      .context = fixture,
				      .mutex = PTHREAD_MUTEX_INITIALIZER};
	injector->steps[0] = (struct injector_step){.verb = INJECTOR_CONTACTED};
	injector->steps[1] = (struct injector_step){.verb = INJECTOR_ISSUED, .id = id};
	injector->steps[2] = (struct injector_step){.verb = INJECTOR_DO, .act = check_recorded};
}

void fixture_opaque(struct fixture *fixture, const char *id)
{
	fixture_native(fixture, id);
	fixture->injector.is_opaque = true;
	fixture->injector.steps[1].verb = INJECTOR_END;
	fixture->injector.steps[2].verb = INJECTOR_END;
}

void fixture_outcome(struct fixture *fixture, uint32_t outcome, pep_status status)
{
	fixture->injector.outcome = outcome;
	fixture->injector.status = status;
}

void fixture_step(struct fixture *fixture, size_t at, struct injector_step step)
{
	struct injector_step *steps = fixture->injector.steps;

	assert_true(at < INJECTOR_STEPS - 1);
	memmove(&steps[at + 1], &steps[at], (INJECTOR_STEPS - at - 1) * sizeof(steps[0]));
	steps[at] = step;
	assert_int_equal(steps[INJECTOR_STEPS - 1].verb, INJECTOR_END);
}

void fixture_reopen_spool(struct fixture *fixture)
{
	struct pep_error err = {0};

	spool_close(fixture->provisioner.spool);
	fixture->provisioner.spool = NULL;
	assert_int_equal(spool_open(fixture->folder, &fixture->provisioner.spool, &err), PEP_OK);
}

unsigned fixture_files(const struct fixture *fixture, const char *ending)
{
	DIR *list = opendir(fixture->folder);
	unsigned count = 0;

	assert_non_null(list);
	for (const struct dirent *file = readdir(list); file; file = readdir(list)) {
		size_t size = strlen(file->d_name);

		count += size >= strlen(ending) && strcmp(file->d_name + size - strlen(ending), ending) == 0;
	}
	(void)closedir(list);
	return count;
}
