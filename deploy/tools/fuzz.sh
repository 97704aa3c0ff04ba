#!/usr/bin/env bash
# Fuzzes the parsers of what providers send, each a target, as many at a time as there are processors, or AT_ONCE:
#   fuzz.sh SECONDS [TARGET…]
# A target begins with its corpus (tests/fuzz/corpus) and its channel's fixtures. What it found stays in .fuzz/: what is new in
# the corpus, and inputs that crashed. Ends with an error when one crashed, hung, or grew beyond 64 MiB.
#   fuzz.sh keep [TARGET…]
# Takes over into tests/fuzz/corpus what reached code that neither fixtures nor corpus did. The channels' tests play it again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
seconds=${1:?usage: fuzz.sh SECONDS|keep [TARGET…]}
shift
fuzz=$root/.tools/cargo-fuzz/bin/cargo-fuzz
[ -x "$fuzz" ] || cargo install cargo-fuzz --version 0.13.2 --locked --root "$root/.tools/cargo-fuzz"

# cargo-fuzz asks for what only nightly compilers say they can; a stable one can as well.
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$root/target/fuzz
# Without sanitizers: the code is safe Rust, so what can go wrong are panics, hangs and growth, and it is faster.
options=(--fuzz-dir tests/fuzz --sanitizer none --release --debug-assertions)
"$fuzz" build "${options[@]}"
if [ $# -gt 0 ]; then
    targets=("$@")
else
    mapfile -t targets < <("$fuzz" list --fuzz-dir tests/fuzz)
fi

# The folders a target begins with: what its provider sends, and what was kept.
seeds() {
    local fixtures=services/channels/$1/fixtures folder
    case "$1" in
    sinch | twilio) fixtures=services/channels/sms/fixtures/$1 ;;
    template) fixtures=services/channels/bottle/fixtures/$1 ;;
    esac
    for folder in "$fixtures/inbound" "$fixtures/answers" "tests/fuzz/corpus/$1"; do
        if [ -d "$folder" ]; then echo "$folder"; fi
    done
}

# What a process has before it reads anything, beside the 64 MiB that reading may take.
base=64

one() {
    local target=$1 found=$root/.fuzz/$1 status=0
    mkdir -p "$found/corpus" "$found/crashes"
    local begin
    mapfile -t begin < <(seeds "$target")
    "$fuzz" run "${options[@]}" "$target" "$found/corpus" "${begin[@]}" -- \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=$((base + 64)) -malloc_limit_mb=64 -max_len=65536 \
        -artifact_prefix="$found/crashes/" -print_final_stats=1 >"$found/log" 2>&1 || status=$?
    local runs peak
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$found/log")
    if [ "$status" -eq 0 ]; then
        echo "$target: ${runs:-?} inputs in $seconds s, at most ${peak:-?} MiB of memory, no crash"
    else
        echo "$target: FAILED, see ${found#"$root/"}/log and ${found#"$root/"}/crashes"
    fi
    return "$status"
}

keep() {
    local target=$1 kept=tests/fuzz/corpus/$1 known folder file count=0
    known=$(mktemp -d)
    mkdir -p "$kept" ".fuzz/$target/corpus"
    while read -r folder; do
        for file in "$folder"/*; do
            count=$((count + 1))
            cp "$file" "$known/known-$count"
        done
    done < <(seeds "$target")
    # As few as together reach all code; how often they reach it does not count: that would keep thousands.
    "$fuzz" run "${options[@]}" "$target" "$known" "$root/.fuzz/$target/corpus" -- \
        -set_cover_merge=1 -use_counters=0 -max_len=65536 >".fuzz/$target/keep.log" 2>&1
    rm -f "$known"/known-*
    find "$known" -type f -exec mv -t "$kept" {} +
    rm -r "$known"
    echo "$target: $(find "$kept" -type f | wc -l) inputs kept, $(du -sb "$kept" | cut -f1) bytes"
}

if [ "$seconds" = keep ]; then
    for target in "${targets[@]}"; do keep "$target"; done
    exit
fi

failed=0
wait_one() {
    wait -n || failed=1
}
running=0
for target in "${targets[@]}"; do
    if [ "$running" -ge "${AT_ONCE:-$(nproc)}" ]; then
        wait_one
        running=$((running - 1))
    fi
    one "$target" &
    running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
    wait_one
    running=$((running - 1))
done
exit "$failed"
