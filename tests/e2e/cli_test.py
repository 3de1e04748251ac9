#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pep-cli against stand-in servers: what cases in a table cannot say. The tests are in cli/.

    cli_test.py PATH_TO_PEP_CLI [WORD]      WORD: only the tests whose name holds it

Only the Python 3 standard library, only loopback, ports from the kernel. Last line "N passed, N failed"; exit 0 when none failed.
"""
import os, sys, traceback

sys.dont_write_bytecode = True
from cli import files, folder, key, repeat, talk  # noqa: E402
from cli.place import Place, equal  # noqa: E402


def run(test, cli):
    """None, or why it failed."""
    place = Place(cli)
    try:
        test(place)
        equal(place.leftovers(), [], "temporary files")
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "test_" in frame.name or "cli" in frame.filename]
        return "%s: %s (lines %s)" % (type(error).__name__, error, ", ".join(str(frame.lineno) for frame in frames))
    finally:
        place.close()
    return None


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    cli, word = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else ""
    passed = failed = 0
    for module in (repeat, talk, files, folder, key):
        for name, test in list(vars(module).items()):
            if not name.startswith("test_") or word not in name:
                continue
            why = run(test, cli)
            passed, failed = passed + (not why), failed + bool(why)
            if why:
                print("FAIL %s.%s: %s" % (module.__name__, name, why), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
