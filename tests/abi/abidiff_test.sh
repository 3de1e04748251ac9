#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# abidiff_test.sh CONTRACT-SO FROZEN-DUMP - the types of the plugin contract are still those of the dump. Exit code 77: skipped.
set -u
contract=$1 dump=$2
if ! command -v abidiff >/dev/null; then
	echo "SKIPPED: there is no abidiff; it is in the package abigail-tools"
	exit 77
fi
if ! command -v readelf >/dev/null || ! readelf -h "$contract" | grep -q 'X86-64'; then
	echo "SKIPPED: the frozen dump is of x86-64"
	exit 77
fi
refreeze="abidw --no-corpus-path --no-comp-dir-path --no-show-locs --type-id-style hash $contract | sed \"s|path='[^']*contract.c'|path='contract.c'|\" >$dump"
if [ ! -e "$dump" ]; then
	echo "FAILED: this minor has no dump. What was released must only have grown at its ends: then freeze it:"
	echo "  $refreeze"
	exit 1
fi
abidiff "$dump" "$contract" && exit 0
echo "FAILED: the contract is another than the frozen one. Every plugin that was built against that must load for ever: append"
echo "members to tables only, raise PEP_ABI_MINOR if the frozen one was released, add what is new to sizes_test.c, then freeze it:"
echo "  $refreeze"
exit 1
