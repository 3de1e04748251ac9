# SPDX-License-Identifier: Apache-2.0
"""What a run does when nothing stops it: platforms, profiles, LED and hooks, refusals, plans."""
import json
import os
import time

from .board import LIMIT_S


def states(board):
    return [line.split()[0] for line in board.lines("hook.log")]


def test_lmp_from_an_old_identity_to_a_new_one(board):
    board.old_identity()
    board.with_systemd()
    board.put(os.path.join(board.root, "userdata", "etc", "maestroConfig.db"), "old")
    result = board.run(*board.with_led(), *board.with_hook(), PEP_TOKEN="pep_never_shown")
    assert (result["serial"], result["attempts"], result["already"], result["warnings"]) == (board.serial, 1, False, []), result
    assert result["certificate_seen"] is True, result
    board.check_provisioned()
    assert result["enrollment_id"] == board.told()["enrollmentID"]
    assert open(os.path.join(board.root, "userdata", "keep", "me"), encoding="ascii").read() == "kept"
    assert not os.path.exists(os.path.join(board.root, "userdata", "etc", "maestroConfig.db"))
    assert states(board) == ["searching", "working", "pass"], board.lines("hook.log")
    assert board.lines("hook.log")[2] == "pass pass %s 0 " % board.serial
    assert board.led()["trigger"] == "none" and board.led()["brightness"] == "255", board.led()
    assert board.lines("systemctl.log") == ["is-enabled edge-core", "mask edge-core", "stop edge-core", "unmask edge-core"]
    told = board.told()
    assert told["ethernetMAC"] == [2, 0, 94, 16, 0, 255] and "sixBMAC" not in told and "verificationKey" not in told, told
    assert told["apiServerAddress"] == told["apiAddress"] == "https://api.us-east-1.mbedcloud.com"
    assert told["edgek8sServicesAddress"] == "https://edge-k8s.us-east-1.mbedcloud.com"
    assert told["containerServicesAddress"] == "https://containers.us-east-1.mbedcloud.com"
    assert board.lines("interface") == ["lo"]


def test_again_does_nothing_unless_forced(board):
    first = board.run()
    before = board.digest()
    again = board.run(*board.with_hook())
    assert again["already"] is True and again["enrollment_id"] == first["enrollment_id"], again
    assert board.digest() == before and len(board.lines("starts")) == 1
    assert states(board) == ["pass"]
    # The server knows the serial, and nobody has granted it a new identity: nothing is lost.
    forced = board.run("--force", code=6)
    assert forced["code"] == "exists" and first["enrollment_id"] in forced["message"], forced
    check, = (step["detail"] for step in board.run("--force", "--dry-run")["plan"] if step["step"] == "check")
    assert "would stop here" in check and first["enrollment_id"] in check, check
    os.unlink(os.path.join(board.state, "provisioned.json"))  # as after the old scripts
    board.run(code=6)
    board.check_provisioned()
    status, _, _ = board.line.server.request("POST", "/v3/identities/%s/grant" % board.serial,
                                             {"enrollment_id": first["enrollment_id"], "reason": "board swapped"})
    assert status == 200, status
    check, = (step["detail"] for step in board.run("--dry-run")["plan"] if step["step"] == "check")
    assert "granted" in check, check
    assert board.run()["enrollment_id"] != first["enrollment_id"]
    board.check_provisioned()


def test_names_that_are_relative(board):
    argv = [board.cli, "provision", "--platform", "lmp", "--root", "root", "--fcc", "./client", "--wait", "0"]
    assert board.run(argv=argv) == board.told()["enrollmentID"] + "\n"
    board.check_provisioned()


def test_deb(board):
    board.use("deb")
    board.old_identity()
    board.run("--profile", "legacy", "-c", "trial")
    board.check_provisioned()
    assert board.told()["category"] == "trial" and "apiServerAddress" not in board.told()


def test_snap_with_its_link_and_parsec(board):
    board.use("snap", parsec=True)
    board.old_identity()
    board.run("--parsec")
    board.check_provisioned()


def test_custom_paths_and_a_template(board):
    board.use("custom")
    board.old_identity()
    template = os.path.join(board.top, "template.json")
    board.put(template, json.dumps({"id": "${enrollmentID}", "serialNumber": "SN ${serialNumber} (${category})", "macs": ["${ethernetMAC}"],
                                    "ou": "${OU}", "fixed": [1, {"deep": "${apiServerAddress}"}]}))
    result = board.run("--profile", "custom", "--template", template, "--mac", "0A-0B-0C-0D-0E-0F")
    assert board.told() == {"id": result["enrollment_id"], "serialNumber": "SN %s (production)" % board.serial,
                            "macs": [[10, 11, 12, 13, 14, 15]], "fixed": [1, {"deep": "https://api.us-east-1.mbedcloud.com"}]}
    board.put(template, '{"id": "${password}"}')
    assert "password" in board.run("--profile", "custom", "--template", template, "--force", code=3)["message"]
    board.run("--profile", "custom", code=2)


def test_refused_then_accepted_by_a_new_client(board):
    board.old_identity()
    board.faults("refuse:16", "gone", "")
    result = board.run(*board.with_hook())
    assert result["attempts"] == 3 and len(board.lines("starts")) == 3, result
    board.check_provisioned()
    assert states(board) == ["searching", "working", "pass"]
    board.line.server.request("GET", "/healthz")


def test_what_a_client_leaves_behind_holds_nothing_up(board):
    board.faults("leaves")
    board.run()
    board.check_provisioned()
    # It is in a session of its own: not ours to end, and it holds the terminal.
    left, = board.left_behind()
    os.kill(int(left), 9)
    while board.left_behind():
        pass


def test_refused_for_good(board):
    board.with_systemd()
    board.faults("refuse:14", "refuse:14")
    result = board.run("--attempts", "2", *board.with_hook(), *board.with_led(), code=9)
    assert result["code"] == "gateway_refused" and result["retryable"] is False and "fcc.log" in result["message"], result
    assert states(board) == ["searching", "working", "fail"]
    assert board.lines("hook.log")[2] == "fail fail %s 9 gateway_refused" % board.serial
    assert board.led()["trigger"] == "timer" and board.led()["delay_on"] == "100" == board.led()["delay_off"]
    # Without credentials edge-core must not start; the next run lets it.
    assert "unmask edge-core" not in board.lines("systemctl.log")
    board.run()
    board.check_provisioned()
    assert board.lines("systemctl.log")[-1] == "unmask edge-core"


def test_a_masked_service_stays_masked(board):
    board.with_systemd()
    board.put(os.path.join(board.top, "enabled"), "masked\n")
    board.run()
    assert board.lines("systemctl.log") == ["is-enabled edge-core", "stop edge-core"]


def test_masked_until_the_next_boot_where_the_root_is_read_only(board):
    board.with_systemd()
    board.put(os.path.join(board.top, "read-only"), "")
    board.faults("refuse:14")
    board.run("--attempts", "1", code=9)
    # After a boot the mask in /run is gone, the mark is not.
    board.run()
    assert board.lines("systemctl.log") == ["is-enabled edge-core"] + ["mask edge-core", "mask --runtime edge-core", "stop edge-core"] * 2 + [
        "unmask --runtime edge-core"], board.lines("systemctl.log")


def test_clients_that_do_not_work(board):
    board.faults("gone")
    result = board.run("--attempts", "1", code=12)
    assert result["code"] == "fcc_failed" and "no interface" in result["message"] and result["retryable"] is True, result
    # Nobody reads its bytes as text, and where the kernel cannot blink the light stays out.
    board.faults("", "garbage", "garbage")
    more = board.with_led()
    os.unlink(os.path.join(board.top, "led", "delay_on"))
    result = board.run("--attempts", "2", *more, code=12)
    assert "bye ?" in result["message"] and [event["step"] for event in board.events if event["event"] == "step"].count("retry") == 1, result
    assert open(os.path.join(board.top, "led", "brightness"), encoding="ascii").read() == "0\n"
    board.faults("", "", "", "silent")
    result = board.run("--attempts", "1", "--fcc-timeout", "1", code=12)
    assert "waiting" in result["message"], result
    assert "No such file" in board.run("--fcc", os.path.join(board.top, "no-such-client"), code=12)["message"]
    assert "cannot be started" in board.run("--fcc", board.top, code=12)["message"]


def test_no_server_touches_nothing(board):
    board.old_identity()
    os.makedirs(board.state)
    before = [entry for entry in board.digest() if not entry[0].startswith(board.state)]
    result = board.run(*board.with_hook(), *board.with_led(), code=4, PEP_SERVER_URL="http://127.0.0.1:1")
    assert result["code"] == "unreachable" and result["retryable"] is True, result
    assert [entry for entry in board.digest() if not entry[0].startswith(board.state)] == before
    assert states(board) == ["searching", "no-server"], board.lines("hook.log")
    assert board.led() == {"trigger": "timer", "brightness": "", "delay_on": "100", "delay_off": "2900"}
    assert board.lines("starts") == []


def test_hooks_that_fail_or_hang_stop_nothing(board):
    folder = os.path.join(board.top, "hooks")
    board.put(os.path.join(folder, "10-fails"), "#!/bin/sh\nexit 7\n", 0o755)
    board.put(os.path.join(folder, "20-hangs"), "#!/bin/sh\necho $$ >>%s/pids\ntest $1 != working || exec cat %s/never\n"
              % (board.top, board.top), 0o755)
    board.put(os.path.join(folder, "30-tells"), "#!/bin/sh\necho $1 >>%s/hook.log\n" % board.top, 0o755)
    board.put(os.path.join(folder, "no-program"), "text")
    began = time.monotonic()
    board.run("--hook-dir", folder, "--hook-timeout", "1")
    assert time.monotonic() - began < LIMIT_S / 2
    assert states(board) == ["searching", "working", "pass"]
    assert "20-hangs" in board.ended[1] and "exit code 7" in board.ended[1]


def test_dry_run_leaves_the_disk_untouched(board):
    board.old_identity()
    board.with_systemd()
    before = board.digest()
    result = board.run("--dry-run", *board.with_hook(), *board.with_led())
    assert board.digest() == before and board.lines("hook.log") == board.lines("starts") == board.lines("systemctl.log") == []
    assert board.led()["trigger"] == "" and board.serial not in board.line.records()
    steps = [step["step"] for step in result["plan"]]
    assert steps == ["serial", "address", "service"] + ["clear"] * 8 + ["find_server", "check", "fcc", "request"] + ["install"] * 2 + [
        "verify", "service", "led", "hook"], steps
    request, = (step["detail"] for step in result["plan"] if step["step"] == "request")
    assert '"serialNumber":"%s"' % board.serial in request and '"ethernetMAC":[2,0,94,16,0,255]' in request, request
    assert any("mbed/mcc_config (is there)" in step["detail"] for step in result["plan"])


def test_warnings_are_amber(board):
    text = open(board.client, encoding="ascii").read().replace("pal/WORKING", "pal")
    board.put(board.client, text, 0o755)
    result = board.run("--warn-exit", *board.with_hook(), code=14)
    assert result["code"] == "warnings" and "WORKING" in result["warnings"][0] and result["enrollment_id"], result
    assert states(board) == ["searching", "working", "warn"]


def test_serial_numbers(board):
    where = os.path.join(board.root, "proc", "device-tree", "serial-number")
    for bad in ("To be filled by O.E.M.", "0000", "", "a&b", "x" * 65, " ", "Default string"):
        board.put(where, bad + "\n")
        assert board.run(code=3)["code"] == "serial", bad
    board.put(os.path.join(board.root, "proc", "cpuinfo"), "model: x\nSerial\t\t: %s\n" % board.serial)
    board.put(where, "To be filled by O.E.M.\n")
    assert board.run("--dry-run")["serial"] == board.serial
    board.put(os.path.join(board.top, "label"), "L-1\nmore\n")
    assert board.run("--dry-run", "--serial-file", os.path.join(board.top, "label"))["serial"] == "L-1"
    assert board.run("--dry-run", "--serial-file", os.path.join(board.top, "label"), "-s", "S-1")["serial"] == "S-1"
    assert board.run("--dry-run", PEP_SERIAL="E-1")["serial"] == "E-1"


def test_links_are_refused(board):
    outside = os.path.join(board.top, "outside")
    board.put(os.path.join(outside, "precious"), "x")
    os.makedirs(os.path.join(board.root, "userdata", "mbed"))
    os.symlink(outside, board.store)
    board.put(board.identity, "{}")
    assert "symbolic link" in board.run("--attempts", "1", code=12)["message"]
    assert os.path.exists(os.path.join(outside, "precious")) and os.path.exists(board.identity)
    os.unlink(board.store)
    os.rmdir(os.path.dirname(board.store))
    os.symlink(outside, os.path.dirname(board.store))
    board.run("--attempts", "1", code=12)
    assert os.listdir(outside) == ["precious"]
    # A link inside of what is removed goes, what it points to stays.
    os.unlink(os.path.dirname(board.store))
    os.makedirs(board.store)
    os.symlink(outside, os.path.join(board.store, "link"))
    board.run()
    assert os.listdir(outside) == ["precious"]
    board.run("--store", "/userdata", code=2)
    board.run("--store", "/userdata/../etc", code=2)
    board.run("--state", "/userdata/mbed/mcc_config/notes", code=2)


def test_the_file_stands_behind_the_environment(board):
    conf = os.path.join(board.top, "pep-cli.conf")
    board.put(conf, "# station 7\nPEP_SERVER_URL = \"http://127.0.0.1:1\"\nPEP_SERIAL=C-1\nPEP_PLATFORM=deb\n")
    assert board.run("--dry-run", PEP_CONFIG=conf)["serial"] == "C-1"
    assert board.run("--dry-run", PEP_CONFIG=conf, PEP_SERIAL="E-1")["serial"] == "E-1"
    for text, why in (("PEP_NONSENSE=1\n", "line 1"), ("# x\nnothing\n", "line 2"), ("PEP_TOKEN=secret\n", "chmod")):
        board.put(conf, text)
        message = board.run("--dry-run", code=3, PEP_CONFIG=conf)["message"]
        assert why in message and "secret" not in message, message
    board.put(conf, "PEP_SERIAL=C-1\nPEP_CERT=/nowhere\nPEP_KEY=/nowhere\n")
    assert "/nowhere" in board.run("--dry-run", code=3, PEP_CONFIG=conf)["message"]
    os.chmod(conf, 0o666)
    assert "others may write" in board.run("--dry-run", code=3, PEP_CONFIG=conf)["message"]
    board.put(os.path.join(board.root, "etc", "pep", "pep-cli.conf"), "PEP_SERIAL=R-1\n")
    assert board.run("--dry-run")["serial"] == "R-1"


def test_a_store_on_another_file_system_is_copied(board):
    if os.stat("/dev/shm").st_dev == os.stat(board.top).st_dev:
        return
    import shutil
    import tempfile
    away = tempfile.mkdtemp(dir="/dev/shm", prefix="pep-provision-")
    try:
        text = open(board.client, encoding="ascii").read().replace("mkdir -p pal", "cd %s; mkdir -p pal" % away)
        board.put(board.client, text, 0o755)
        board.run("--fcc-dir", away)
        board.check_provisioned()
        assert os.listdir(away) == [], os.listdir(away)
    finally:
        shutil.rmtree(away)


def test_the_sealing_key_is_registered_and_never_shown(board):
    board.put(os.path.join(board.top, "bin", "sudo"), "#!/bin/sh\necho \"$*\" >>%s/sudo.log\n"
              "test \"$1\" != journalctl || echo 1-2-3-key/7\n" % board.top, 0o755)
    board.faults("refuse:16", "")
    board.run("-k", "-e", "20s", "-v", PEP_FSS_FILE=os.path.join(board.top, "fss"))
    board.check_provisioned()
    status, _, body = board.line.server.request("GET", "/v3/verification-key?serialNumber=" + board.serial)
    assert (status, body) == (200, b"1-2-3-key/7"), (status, body)
    assert "1-2-3-key" not in "".join(board.ended) and "verificationKey" not in board.told()
    assert board.lines("sudo.log") == ["journalctl --setup-keys --force --interval=20s"] * 2, board.lines("sudo.log")
