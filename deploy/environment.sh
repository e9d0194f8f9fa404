#!/bin/sh
# Make a virtual environment from a lock file, or do nothing when it is already right.
# usage: deploy/environment.sh FOLDER LOCK
# The environment is made anew when the lock, the Python or the place changes. $PYTHON chooses
# the Python. Our own modules are compiled every time: a service that may not write there would
# compile them at each of its starts.
set -eu
cd "$(dirname "$0")/.."

folder=$1
lock=$2
stamp=$folder/made-from.txt
log=$folder/install.log

fail() {
    printf 'kosodate-id: %s\n' "$1" >&2
    exit 1
}

fingerprint() {
    pwd
    "$folder/bin/python" --version
    cksum <"$lock"
}

is_ready() {
    [ -x "$folder/bin/python" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ]
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
}

make_folder() {
    python=$(find_python)
    [ -n "$python" ] || fail "Python 3.11 or newer is needed, and ${PYTHON:-python3} here is \
$(${PYTHON:-python3} --version 2>&1 || :). Install a newer one and say: PYTHON=python3.12 make …"
    "$python" -c 'import venv, ensurepip' 2>/dev/null || fail "Python's venv module is missing. \
Install it (on Debian or Ubuntu: apt-get install python3-venv) and start again."
    if [ -e "$folder" ] && [ ! -e "$log" ]; then
        fail "$folder was not made by this script. Move it away, or name another folder: make VENV=…"
    fi
    rm -rf "$folder"
    echo "Making $folder with $("$python" --version) …"
    "$python" -m venv "$folder" || fail "the environment could not be made: see the lines above"
    : >"$log"
}

# Print one line that grows to the full count, where there is a terminal; else a line a dozen.
show_progress() {
    total=$(grep -c '^[A-Za-z0-9]' "$lock")
    terminal=0
    if [ -t 1 ]; then terminal=1; fi
    awk -v total="$total" -v terminal="$terminal" '
        /^ *Collecting / {
            count++
            if (terminal) printf "\r\033[KDownloading %d of %d: %s", count, total, $2
            else if (count % 12 == 1) printf "Downloading %d of %d …\n", count, total
            fflush()
        }
        /^Installing collected/ {
            if (terminal) printf "\r\033[K"
            print "Installing " total " packages …"
            fflush()
        }'
}

explain_failure() {
    if grep -qE 'NewConnectionError|ConnectTimeout|ProxyError|Temporary failure in name|unreachable' "$log"
    then
        fail "no package could be downloaded: there seems to be no network. Connect this machine \
(or set up pip's proxy or index), and start again."
    fi
    tail -n 5 "$log" >&2
    fail "the packages could not be installed: $log says why."
}

install() {
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
    : >"$folder/failed"
    {
        "$folder/bin/python" -m pip install --progress-bar off --retries 2 --require-hashes --no-deps \
            --requirement "$lock" 2>&1 && rm "$folder/failed"
    } | tee "$log" | show_progress
    [ ! -e "$folder/failed" ] || explain_failure
    "$folder/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable . \
        >>"$log" 2>&1 || explain_failure
    fingerprint >"$stamp"
}

if ! is_ready; then
    make_folder
    install
fi
# A folder that may not be written is no reason to stop: it is compiled at each start then.
"$folder/bin/python" -m compileall -q idp clients || :
