# SPDX-License-Identifier: Apache-2.0
"""Power cuts and signals: the same command, run again, ends with the same identity."""
import os
import signal

# Every named place of a run, and how often the client has been asked by the server before it.
POINTS = ["held:1", "clearing:3", "cleared:1", "noted:1", "fcc_started:1", "answered:1", "credentials:1", "identity:1", "marked:1",
          "accepted:1"]


def cut(board, point):
    board.old_identity()
    board.with_systemd()
    board.run(code=-signal.SIGKILL, PEP_FAILPOINT=point)
    record = board.line.records().get(board.serial)
    result = board.run()
    board.check_provisioned()
    if record:
        assert result["enrollment_id"] == record[1], (record, result)
    if point in ("answered:1", "credentials:1", "identity:1", "marked:1"):
        assert result["replayed"] is True, result
    if point == "accepted:1":
        assert result["already"] is True, result
    assert board.lines("systemctl.log")[-1] == "unmask edge-core", board.lines("systemctl.log")


def make(point):
    def test(board):
        cut(board, point)
    test.__name__ = "test_power_cut_at_" + point.replace(":", "_")
    return test


for each in POINTS:
    globals()["test_power_cut_at_" + each.replace(":", "_")] = make(each)


def end_when(board, step, number):
    """Sends a signal when a step is told, and waits for the end."""
    process = board.start()
    out = []
    for text in process.stdout:
        out.append(text)
        if '"step":"%s"' % step in text:
            process.send_signal(number)
            break
    rest = process.communicate(timeout=60)
    board.ended = ("".join(out) + rest[0], rest[1])
    return process.returncode, (rest[0].splitlines() or [""])[-1]


def test_sigterm_while_the_client_is_silent(board):
    board.old_identity()
    board.faults("silent", "")
    process = board.start()
    # Opened once the client opens the other end.
    with open(os.path.join(board.top, "never"), "w", encoding="ascii"):
        process.send_signal(signal.SIGTERM)
        board.ended = process.communicate(timeout=60)
    code, last = process.returncode, board.ended[0].splitlines()[-1]
    assert code == 143 and '"event":"result"' in last and '"code":"interrupted"' in last, (code, last)
    board.run()
    board.check_provisioned()


def test_sigint_while_the_server_works(board):
    board.faults("slow:300", "")
    code, last = end_when(board, "request", signal.SIGINT)
    assert code in (130, 0), (code, last)
    board.run("--attempts", "5")
    board.check_provisioned()


def test_two_at_once(board):
    board.faults("silent")
    process = board.start()
    with open(os.path.join(board.top, "never"), "w", encoding="ascii"):
        assert board.run(code=1)["code"] == "busy"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 143
    assert os.path.isdir(board.state)
