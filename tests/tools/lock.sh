#!/bin/sh
# Write both lock files from pyproject.toml: exact versions and their hashes, no address of any index.
# Needs a development environment (`make lock` sees to it). Arguments go to pip-compile, e.g. --upgrade.
set -eu
cd "$(dirname "$0")/../.."

PIP_COMPILE="${PYTHON:-.venv-test/bin/python} -m piptools compile"

write_lock() { # name, then the options of this lock
    lock=$1
    shift
    $PIP_COMPILE --quiet --generate-hashes --allow-unsafe --strip-extras --build-deps-for editable \
        --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
        --output-file "$lock" "$@" pyproject.toml
    if grep -nE '://|--(extra-)?index|--find-links|--trusted-host' "$lock"; then
        echo "lock: $lock names an address; take it out before you commit it" >&2
        exit 1
    fi
}

write_lock requirements.lock --extra demo --extra redis "$@"
write_lock requirements-dev.lock --extra demo --extra redis --extra dev --constraint requirements.lock "$@"
