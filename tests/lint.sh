#!/usr/bin/env bash
# clang-tidy over the sources that the last day of commits touched, or over all of them.
#   tests/lint.sh [all]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
# Not src/torch: clang 14 cannot read LibTorch 1.13's headers as C++20.
sources=('src/*.cc' 'formats/*.cc' ':!src/torch')
if [ "${1:-}" = all ]; then
    mapfile -t files < <(git ls-files "${sources[@]}")
else
    newest=$(git log -1 --format=%ct)
    base=$(git rev-list -1 --before=$((newest - 86400)) HEAD)
    # Against the empty tree where the history is younger than that.
    mapfile -t files < <(git diff --name-only --diff-filter=d "${base:-$(git hash-object -t tree /dev/null)}" HEAD -- "${sources[@]}")
fi
[ ${#files[@]} -gt 0 ] || { echo "nothing to lint"; exit 0; }
cmake --preset lint >/dev/null
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build-lint
echo "${#files[@]} files are clean"
