/* SPDX-License-Identifier: Apache-2.0 */
#include <pep/exporter.h>
#include <pep/injector.h>
#include <pep/storage.h>

#include "frozen_1_1.h"

#include <stdio.h>

/* Today's structs begin as those of 1.0: every member of then stands where it stood. The compiler does the test. */
#define SAME(today, then, member) \
	_Static_assert(offsetof(struct today, member) == offsetof(struct then, member), #today "." #member)
#define AT(today, member, offset) \
	_Static_assert(sizeof(void *) != 8 || offsetof(struct today, member) == (offset), #today "." #member)

_Static_assert(sizeof(struct pep_error) == 512, "pep_error is frozen");
_Static_assert(sizeof(union pep_value) == sizeof(union v1_value), "pep_value is frozen: its size is the stride of values");
_Static_assert(sizeof(struct pep_option) >= sizeof(struct v1_option), "pep_option only grows");
_Static_assert(sizeof(pep_status) == 4, "pep_status is 32 bits");

SAME(pep_error, v1_error, native);
SAME(pep_error, v1_error, message);
SAME(pep_host, v1_host, ctx);
SAME(pep_host, v1_host, log);
SAME(pep_host, v1_host, stopping);
SAME(pep_option, v1_option, fallback);
SAME(pep_option, v1_option, help);
SAME(pep_option, v1_option, min);
SAME(pep_option, v1_option, max);
SAME(pep_option, v1_option, type);
SAME(pep_plugin, v1_plugin, abi_major);
SAME(pep_plugin, v1_plugin, abi_minor);
SAME(pep_plugin, v1_plugin, kind);
SAME(pep_plugin, v1_plugin, option_size);
SAME(pep_plugin, v1_plugin, name);
SAME(pep_plugin, v1_plugin, version);
SAME(pep_plugin, v1_plugin, options);
SAME(pep_plugin, v1_plugin, ops);
SAME(pep_identity, v1_identity, state);
SAME(pep_identity, v1_identity, revision);
SAME(pep_identity, v1_identity, created_ms);
SAME(pep_identity, v1_identity, deployed_ms);
SAME(pep_identity, v1_identity, lease_until_ms);
SAME(pep_identity, v1_identity, attempt);
SAME(pep_identity, v1_identity, contacted);
SAME(pep_identity, v1_identity, before);
SAME(pep_identity, v1_identity, generation);
SAME(pep_identity, v1_identity, serial);
SAME(pep_identity, v1_identity, dispatch_id);
SAME(pep_identity, v1_identity, enrollment_id);
SAME(pep_identity, v1_identity, hardware_version);
SAME(pep_identity, v1_identity, radio_config);
SAME(pep_identity, v1_identity, led_config);
SAME(pep_identity, v1_identity, category);
SAME(pep_identity, v1_identity, api_address);
SAME(pep_identity, v1_identity, gateway_services_address);
SAME(pep_identity, v1_identity, verification_key);
SAME(pep_identity, v1_identity, ou);
SAME(pep_identity, v1_identity, device_id);
SAME(pep_identity, v1_identity, ethernet_mac);
SAME(pep_identity, v1_identity, sixb_mac);
SAME(pep_identity, v1_identity, nonce);
SAME(pep_identity, v1_identity, owner);
SAME(pep_identity, v1_identity, idempotency_key);
SAME(pep_identity, v1_identity, request_digest);
SAME(pep_identity, v1_identity, station);
SAME(pep_identity, v1_identity, request_id);
SAME(pep_identity, v1_identity, reason);
SAME(pep_identity, v1_identity, history);
SAME(pep_scan_query, v1_scan_query, limit);
SAME(pep_scan_query, v1_scan_query, state);
SAME(pep_scan_query, v1_scan_query, descending);
SAME(pep_scan_query, v1_scan_query, serial);
SAME(pep_scan_query, v1_scan_query, after);
SAME(pep_scan_query, v1_scan_query, deployed_from_ms);
SAME(pep_scan_query, v1_scan_query, deployed_to_ms);
SAME(pep_scan_query, v1_scan_query, lease_before_ms);
SAME(pep_storage_ops, v1_storage_ops, threads);
SAME(pep_storage_ops, v1_storage_ops, flags);
SAME(pep_storage_ops, v1_storage_ops, open);
SAME(pep_storage_ops, v1_storage_ops, close);
SAME(pep_storage_ops, v1_storage_ops, ping);
SAME(pep_storage_ops, v1_storage_ops, insert);
SAME(pep_storage_ops, v1_storage_ops, update);
SAME(pep_storage_ops, v1_storage_ops, scan_open);
SAME(pep_storage_ops, v1_storage_ops, scan_next);
SAME(pep_storage_ops, v1_storage_ops, scan_close);
SAME(pep_storage_ops, v1_storage_ops, now);
SAME(pep_storage_ops, v1_storage_ops, count);
SAME(pep_target, v1_target, port);
SAME(pep_target, v1_target, ip);
SAME(pep_witness, v1_witness, ctx);
SAME(pep_witness, v1_witness, contacted);
SAME(pep_witness, v1_witness, issued);
SAME(pep_witness, v1_witness, cancelled);
SAME(pep_injection, v1_injection, outcome);
SAME(pep_injection, v1_injection, enrollment_id);
SAME(pep_injection, v1_injection, detail);
SAME(pep_injector_ops, v1_injector_ops, threads);
SAME(pep_injector_ops, v1_injector_ops, flags);
SAME(pep_injector_ops, v1_injector_ops, open);
SAME(pep_injector_ops, v1_injector_ops, close);
SAME(pep_injector_ops, v1_injector_ops, self_test);
SAME(pep_injector_ops, v1_injector_ops, inject);
SAME(pep_injector_ops, v1_injector_ops, adopt);
SAME(pep_injector_ops, v1_injector_ops, forget);
SAME(pep_sink, v1_sink, ctx);
SAME(pep_sink, v1_sink, write);
SAME(pep_exporter_ops, v1_exporter_ops, threads);
SAME(pep_exporter_ops, v1_exporter_ops, media_type);
SAME(pep_exporter_ops, v1_exporter_ops, suffix);
SAME(pep_exporter_ops, v1_exporter_ops, record);
SAME(pep_exporter_ops, v1_exporter_ops, open);
SAME(pep_exporter_ops, v1_exporter_ops, close);
SAME(pep_exporter_ops, v1_exporter_ops, begin);
SAME(pep_exporter_ops, v1_exporter_ops, end);
SAME(pep_exporter_ops, v1_exporter_ops, drop);

/* What 1.1 appended. */
SAME(pep_storage_ops, v1_1_storage_ops, note_read);
SAME(pep_storage_ops, v1_1_storage_ops, note_write);
SAME(pep_storage_ops, v1_1_storage_ops, backup);
SAME(pep_storage_ops, v1_1_storage_ops, restore);
SAME(pep_exporter_ops, v1_1_exporter_ops, profiles);
SAME(pep_exporter_ops, v1_1_exporter_ops, begin_profile);
SAME(pep_exporter_ops, v1_1_exporter_ops, check);
SAME(pep_exporter_ops, v1_1_exporter_ops, rest);
SAME(pep_exporter_ops, v1_1_exporter_ops, describe);
SAME(pep_exporter_ops, v1_1_exporter_ops, deliver);

/* And in numbers, so that a change of both files is seen, too. */
AT(pep_plugin, ops, 40);
AT(pep_option, type, 40);
AT(pep_host, stopping, 24);
AT(pep_identity, serial, 56);
AT(pep_identity, history, 224);
AT(pep_scan_query, lease_before_ms, 48);
AT(pep_storage_ops, count, 88);
AT(pep_storage_ops, note_write, 104);
AT(pep_storage_ops, restore, 120); /* since 1.1 */
AT(pep_storage_copy, kept, 16);
AT(pep_witness, cancelled, 32);
AT(pep_injection, detail, 136);
AT(pep_injector_ops, forget, 56);
AT(pep_exporter_ops, drop, 64);
AT(pep_storage_ops, note_write, 104);
AT(pep_exporter_ops, deliver, 112);

_Static_assert(PEP_ABI_MAJOR == 1, "a new major is a new frozen header, and new frozen plugins");
_Static_assert(PEP_OK == 0 && PEP_CONFLICT == 3 && PEP_UNKNOWN == 11, "status codes are frozen");
_Static_assert(PEP_CLAIMED == 1 && PEP_RETIRED == 7 && PEP_DELIVERED == 1 && PEP_DOUBTFUL == 4, "states and outcomes are frozen");
_Static_assert(PEP_STRING == 1 && PEP_SECRET == 6 && PEP_STORAGE == 1 && PEP_EXPORTER == 3, "types and kinds are frozen");

int main(void)
{
	(void)puts("the compiler has checked every offset");
	return 0;
}
