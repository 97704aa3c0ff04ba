#!/usr/bin/env bash
# Compares proto/ with the same folder on a branch: what readers of that branch rely on must not change.
#   proto-breaking.sh BRANCH
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

branch=${1:?usage: proto-breaking.sh BRANCH}
for base in "origin/$branch" "$branch"; do
    # A clone may lack the branch, and the branch may be older than the contracts: then there is nothing to break.
    if git cat-file -e "$base:proto/buf.yaml" 2>/dev/null &&
        [ -n "$(git ls-tree -r --name-only "$base" -- proto/heliograph)" ]; then
        before=$(mktemp -d)
        trap 'rm -rf "$before"' EXIT
        git archive "$base" proto | tar -x -C "$before"
        .tools/bin/buf breaking proto --against "$before/proto"
        echo "proto: nothing of $base is broken"
        exit
    fi
done
echo "proto: no contracts on $branch yet, nothing to compare with"
