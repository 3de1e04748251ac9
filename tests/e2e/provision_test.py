#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pep-cli provision and doctor, end to end: a pep-server with the fcc injector, simulated gateways as the client that pep-cli starts,
the gateway's files below a folder of the test. Prints "N passed, N failed".

    provision_test.py [WORD]      WORD: only the tests whose name holds it
"""
import concurrent.futures
import os
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fcc_line import Line  # noqa: E402
from provision import examine, found, run, stop  # noqa: E402
from provision.board import Board  # noqa: E402
from server import build_folder  # noqa: E402

BUILD = build_folder("asan")


def attempt(test, folder, line):
    """None, or why it failed."""
    board = Board(BUILD, folder, line, test.__name__)
    try:
        test(board)
        left = board.left_behind()
        assert not left, "left behind: %s" % left
    except Exception:
        return "%s\n%s" % (traceback.format_exc(), board.last_words())
    finally:
        board.close()
    return None


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = [test for module in (run, stop, found, examine) for name, test in list(vars(module).items())
             if name.startswith("test_") and word in name]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="pep-provision-") as top:
        line = Line(BUILD, os.path.join(top, "line"), "by_device")
        try:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                whys = list(pool.map(lambda test: attempt(test, os.path.join(top, test.__name__), line), tests))
        finally:
            code = line.end()
    for test, why in zip(tests, whys):
        if why:
            failed += 1
            print("FAIL %s: %s" % (test.__name__, why), flush=True)
    if code:
        failed += 1
        print("FAIL the server ended with %d" % code)
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
