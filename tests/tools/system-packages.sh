#!/bin/sh
# Install the system packages the tests need, or name them where we may not.
set -eu

missing=
need() { # a command that succeeds when it is there, then the Debian package
    if ! eval "$1" >/dev/null 2>&1; then missing="$missing $2"; fi
}

need 'command -v initdb || ls /usr/lib/postgresql/*/bin/initdb' postgresql
need 'command -v chromium || command -v chromium-browser || command -v google-chrome' chromium
need 'ls /usr/share/fonts/opentype/noto/NotoSansCJK* || fc-list :lang=ja | grep .' fonts-noto-cjk
need 'command -v apache2 || ls /usr/sbin/apache2' apache2
need 'ls /usr/lib/apache2/modules/mod_auth_openidc.so' libapache2-mod-auth-openidc
need 'command -v redis-server' redis-server
need 'command -v nginx || ls /usr/sbin/nginx' nginx-light
need 'command -v node' nodejs
need 'command -v npm' npm

[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then as_root='sudo -n'; fi
if ! command -v apt-get >/dev/null || ! $as_root true 2>/dev/null; then
    echo "kosodate-id: the tests need these packages:$missing. Install them and start again." >&2
    exit 1
fi

echo "Installing$missing …"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086 # one word a package
if ! { $as_root apt-get update && $as_root apt-get install --yes --no-install-recommends $missing; } >"$log" 2>&1
then
    tail -n 5 "$log" >&2
    echo "kosodate-id: these packages could not be installed:$missing. $log says why." >&2
    exit 1
fi
rm -f "$log"
