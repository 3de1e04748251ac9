# SPDX-License-Identifier: Apache-2.0
"""Records of every kind in a SQLite store, written and read past the server."""
import sqlite3

COLUMNS = ("serial", "revision", "state", "created_ms", "deployed_ms", "lease_until_ms", "attempt", "contacted", "before", "generation",
           "dispatch_id", "enrollment_id", "hardware_version", "radio_config", "led_config", "category", "api_address",
           "gateway_services_address", "verification_key", "ou", "device_id", "ethernet_mac", "sixb_mac", "nonce", "owner",
           "idempotency_key", "request_digest", "station", "request_id", "reason", "history")
CLAIMED, CONTACTED, ISSUED, DEPLOYED, FAILED, IN_DOUBT, RETIRED = range(1, 8)


def record(i, count):
    """Number i of count: all seven states, each with and without what it may have; leases are over since 1970."""
    state = i % 7 + 1
    dispatched = state in (DEPLOYED, RETIRED) or i % 5 == 0
    issued = dispatched or state in (ISSUED, IN_DOUBT)
    text = ("a text", "", None, "ÄÖ € 漢字", "x" * 64)[i % 5]
    return {
        "serial": "GW-%06d" % ((i * 7919) % count), "revision": 1 + i % 9, "state": state, "created_ms": 1700000000000 + i,
        "deployed_ms": 1700000001000 + i if dispatched else 0, "lease_until_ms": 1 + i if state < DEPLOYED else 0,
        "attempt": 1 + i % 4000000, "contacted": i % 3, "before": FAILED + i % 2 if state == CLAIMED else 0, "generation": i % 4,
        "dispatch_id": "%016x%08x" % (0x6553f100 + i // 3, i) if dispatched else None,
        "enrollment_id": "A-" + ":".join("%02X" % ((i >> 8 * (k % 4) & 255) ^ k) for k in range(32)) if issued else None,
        "hardware_version": "rev-%d" % (i % 3), "radio_config": "00", "led_config": "01", "category": "production",
        "api_address": "https://api.example.com", "gateway_services_address": "https://gw.example.com", "verification_key": text,
        "ou": text, "device_id": text, "ethernet_mac": "0,1,2,3,4,%d" % (i % 256), "sixb_mac": None, "nonce": "%032x" % i,
        "owner": "line-%d/18c" % (i % 3), "idempotency_key": "key-%d" % (i // 2) if i % 4 else None,
        "request_digest": "%064x" % i, "station": "10.0.0.%d" % (i % 256), "request_id": "req-%d" % i,
        "reason": "refused: said \"no\", \\ and ü" if state == FAILED else None,
        "history": '[{"attempt":1,"ended":"delivered","enrollmentID":"A-%d"}]' % i if i % 6 == 0 else None,
    }


def fill(path, count):
    """Writes that many records into the store, which no server uses."""
    rows = [tuple(record(i, count)[column] for column in COLUMNS) for i in range(count)]
    with sqlite3.connect(path) as db:
        db.executemany("INSERT INTO identity (%s) VALUES (%s)" % (", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))), rows)
    db.close()


def read(path, without=("revision",)):
    """Every record by its serial, of a store that no server uses. What a copy does not keep is left out."""
    columns = [column for column in COLUMNS if column not in without]
    db = sqlite3.connect(path)
    rows = db.execute("SELECT %s FROM identity" % ", ".join(columns)).fetchall()
    db.close()
    return {row[0]: dict(zip(columns, row)) for row in rows}
