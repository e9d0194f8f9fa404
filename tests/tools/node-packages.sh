#!/bin/sh
# Install what the browser and interop tests take from npm (axe-core, client libraries), by their locks.
set -eu
cd "$(dirname "$0")/.."

for folder in browser interop; do
    stamp=$folder/node_modules/made-from.txt
    wanted=$(cksum <"$folder/package-lock.json")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then continue; fi
    echo "Installing the packages of tests/$folder …"
    if ! (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); then
        echo "kosodate-id: npm could not install the packages of tests/$folder. Connect this machine to the network and start again." >&2
        exit 1
    fi
    printf '%s\n' "$wanted" >"$stamp"
done
