#!/usr/bin/env bash
# Fetches what the project needs and the machine may lack into .tools/, pinned and checked by hash:
#   bootstrap.sh tools     nats-server, valkey-server, buf        → .tools/bin
#   bootstrap.sh checks    cargo-nextest, cargo-deny              → .tools/bin
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
    local owner tries=0
    mkdir -p "$tools"
    while ! mkdir "$tools/.lock" 2>/dev/null; do
        owner=$(cat "$tools/.lock/pid" 2>/dev/null || true)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$tools/.lock"
            continue
        fi
        tries=$((tries + 1))
        [ "$tries" -lt 3000 ] || die "another bootstrap holds .tools/.lock for ten minutes; remove it if none runs"
        sleep 0.2
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

# programs LIST NAME…: the programs of LIST's packages, callable in .tools/bin. The wheels keep them in different
# places; .tools/bin is the one place others look.
programs() {
    local kind=$1 list=$here/$1.txt env=$tools/environments/$1 stamp=$tools/$1.stamp complete=yes name found
    shift
    cmp -s "$list" "$stamp" || complete=no
    for name in "$@"; do
        [ -x "$tools/bin/$name" ] || complete=no
    done
    if [ "$complete" = yes ]; then
        return
    fi
    say "fetching $* into .tools/"
    rm -f "$stamp"
    python_environment "$env" "$list"
    mkdir -p "$tools/bin"
    for name in "$@"; do
        found=$(find "$env" -type f -name "$name" -print -quit)
        [ -n "$found" ] || die "$name is not in the package that should carry it"
        chmod +x "$found"
        ln -sfn "../${found#"$tools/"}" "$tools/bin/$name"
    done
    cp "$list" "$stamp"
    say "$kind are ready in .tools/bin"
}

peers() {
    local list=$here/peers.txt env=$tools/peers
    if cmp -s "$list" "$tools/peers.stamp" && [ -x "$env/bin/python" ]; then
        return
    fi
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

lock
case "${1-}" in
tools) programs tools nats-server valkey-server buf ;;
checks) programs checks cargo-nextest cargo-deny ;;
peers) peers ;;
browser) browser ;;
*) die "usage: bootstrap.sh tools|checks|peers|browser" ;;
esac
