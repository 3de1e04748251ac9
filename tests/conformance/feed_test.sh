#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# feed_test.sh PEP_PLUGIN_CHECK PLUGINS - exporters without a server, and what the program says to wrong use.
set -u
check=$1 plugins=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# expect EXIT-CODE TEXT ARGUMENT...: the code, and the text in the output; what is wrong is said in one line.
expect() {
	code=$1 text=$2
	shift 2
	"$check" "$@" >"$work/out" 2>"$work/err"
	got=$?
	if [ "$got" != "$code" ] || ! cat "$work/out" "$work/err" | grep -qF -e "$text" || [ "$(wc -l <"$work/err")" -gt 2 ]; then
		printf 'FAILED: %s\n  exit %s, expected %s and "%s"\n' "$*" "$got" "$code" "$text"
		sed 's/^/  /' "$work/out" "$work/err"
		failed=1
	fi
}

# What jsonl writes, --records reads: nothing is lost.
"$check" "$plugins/jsonl.so" --data sample:2000 >"$work/one.jsonl" || failed=1
"$check" "$plugins/jsonl.so" --records "$work/one.jsonl" >"$work/two.jsonl" || failed=1
if [ "$(wc -l <"$work/one.jsonl")" != 2000 ] || ! cmp "$work/one.jsonl" "$work/two.jsonl"; then
	echo "FAILED: the records are not the same"
	failed=1
fi
# Each sample is another gateway, in order.
if [ "$("$check" "$plugins/csv.so" --profile portal --data sample:2000 | sort -u | wc -l)" != 2001 ]; then
	echo "FAILED: two samples have one identity"
	failed=1
fi

printf '{"serialNumber": "A"}\n{"serialNumber": "B", "colour": "red"}\n' >"$work/odd.jsonl"
printf '{"serialNumber": "A"}\nnonsense\n' >"$work/broken.jsonl"
expect 1 'odd.jsonl:2: member "colour" is unknown' "$plugins/jsonl.so" --records "$work/odd.jsonl"
expect 1 'broken.jsonl:2: not a JSON object' "$plugins/jsonl.so" --records "$work/broken.jsonl"
expect 1 'cannot be opened: No such file' "$plugins/jsonl.so" --records "$work/absent"
expect 1 'serial BARE is not deployed' "$plugins/csv.so" --profile portal --data suite
expect 1 'has no profile "x"' "$plugins/csv.so" --profile x --data suite
expect 1 'write sample:N' "$plugins/csv.so" --data sample:-1
expect 1 'unknown key "profil"' "$plugins/csv.so" --set profil=portal --data suite
expect 1 'is of kind storage' "$plugins/sqlite.so" --data suite
expect 1 'a plugin'"'"'s file is NAME.so' /etc/passwd
# A program that ends before it has read all is judged by its exit code, as in the server: no signal ends the check.
expect 0 '"serialNumber"' "$plugins/exec.so" --set "command=/usr/bin/head -n 1" --data sample:20000
expect 1 'ended with exit code 1' "$plugins/exec.so" --set command=/bin/false --data sample:20000
expect 2 'name one plugin file'
expect 2 'exclude each other' "$plugins/csv.so" --data suite --records x
expect 2 'unrecognized option' --nonsense
expect 0 'Usage: pep-plugin-check' --help
expect 1 'there is a template for: exporter' --new storage acme "$work/acme"
expect 1 '1 to 32 lower-case letters' --new exporter 'A b' "$work/acme"
exit $failed
