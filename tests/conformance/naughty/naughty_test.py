# SPDX-License-Identifier: Apache-2.0
"""naughty_test.py PEP_PLUGIN_CHECK CC INCLUDE: each fault is found by the case that is there for it, and told with its rule; an exporter
without a fault passes. The plugins are built here, as a partner would, whatever the tree is built with."""
import os
import re
import subprocess
import sys
import tempfile
import time

CHECK, CC, INCLUDE = sys.argv[1:]
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "naughty.c")
FAULTS = {
    "NONE": None,
    "KEEPS_TEXT": "nothing_borrowed_is_kept",
    "SHARES_RUNS": "two_runs_do_not_meddle",
    "IGNORES_SINK": "reader_leaves",
    "HIDES_STATUS": "reader_leaves",
    "LEAKS_RUN": "nothing_is_left",
    "GROWS": "memory_is_flat",
    "TRUSTS_TEXT": "hostile_text",
    "TRUSTS_PRESENCE": "absent_and_empty",
    "TRUSTS_MALLOC": "memory_runs_out",
    "SAYS_NOTHING": "absent_and_empty",
    "CUTS": "long_text",
    "EXITS": "file: leaves_the_process_alone",
    "SETS_LOCALE": "file: leaves_the_process_alone",
    "CONSTRUCTS": "file: runs_nothing_when_loaded",
    "EXPORTS": "file: exports_one_symbol",
    "FORGETS_END": "writes_a_whole_file",
    "RACES": "many_threads",
    "CHECKS_OTHERWISE": "check_tells_what_record_does",
    "CRASHES_WHEN_ALONE": "two_instances_do_not_meddle",
}
FLAGS = {
    "no_relro": (["-Wl,-z,norelro"], "file: cannot_be_patched"),
    "late": (["-Wl,-z,lazy"], "file: cannot_be_patched"),
    "exec_stack": (["-Wl,-z,execstack"], "file: cannot_be_patched"),
    "run_path": (["-Wl,-rpath,../lib"], "file: finds_libraries_as_others_do"),
}
# An allocator that the suite cannot stand in front of.
SKIPPED_IN_A_SANITIZER = {"TRUSTS_MALLOC"}


def build(folder, name, flags):
    path = f"{folder}/{name}.so"
    subprocess.run([CC, "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-w", "-Wl,-z,relro,-z,now", f"-I{INCLUDE}",
                    f'-DFILE_NAME="{name}"', *flags, SOURCE, "-o", path], check=True)
    return path


def check(path, case):
    only = ["--only", case.split()[-1]] if case else []
    done = subprocess.run([CHECK, *only, path], check=False, capture_output=True, text=True, errors="replace", timeout=300)
    failed = re.findall(r"^FAILED  (.*)\n        rule:  \S.*(?:\n        input: .*)?\n        found: \S", done.stdout, re.MULTILINE)
    assert len(failed) == done.stdout.count("FAILED  "), f"a failure without rule or finding:\n{done.stdout}"
    assert done.returncode == (1 if failed else 0), f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return failed, done.stdout


def main():
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="pep-naughty-") as folder:
        wanted = {fault.lower(): (build(folder, fault.lower(), [f"-DFAULT={fault}", f"-DWITH_{fault}"]), case) for fault, case in FAULTS.items()}
        for name, (flags, case) in FLAGS.items():
            wanted[name] = (build(folder, name, ["-DFAULT=NONE", *flags]), case)
        for name, (path, case) in wanted.items():
            start = time.monotonic()
            failed, output = check(path, case)
            if name.upper() in SKIPPED_IN_A_SANITIZER and "skipped memory_runs_out" in output:
                continue
            good = not failed if case is None else case in failed
            print(f"{'ok    ' if good else 'FAILED'} {name}: {', '.join(failed) or 'nothing found'} ({time.monotonic() - start:.1f} s)")
            if not good:
                print(output)
                wrong += 1
    print(f"{len(wanted) - wrong} passed, {wrong} failed")
    sys.exit(wrong > 0)


main()
