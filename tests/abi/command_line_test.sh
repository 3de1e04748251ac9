#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# command_line_test.sh SERVER ABI_PLUGINS PLUGINS - the questions that pep-server answers without serving, and its exit codes.
set -u
server=$1 abi=$2 plugins=$3
unset PEP_SERVER_PORT
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# expect EXIT-CODE TEXT ARGUMENT...: the code, and the text in the output; a refusal is one line.
expect() {
	code=$1 text=$2
	shift 2
	"$server" "$@" >"$work/out" 2>"$work/err"
	got=$?
	if [ "$got" != "$code" ] || ! cat "$work/out" "$work/err" | grep -qF -e "$text"; then
		printf 'FAILED: %s\n  exit %s, expected %s and "%s"\n' "$*" "$got" "$code" "$text"
		sed 's/^/  /' "$work/out" "$work/err"
		failed=1
	fi
	if [ "$code" = 3 ] && [ "$(wc -l <"$work/err")" != 1 ]; then
		printf 'FAILED: %s: not one line\n' "$*"
		failed=1
	fi
}

conf=$work/pep.yaml
cp -r "$plugins" "$work/plugins" && chmod -R go-w "$work/plugins" || exit 1
printf 'server: {plugin_dir: %s/plugins, data_dir: %s/data}\ninjector: mock\n' "$work" "$work" >"$conf"

: >"$work/empty.yaml"
expect 0 "pep-server 3." --version
expect 0 "Usage: pep-server" --help
expect 0 "pep-server ca init|inspect" --help
expect 0 "pep-server import-fcu DIR" --help
expect 0 "Usage: pep-server ca init" ca --help
expect 0 "Usage: pep-server import-fcu" import-fcu --help
expect 2 "Usage: pep-server ca init" ca
expect 2 "import-fcu needs a folder" import-fcu
expect 2 'unexpected argument "nothing"' nothing
expect 2 "unrecognized option" --nonsense
expect 2 "requires an argument" --config
expect 2 'unexpected argument "more"' --config "$conf" more
expect 2 "exclude each other" --check-config --print-config
expect 0 "the configuration is good: storage sqlite, injector mock, 2 exporters" -c "$conf" --check-config
expect 0 "port: 5151  # default" -c "$conf" --print-config
expect 0 "port: 99  # --set server.port" -c "$conf" --set server.port=99 --print-config
expect 0 "$conf:1:" -c "$conf" --print-config
expect 0 "sqlite               storage" -c "$conf" --list-plugins
expect 0 "seed: text" -c "$conf" --help-plugin mock
expect 3 'no plugin "none"' -c "$conf" --help-plugin none
expect 3 "cannot be read: No such file" -c "$work/absent.yaml" --check-config
expect 3 '--set server.prot: unknown key "prot" in "server"; did you mean "port"?' -c "$conf" --set server.prot=1 --check-config
expect 3 "no injector is named" -c "$work/empty.yaml" --check-config
PEP_SERVER_PORT=x expect 3 'PEP_SERVER_PORT in the environment: "port" must be' -c "$conf" --check-config
PEP_SERVER_PORT=77 expect 0 "port: 77  # PEP_SERVER_PORT in the environment" -c "$conf" --print-config

# What a plugin can be wrong with, as the administrator sees it. Nothing was opened: there is no data folder afterwards.
expect 3 'plugin "major" made for plugin ABI 2.0' -c "$conf" --set server.plugin_dir="$abi" --set storage.plugin=major --check-config
expect 3 'named as storage' -c "$conf" --set storage.plugin=csv --check-config
expect 3 ':2:11: no plugin "mock"' -c "$conf" --set server.plugin_dir="$abi" --set storage.plugin=frozen_storage --check-config
expect 3 'did you mean "path"?' -c "$conf" --set storage.pth=x --check-config
chmod o+w "$work/plugins/csv.so"
expect 3 "csv.so can be written by others than its owner; run: chmod go-w" -c "$conf" --check-config
chmod o-w "$work/plugins/csv.so"
chmod g+w "$work/plugins"
expect 3 "/plugins can be written by others" -c "$conf" --check-config
if [ -e "$work/data" ]; then
	echo "FAILED: a question made the data folder"
	failed=1
fi
exit $failed
